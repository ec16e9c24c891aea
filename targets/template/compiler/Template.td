// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Template.td - the instruction set of the template machine ----------===//
#ifndef SPARSAM_TARGETS_TEMPLATE
#define SPARSAM_TARGETS_TEMPLATE

include "isa/IsaBase.td"
include "mlir/IR/OpBase.td"

def Template_Dialect : Dialect {
  let name = "template";
  let cppNamespace = "::sparsam::template_";
  let summary = "Instructions of the template machine";
  let description = [{
    Dense attention in three instructions, each with a unit and a queue of its own: load a tile, attend from a query tile
    to a key tile, store a finished output tile.
  }];
  let dependentDialects = ["::sparsam::isa::IsaDialect"];
}

def Template_Dram : ISA_Tile<"dram", "tile of a float32 tensor in DRAM">;
def Template_Input : ISA_Tile<"input", "tile in the input buffer">;
def Template_Output : ISA_Tile<"output", "tile of output accumulators; two columns more than the head hold maximum and sum of each row">;

class Template_Op<string mnemonic, int opcode, list<Trait> traits = []>
    : ISA_Instruction<Template_Dialect, mnemonic, opcode, traits>;

def Template_TransferGroup : OpDocGroup { let summary = "Transfer"; let description = ""; }
let opDocGroup = Template_TransferGroup in {

def Template_LoadOp : Template_Op<"load", 0x10> {
  let summary = "Load rows into the input buffer";
  let description = "Rows beyond the tensor read as zero. Holds the load unit for valid bytes / DRAM bandwidth.";
  let arguments = (ins Template_Dram:$source, Template_Input:$destination);
  let assemblyFormat = "$source `to` $destination attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}
def Template_StoreOp : Template_Op<"store", 0x12> {
  let summary = "Store output rows";
  let description = "Rows beyond the tensor are not written. Holds the store unit for valid bytes / DRAM bandwidth.";
  let arguments = (ins Template_Output:$source, Template_Dram:$destination);
  let assemblyFormat = "$source `to` $destination attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}

} // opDocGroup

def Template_ComputeGroup : OpDocGroup { let summary = "Compute"; let description = ""; }
let opDocGroup = Template_ComputeGroup in {

def Template_AttendOp : Template_Op<"attend", 0x11> {
  let summary = "Attend from a tile of queries to a tile of keys";
  let description = [{
    Updates the output tile as if its rows had seen these keys too: scores `scale * q . k + bias`, exponentials below the
    running maximum, sum and weighted values; the rows are divided by their sums behind the last key. With `first_key` 0
    the rows start anew. Keys from `keys` on are hidden; with `causal`, query i sees keys up to i + keys - queries. The
    bias has one row or one per query. Holds the array for 2 d + exp_cycles; the rows are there rows + cols later.

    ```mlir
    template.attend %q, %k, %v at %i, %j to %o queries 100 keys 100 scale 0.125 causal false : memref<64x64xf32, #isa.memory<"input">>, memref<64x64xf32, #isa.memory<"input">>, memref<64x64xf32, #isa.memory<"input">> to memref<64x66xf32, #isa.memory<"output">>
    ```
  }];
  let arguments = (ins Template_Input:$query, Template_Input:$key, Template_Input:$value, Optional<Template_Input>:$bias,
      ISA_Index<"first query of the tile">:$first_query, ISA_Index<"first key of the tile">:$first_key,
      Template_Output:$output, ISA_UInt<24, 1, 16777215>:$queries, ISA_UInt<24, 1, 16777215>:$keys, ISA_Float:$scale,
      ISA_Flag:$causal);
  let assemblyFormat = "$query `,` $key `,` $value (`bias` $bias^)? `at` $first_query `,` $first_key `to` $output `queries` $queries `keys` $keys `scale` $scale `causal` $causal attr-dict `:` type($query) `,` type($key) `,` type($value) (`,` type($bias)^)? `to` type($output)";
  let hasVerifier = 1;
}

} // opDocGroup

#endif // SPARSAM_TARGETS_TEMPLATE
