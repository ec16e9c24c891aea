// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sanger.td - the instruction set of Sanger --------------------------===//
//
// Sanger: A Co-Design Framework for Enabling Sparse Attention using Reconfigurable Architecture, MICRO-54, 2021.
// The paper defines no instruction set; this one follows its block diagram (assumed, see the target's README).
//
#ifndef SPARSAM_TARGETS_SANGER
#define SPARSAM_TARGETS_SANGER

include "isa/IsaBase.td"
include "mlir/IR/OpBase.td"

def Sanger_Dialect : Dialect {
  let name = "sanger";
  let cppNamespace = "::sparsam::sanger";
  let summary = "Instructions of the Sanger accelerator";
  let description = [{
    Two pipes share the query and key buffers. The *prediction pipe* quantises Q and K, multiplies the codes on the
    low-bit array, thresholds the softmax and packs the mask into blocks. The *sparse pipe* computes sddmm, exp and
    spmm of each block on the reconfigurable sparse array, whose PEs keep the scores from sddmm to spmm
    (score-stationary), and adds the partial rows up in the output buffer.
  }];
  let dependentDialects = ["::sparsam::isa::IsaDialect"];
  let useDefaultAttributePrinterParser = 1;
}

def Sanger_PipeEnum : I32EnumAttr<"Pipe", "a pipe of the machine", [
    I32EnumAttrCase<"Predict", 0, "predict">, I32EnumAttrCase<"Sparse", 1, "sparse">]> {
  let cppNamespace = "::sparsam::sanger";
  let genSpecializedAttr = 0;
}
def Sanger_PipeAttr : EnumAttr<Sanger_Dialect, Sanger_PipeEnum, "pipe"> { let assemblyFormat = "`<` $value `>`"; }
def Sanger_EmptyRowEnum : I32EnumAttr<"EmptyRowMode", "what a row without kept keys becomes", [
    I32EnumAttrCase<"Dense", 0, "dense">, I32EnumAttrCase<"Zero", 1, "zero">, I32EnumAttrCase<"Argmax", 2, "argmax">]> {
  let cppNamespace = "::sparsam::sanger";
  let genSpecializedAttr = 0;
}
def Sanger_EmptyRowAttr : EnumAttr<Sanger_Dialect, Sanger_EmptyRowEnum, "empty_row"> { let assemblyFormat = "`<` $value `>`"; }
def Sanger_EncoderEnum : I32EnumAttr<"BlockEncoder", "how the packer cuts a stripe into blocks", [
    I32EnumAttrCase<"Subrow", 0, "subrow">, I32EnumAttrCase<"ColumnCut", 1, "column_cut">]> {
  let cppNamespace = "::sparsam::sanger";
  let genSpecializedAttr = 0;
}
def Sanger_EncoderAttr : EnumAttr<Sanger_Dialect, Sanger_EncoderEnum, "encoder"> { let assemblyFormat = "`<` $value `>`"; }

def Sanger_Dram : ISA_Tile<"dram", "tile of a float32 tensor in DRAM">;
def Sanger_Query : ISA_Tile<"query", "16-bit tile in the query buffer">;
def Sanger_Key : ISA_Tile<"key", "16-bit tile in the key buffer">;
def Sanger_Value : ISA_Tile<"value", "16-bit tile in the value buffer">;
def Sanger_LowQuery : ISA_Tile<"low_query", "tile of query codes, with one norm per row">;
def Sanger_LowKey : ISA_Tile<"low_key", "tile of key codes, with one norm per row">;
def Sanger_Score : ISA_Tile<"score", "tile of predicted scores">;
def Sanger_Bias : ISA_Tile<"bias", "tile of the additive attention mask">;
def Sanger_Mask : ISA_Tile<"mask", "tile of mask bits">;
def Sanger_Blocks : ISA_Tile<"blocks", "block list of one column stripe">;
def Sanger_Output : ISA_Tile<"output", "tile of output accumulators, with one row sum per row">;

class Sanger_Op<string mnemonic, int opcode, list<Trait> traits = []>
    : ISA_Instruction<Sanger_Dialect, mnemonic, opcode, traits>;

//===-- Configuration ------------------------------------------------------===//

