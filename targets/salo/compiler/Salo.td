// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Salo.td - the instruction set of SALO ------------------------------===//
//
// SALO: An Efficient Spatial Accelerator Enabling Hybrid Sparse Attention Mechanisms for Long Sequences, DAC 2022.
// The paper defines no instruction set; this one follows its data scheduler (assumed, see the target's README).
//
#ifndef SPARSAM_TARGETS_SALO
#define SPARSAM_TARGETS_SALO

include "isa/IsaBase.td"
include "mlir/IR/OpBase.td"

def Salo_Dialect : Dialect {
  let name = "salo";
  let cppNamespace = "::sparsam::salo";
  let summary = "Instructions of the SALO accelerator";
  let description = [{
    A tile of R queries stays in the array while a slice of R + C - 1 keys moves through it diagonally: row i of a pass
    whose slice starts at key `first` sees the keys first + i to first + i + C - 1. Global keys use columns of their own
    on the right, global queries a row of their own below, which sees the keys that pass the last row. Each pass leaves
    a normalised output and its row sums; `merge` adds it to what earlier passes left.

    Tokens are counted within a *segment*: a residue class of the dilation, whose tokens lie `segments` rows apart.
  }];
  let dependentDialects = ["::sparsam::isa::IsaDialect"];
}

def Salo_Dram : ISA_Tile<"dram", "tile of a float32 tensor in DRAM">;
def Salo_Query : ISA_Tile<"query", "tile of 9-bit queries in the query buffer">;
def Salo_Key : ISA_Tile<"key", "tile of 9-bit keys in the key buffer">;
def Salo_Value : ISA_Tile<"value", "tile of 9-bit values in the value buffer">;
def Salo_Output : ISA_Tile<"output", "tile of merged rows, with one row sum per row">;

class Salo_Op<string mnemonic, int opcode, list<Trait> traits = []>
    : ISA_Instruction<Salo_Dialect, mnemonic, opcode, traits>;

//===-- Configuration ------------------------------------------------------===//

def Salo_ConfigGroup : OpDocGroup { let summary = "Configuration"; let description = ""; }
let opDocGroup = Salo_ConfigGroup in {

def Salo_ConfigOp : Salo_Op<"config", 0x10> {
  let summary = "Set the shape of the attention and what Q, K and V are multiplied by";
  let description = [{
    First instruction of every kernel. A segment has `queries` queries and `keys` keys; with several, both are the same
    tokens. Elements are multiplied by their factor before they become words, outputs divided by that of the values.
    Takes no time.

    ```mlir
    salo.config queries 4096 keys 4096 segments 1 head_dim 64 heads 12 q_factor 1.44269502 k_factor 1.0 v_factor 1.0
    ```
  }];
  let arguments = (ins ISA_UInt<24, 1, 16777215>:$queries, ISA_UInt<24, 1, 16777215>:$keys, ISA_UInt<16, 1, 65535>:$segments,
      ISA_UInt<16, 1, 65535>:$head_dim, ISA_UInt<24, 1, 16777215>:$heads, ISA_Float:$q_factor,
      ISA_Float:$k_factor, ISA_Float:$v_factor);
  let assemblyFormat = "`queries` $queries `keys` $keys `segments` $segments `head_dim` $head_dim `heads` $heads `q_factor` $q_factor `k_factor` $k_factor `v_factor` $v_factor attr-dict";
  let hasVerifier = 1;
}

def Salo_SetGlobalOp : Salo_Op<"set_global", 0x11> {
  let summary = "Declare a token global, by its number in the head";
  let description = [{
    Masks the token in every window, because the global column counts it, and its query in every tile, because the global
    row counts it. Comes before the first load. Takes no time.

    ```mlir
    salo.set_global 0
    ```
  }];
  let arguments = (ins ISA_UInt<24, 0, 16777215>:$token);
  let assemblyFormat = "$token attr-dict";
}

def Salo_SelectHeadOp : Salo_Op<"select_head", 0x12> {
  let summary = "Name the head (batch * heads + head) and the segment that follow";
  let description = [{
    Takes no time.

    ```mlir
    salo.select_head %h segment %r
    ```
  }];
  let arguments = (ins ISA_Index<"head number">:$head, ISA_Index<"segment number">:$segment);
  let assemblyFormat = "$head `segment` $segment attr-dict";
}

} // opDocGroup

//===-- Transfer -----------------------------------------------------------===//