def Sanger_ConfigGroup : OpDocGroup { let summary = "Configuration"; let description = ""; }
let opDocGroup = Sanger_ConfigGroup in {

def Sanger_ConfigOp : Sanger_Op<"config", 0x10> {
  let summary = "Set the shape of the attention and how it is predicted";
  let description = [{
    First instruction of every kernel. Takes no time.

    ```mlir
    sanger.config queries 512 keys 512 head_dim 64 heads 12 predict true bits 4 normalize true threshold 2.0e-3 q_range 0.5 k_range 0.5 scale 0.125 causal false empty_row<dense> encoder<subrow>
    ```
  }];
  let arguments = (ins ISA_UInt<24, 1, 16777215>:$queries, ISA_UInt<24, 1, 16777215>:$keys,
      ISA_UInt<16, 1, 65535>:$head_dim, ISA_UInt<24, 1, 16777215>:$heads, ISA_Flag:$predict,
      ISA_UInt<4, 2, 8>:$bits, ISA_Flag:$normalize, ISA_Float:$threshold, ISA_Float:$q_range, ISA_Float:$k_range,
      ISA_Float:$scale, ISA_Flag:$causal, ISA_Choice<Sanger_EmptyRowAttr, 2>:$empty_row,
      ISA_Choice<Sanger_EncoderAttr, 1>:$encoder);
  let assemblyFormat = "`queries` $queries `keys` $keys `head_dim` $head_dim `heads` $heads `predict` $predict `bits` $bits `normalize` $normalize `threshold` $threshold `q_range` $q_range `k_range` $k_range `scale` $scale `causal` $causal `empty_row` `` $empty_row `encoder` `` $encoder attr-dict";
  let hasVerifier = 1;
}

def Sanger_SelectHeadOp : Sanger_Op<"select_head", 0x11> {
  let summary = "Tell a pipe which head (batch * heads + head) it works on";
  let description = [{
    Names the mask that the pipe makes or uses. Takes no time.

    ```mlir
    sanger.select_head<predict> %h
    ```
  }];
  let arguments = (ins ISA_Index<"head number">:$head, ISA_Choice<Sanger_PipeAttr, 1>:$pipe);
  let assemblyFormat = "`` $pipe $head attr-dict";
}

} // opDocGroup

//===-- Transfer -----------------------------------------------------------===//

def Sanger_TransferGroup : OpDocGroup { let summary = "Transfer"; let description = ""; }
let opDocGroup = Sanger_TransferGroup in {

class Sanger_LoadOp<string what, int opcode, Type buffer, string types> : Sanger_Op<"load_" # what, opcode> {
  let arguments = (ins Sanger_Dram:$source, buffer:$destination);
  let assemblyFormat = "$source `to` $destination attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
  let description = !strconcat([{
    Rows beyond the tensor read as zero and are marked invalid. Holds the DMA unit for valid bytes / DRAM bandwidth,
    16-bit elements.

    ```mlir
    sanger.load_}], what, " %source to %tile : ", types, [{
    ```
  }]);
}
def Sanger_LoadQueryOp : Sanger_LoadOp<"query", 0x12, Sanger_Query,
    [{memref<64x64xf32, #isa.memory<"dram">> to memref<64x64xi16, #isa.memory<"query">>}]> {
  let summary = "Load query rows";
}
def Sanger_LoadKeyOp : Sanger_LoadOp<"key", 0x13, Sanger_Key,
    [{memref<64x64xf32, #isa.memory<"dram">> to memref<64x64xi16, #isa.memory<"key">>}]> {
  let summary = "Load key rows";
}
def Sanger_LoadValueOp : Sanger_LoadOp<"value", 0x14, Sanger_Value,
    [{memref<64x64xf32, #isa.memory<"dram">> to memref<64x64xi16, #isa.memory<"value">>}]> {
  let summary = "Load value rows";
}
def Sanger_LoadBiasOp : Sanger_LoadOp<"bias", 0x15, Sanger_Bias,
    [{memref<1x70xf32, #isa.memory<"dram">> to memref<1x70xf32, #isa.memory<"bias">>}]> {
  let summary = "Load rows of the additive attention mask";
}
def Sanger_StoreOutputOp : Sanger_Op<"store_output", 0x16> {
  let summary = "Store normalised output rows";
  let description = [{
    Invalid rows are not written. Holds the DMA unit for valid bytes / DRAM bandwidth, 16-bit elements.

    ```mlir
    sanger.store_output %tile to %destination : memref<64x64xf32, #isa.memory<"output">> to memref<64x64xf32, #isa.memory<"dram">>
    ```
  }];
  let arguments = (ins Sanger_Output:$source, Sanger_Dram:$destination);
  let assemblyFormat = "$source `to` $destination attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}

} // opDocGroup

//===-- Predict ------------------------------------------------------------===//

def Sanger_PredictGroup : OpDocGroup { let summary = "Predict"; let description = ""; }
let opDocGroup = Sanger_PredictGroup in {

def Sanger_QuantizeQueryOp : Sanger_Op<"quantize_query", 0x18> {
  let summary = "Quantise a query tile to low-bit codes";
  let description = [{
    Holds the quantiser for one cycle (`quantize_cycles`) per row.

    ```mlir
    sanger.quantize_query %q to %codes : memref<64x64xi16, #isa.memory<"query">> to memref<64x64xi8, #isa.memory<"low_query">>
    ```
  }];
  let arguments = (ins Sanger_Query:$source, Sanger_LowQuery:$destination);
  let assemblyFormat = "$source `to` $destination attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}
def Sanger_QuantizeKeyOp : Sanger_Op<"quantize_key", 0x19> {
  let summary = "Quantise a key tile to low-bit codes";
  let description = [{
    Holds the quantiser for one cycle (`quantize_cycles`) per row.

    ```mlir
    sanger.quantize_key %k to %codes : memref<64x64xi16, #isa.memory<"key">> to memref<64x64xi8, #isa.memory<"low_key">>
    ```
  }];
  let arguments = (ins Sanger_Key:$source, Sanger_LowKey:$destination);
  let assemblyFormat = "$source `to` $destination attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}
def Sanger_ScoreOp : Sanger_Op<"score", 0x1a> {
  let summary = "Multiply a tile of query codes by a tile of key codes on the low-bit array";
  let description = [{
    The bias, if there is one, has one row (the same for all queries) or as many rows as the query tile.
    Holds the low-bit array for max(d, 64) cycles; the result is there 128 cycles later.

    ```mlir
    sanger.score %q, %k bias %b to %s : memref<64x16xi8, #isa.memory<"low_query">>, memref<64x16xi8, #isa.memory<"low_key">>, memref<1x64xf32, #isa.memory<"bias">> to memref<64x64xf32, #isa.memory<"score">>
    ```
  }];
  let arguments = (ins Sanger_LowQuery:$query, Sanger_LowKey:$key, Optional<Sanger_Bias>:$bias, Sanger_Score:$score);
  let assemblyFormat = "$query `,` $key (`bias` $bias^)? `to` $score attr-dict `:` type($query) `,` type($key) (`,` type($bias)^)? `to` type($score)";
  let hasVerifier = 1;
}
def Sanger_SoftmaxThresholdOp : Sanger_Op<"softmax_threshold", 0x1b> {
  let summary = "Turn a stripe of scores into mask bits";
  let description = [{
    The score stripe holds all keys of its rows, because the threshold applies to the softmax of the whole row. Holds the
    threshold unit for one cycle (`threshold_cycles`).

    ```mlir
    sanger.softmax_threshold %s to %m : memref<64x128xf32, #isa.memory<"score">> to memref<64x128xi1, #isa.memory<"mask">>
    ```
  }];
  let arguments = (ins Sanger_Score:$scores, Sanger_Mask:$mask);
  let assemblyFormat = "$scores `to` $mask attr-dict `:` type($scores) `to` type($mask)";
  let hasVerifier = 1;
}
def Sanger_SelectAllOp : Sanger_Op<"select_all", 0x1c> {
  let summary = "Set the mask bits of every allowed pair (no prediction)";
  let description = [{
    Dense mode. The first row of the tile in the head is `row`; pairs beyond the tensor or hidden by `causal` stay 0. Holds the
    threshold unit for one cycle (`threshold_cycles`).

    ```mlir
    sanger.select_all %row to %m : memref<64x128xi1, #isa.memory<"mask">>
    ```
  }];
  let arguments = (ins ISA_Index<"first query of the tile">:$row, Sanger_Mask:$mask);
  let assemblyFormat = "$row `to` $mask attr-dict `:` type($mask)";
}
def Sanger_PackSplitOp : Sanger_Op<"pack_split", 0x1d> {
  let summary = "Append the sub-rows of a mask tile to the block list of its stripe";
  let description = [{
    Holds the packer for 64 cycles: one mask column per cycle. `row` is the first query of the tile in the head.

    ```mlir
    sanger.pack_split %row, %m to %blocks : memref<64x64xi1, #isa.memory<"mask">> to memref<1x1xi64, #isa.memory<"blocks">>
    ```
  }];
  let arguments = (ins ISA_Index<"first query of the tile">:$row, Sanger_Mask:$mask, Sanger_Blocks:$blocks);
  let assemblyFormat = "$row `,` $mask `to` $blocks attr-dict `:` type($mask) `to` type($blocks)";
  let hasVerifier = 1;
}
def Sanger_SealBlocksOp : Sanger_Op<"seal_blocks", 0x1e> {
  let summary = "Close the last block of a stripe and count the blocks";
  let description = [{
    Waits for the packer; instructions behind it are issued when the number is known. Holds no unit.

    ```mlir
    %count = sanger.seal_blocks %blocks : memref<1x1xi64, #isa.memory<"blocks">>
    ```
  }];
  let arguments = (ins Sanger_Blocks:$blocks);
  let results = (outs ISA_Counter:$count);
  let assemblyFormat = "$blocks attr-dict `:` type($blocks)";
}

} // opDocGroup

//===-- Compute ------------------------------------------------------------===//

def Sanger_ComputeGroup : OpDocGroup { let summary = "Compute"; let description = ""; }
let opDocGroup = Sanger_ComputeGroup in {

def Sanger_SddmmOp : Sanger_Op<"sddmm", 0x20> {
  let summary = "Compute the scores of the next block into the PEs";
  let description = [{
    Takes the next block of the sealed list. `query` addresses all rows of the head, `key` the stripe; the bias, if there
    is one, has one row or one row per query, and the stripe's columns.
    Holds the array for d + W + H, d + W or d cycles in overlap mode none, partial or full.

    ```mlir
    sanger.sddmm %blocks, %q, %k : memref<1x1xi64, #isa.memory<"blocks">>, memref<128x64xi16, #isa.memory<"query">>, memref<64x64xi16, #isa.memory<"key">>
    ```
  }];
  let arguments = (ins Sanger_Blocks:$blocks, Sanger_Query:$query, Sanger_Key:$key, Optional<Sanger_Bias>:$bias);
  let assemblyFormat = "$blocks `,` $query `,` $key (`bias` $bias^)? attr-dict `:` type($blocks) `,` type($query) `,` type($key) (`,` type($bias)^)?";
  let hasVerifier = 1;
}
def Sanger_ExpOp : Sanger_Op<"exp", 0x21> {
  let summary = "Replace the scores in the PEs by their exponentials";
  let description = [{
    Must follow sddmm on the same block. 3 cycles (0 in overlap mode full).

    ```mlir
    sanger.exp
    ```
  }];
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}
def Sanger_SpmmOp : Sanger_Op<"spmm", 0x22> {
  let summary = "Multiply the scores in the PEs by the value stripe";
  let description = [{
    Must follow exp on the same block. Leaves one partial output row and one row sum per sub-row. Holds the array as long as
    sddmm.

    ```mlir
    sanger.spmm %v : memref<64x64xi16, #isa.memory<"value">>
    ```
  }];
  let arguments = (ins Sanger_Value:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
  let hasVerifier = 1;
}
def Sanger_AccumulateOp : Sanger_Op<"accumulate", 0x23> {
  let summary = "Add the partial rows of the block to the output rows of their queries";
  let description = [{
    Must follow spmm on the same block. Holds the accumulators for d cycles, which end with those of the last partial rows.

    ```mlir
    sanger.accumulate %o : memref<128x64xf32, #isa.memory<"output">>
    ```
  }];
  let arguments = (ins Sanger_Output:$output);
  let assemblyFormat = "$output attr-dict `:` type($output)";
  let hasVerifier = 1;
}
def Sanger_ClearOutputOp : Sanger_Op<"clear_output", 0x24> {
  let summary = "Set output accumulators and row sums to zero";
  let description = [{
    Clears a valid bit per row: holds the accumulators for one cycle per `rows` rows.

    ```mlir
    sanger.clear_output %o : memref<64x64xf32, #isa.memory<"output">>
    ```
  }];
  let arguments = (ins Sanger_Output:$output);
  let assemblyFormat = "$output attr-dict `:` type($output)";
}
def Sanger_NormalizeOp : Sanger_Op<"normalize", 0x25> {
  let summary = "Divide output rows by their row sums";
  let description = [{
    A row whose sum is 0 becomes 0. Holds the dividers for valid elements / `dividers` cycles.

    ```mlir
    sanger.normalize %o : memref<64x64xf32, #isa.memory<"output">>
    ```
  }];
  let arguments = (ins Sanger_Output:$output);
  let assemblyFormat = "$output attr-dict `:` type($output)";
}

} // opDocGroup

#endif // SPARSAM_TARGETS_SANGER