def Salo_TransferGroup : OpDocGroup { let summary = "Transfer"; let description = ""; }
let opDocGroup = Salo_TransferGroup in {

class Salo_RowsOp<string what, int opcode, Type buffer> : Salo_Op<"load_" # what, opcode> {
  let arguments = (ins Salo_Dram:$source, buffer:$destination);
  let assemblyFormat = "$source `to` $destination attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
  string text = "Floats, times their factor of config, become 9-bit words with 4 fraction bits, rounded to even, saturated. Rows beyond the tensor read as zero. Holds the DMA unit for valid words / DRAM bandwidth.";
}
class Salo_SliceOp<string what, int opcode, Type buffer> : Salo_Op<"load_" # what, opcode> {
  let arguments = (ins Salo_Dram:$source, ISA_Index<"first token of the slice, may lie before the segment">:$first, buffer:$destination);
  let assemblyFormat = "$source `from` $first `to` $destination attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
  string text = "`source` is the whole segment. Tokens before and behind it are marked invalid: their PEs are masked. Holds the DMA unit for valid words / DRAM bandwidth.";
}
def Salo_LoadQueryOp : Salo_RowsOp<"query", 0x14, Salo_Query> {
  let summary = "Load the queries of a tile";
  let description = text;
}
def Salo_LoadKeyOp : Salo_Op<"load_key", 0x15> {
  let summary = "Load a slice of keys";
  let description = [{
    `source` is the whole segment. Tokens before and behind it are marked invalid, and so are those whose `mask`, the whole
    segment's, is -10000 or less: their PEs are masked. Holds the DMA unit for valid words / DRAM bandwidth.
  }];
  let arguments = (ins Salo_Dram:$source, ISA_Index<"first token of the slice, may lie before the segment">:$first, Optional<Salo_Dram>:$mask, Salo_Key:$destination);
  let assemblyFormat = "$source `from` $first (`mask` $mask^)? `to` $destination attr-dict `:` type($source) (`mask` type($mask)^)? `to` type($destination)";
  let hasVerifier = 1;
}
def Salo_LoadValueOp : Salo_SliceOp<"value", 0x16, Salo_Value> {
  let summary = "Load a slice of values";
  let description = text;
}
def Salo_LoadGlobalQueryOp : Salo_RowsOp<"global_query", 0x17, Salo_Query> {
  let summary = "Load a global token's query";
  let description = text;
}
def Salo_LoadGlobalKeyOp : Salo_Op<"load_global_key", 0x18> {
  let summary = "Load a global token's key";
  let description = "Invalid if its `mask` is -10000 or less. Holds the DMA unit for valid words / DRAM bandwidth.";
  let arguments = (ins Salo_Dram:$source, Optional<Salo_Dram>:$mask, Salo_Key:$destination);
  let assemblyFormat = "$source (`mask` $mask^)? `to` $destination attr-dict `:` type($source) (`mask` type($mask)^)? `to` type($destination)";
  let hasVerifier = 1;
}
def Salo_LoadGlobalValueOp : Salo_RowsOp<"global_value", 0x19, Salo_Value> {
  let summary = "Load a global token's value";
  let description = text;
}
def Salo_StoreOutputOp : Salo_Op<"store_output", 0x1a> {
  let summary = "Store merged rows, of a tile or of a global query";
  let description = "Invalid rows are not written; the others are divided by v_factor of config. Holds the DMA unit for valid words / DRAM bandwidth.";
  let arguments = (ins Salo_Output:$source, Salo_Dram:$destination);
  let assemblyFormat = "$source `to` $destination attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}

} // opDocGroup

//===-- Compute ------------------------------------------------------------===//

def Salo_ComputeGroup : OpDocGroup { let summary = "Compute"; let description = ""; }
let opDocGroup = Salo_ComputeGroup in {

def Salo_TileAttnOp : Salo_Op<"tile_attn", 0x20, [AttrSizedOperandSegments]> {
  let summary = "Attend from a tile of queries to a slice of keys";
  let description = [{
    Row i sees keys i to i + `cols` - 1 of the slice, columns beyond `cols` are masked. With `global_key` (and its values)
    every row sees these keys as well. With `global_query` these queries see the first `row_cols` of the C keys that pass
    the last row, where they lie in [`row_from`, `row_to`) of the segment; keys that an earlier tile of the same pass has
    shown already are masked.

    Holds the array for 2 d + 3 + C cycles and one of flush; the outputs have left it C + g - 1 cycles later.

    ```mlir
    salo.tile_attn %q, %k, %v cols 32 global_key %gk, %gv global_query %gq row_from 0 row_to 4095 row_cols 32
        : memref<32x64xi16, #isa.memory<"query">>, memref<63x64xi16, #isa.memory<"key">>, memref<63x64xi16, #isa.memory<"value">>,
          memref<1x64xi16, #isa.memory<"key">>, memref<1x64xi16, #isa.memory<"value">>, memref<1x64xi16, #isa.memory<"query">>
    ```
  }];
  let arguments = (ins Salo_Query:$query, Salo_Key:$key, Salo_Value:$value, ISA_UInt<16, 0, 65535>:$cols,
      Optional<Salo_Key>:$global_key, Optional<Salo_Value>:$global_value, Optional<Salo_Query>:$global_query,
      ISA_UInt<24, 0, 16777215>:$row_from, ISA_UInt<24, 0, 16777215>:$row_to, ISA_UInt<16, 0, 65535>:$row_cols);
  let assemblyFormat = [{
    $query `,` $key `,` $value `cols` $cols (`global_key` $global_key^ `,` $global_value)? (`global_query` $global_query^)?
    `row_from` $row_from `row_to` $row_to `row_cols` $row_cols attr-dict
    `:` type($query) `,` type($key) `,` type($value) (`,` type($global_key)^ `,` type($global_value))? (`,` type($global_query)^)?
  }];
  let hasVerifier = 1;
}

def Salo_ClearOp : Salo_Op<"clear", 0x21> {
  let summary = "Empty merged rows";
  let description = "Their sums become 0. One bit per row; takes no time.";
  let arguments = (ins Salo_Output:$output);
  let assemblyFormat = "$output attr-dict `:` type($output)";
}

def Salo_MergeOp : Salo_Op<"merge", 0x22> {
  let summary = "Merge what the pass left in the array into the rows of its queries";
  let description = [{
    Must follow tile_attn. `init` starts the rows of the tile anew; rows of global queries are started by `clear`.
    2 cycles for the weights, then one dimension per cycle as the outputs leave the array.

    ```mlir
    salo.merge %o init true global %go : memref<32x64xf32, #isa.memory<"output">>, memref<1x64xf32, #isa.memory<"output">>
    ```
  }];
  let arguments = (ins Salo_Output:$output, ISA_Flag:$init, Optional<Salo_Output>:$global_output);
  let assemblyFormat = "$output `init` $init (`global` $global_output^)? attr-dict `:` type($output) (`,` type($global_output)^)?";
  let hasVerifier = 1;
}

} // opDocGroup

#endif // SPARSAM_TARGETS_SALO
