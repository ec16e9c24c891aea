// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sta.td - the instruction set of STA --------------------------------===//
//
// An Algorithm-Hardware Co-Optimized Framework for Accelerating N:M Sparse Transformers, TVLSI 30(11), 2022, and An
// Efficient Hardware Accelerator for Sparse Transformer Neural Networks, ISCAS 2022. The papers name classes of
// instructions (load and store, sparse and dense products, fused vector operations); the encoding is assumed.
//
#ifndef SPARSAM_TARGETS_STA
#define SPARSAM_TARGETS_STA

include "isa/IsaBase.td"
include "mlir/IR/OpBase.td"

def Sta_Dialect : Dialect {
  let name = "sta";
  let cppNamespace = "::sparsam::sta";
  let summary = "Instructions of the STA accelerator";
  let description = [{
    One matrix engine (DMME) of `engines` x `tile_rows` x `tile_cols` PEs multiplies compressed weights with activations
    (`mm_sd`) and activations with each other (`mm_dd`). A softmax unit, a vector unit and a reshuffle network work on the
    activation memory, so that a layer's intermediate results never leave the chip.

    Words are fixed point with a scale per tensor: `fraction` fields are numbers of fraction bits. With
    `numerics=float` they are not looked at.
  }];
  let dependentDialects = ["::sparsam::isa::IsaDialect"];
  let useDefaultAttributePrinterParser = 1;
}

def Sta_FunctionEnum : I32EnumAttr<"Function", "a function of the vector unit", [
    I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Relu", 1, "relu">, I32EnumAttrCase<"Gelu", 2, "gelu">,
    I32EnumAttrCase<"GeluTanh", 3, "gelu_tanh">]> {
  let cppNamespace = "::sparsam::sta";
  let genSpecializedAttr = 0;
}
def Sta_FunctionAttr : EnumAttr<Sta_Dialect, Sta_FunctionEnum, "function"> { let assemblyFormat = "`<` $value `>`"; }
def Sta_ProductEnum : I32EnumAttr<"Product", "which product of an attention", [
    I32EnumAttrCase<"Scores", 0, "scores">, I32EnumAttrCase<"Context", 1, "context">]> {
  let cppNamespace = "::sparsam::sta";
  let genSpecializedAttr = 0;
}
def Sta_ProductAttr : EnumAttr<Sta_Dialect, Sta_ProductEnum, "product"> { let assemblyFormat = "`<` $value `>`"; }
def Sta_LayoutEnum : I32EnumAttr<"Layout", "a change of layout", [
    I32EnumAttrCase<"Transpose", 0, "transpose">, I32EnumAttrCase<"MergeHeads", 1, "merge_heads">]> {
  let cppNamespace = "::sparsam::sta";
  let genSpecializedAttr = 0;
}
def Sta_LayoutAttr : EnumAttr<Sta_Dialect, Sta_LayoutEnum, "layout"> { let assemblyFormat = "`<` $value `>`"; }

def Sta_Dram : ISA_Tile<"dram", "tile of a tensor in DRAM">;
def Sta_Values : ISA_Tile<"values", "tile of weight words in the weight memory">;
def Sta_Bitmaps : ISA_Tile<"bitmaps", "tile of weight bitmaps, one element per group">;
def Sta_Activation : ISA_Tile<"activation", "tile of words in the activation memory">;
def Sta_Constants : ISA_Tile<"constants", "row of biases or factors, 32 bits each">;
def Sta_Mask : ISA_Tile<"mask", "rows of the additive attention mask">;

def Sta_Fraction : ISA_UInt<6, 0, 63>;

class Sta_Op<string mnemonic, int opcode, list<Trait> traits = []>
    : ISA_Instruction<Sta_Dialect, mnemonic, opcode, traits>;

//===-- Configuration ------------------------------------------------------===//

def Sta_ConfigGroup : OpDocGroup { let summary = "Configuration"; let description = ""; }
let opDocGroup = Sta_ConfigGroup in {

def Sta_ConfigOp : Sta_Op<"config", 0x10> {
  let summary = "Set the geometry that the program was made for";
  let description = [{
    First instruction of every kernel; the machine refuses a program for another geometry. The shape of the attention is
    for reports. Takes no time.

    ```mlir
    sta.config n 2 m 8 engines 4 rows 16 cols 32 entries 1 heads 12 queries 128 keys 128 causal false
    ```
  }];
  let arguments = (ins ISA_UInt<5, 1, 16>:$n, ISA_UInt<5, 2, 16>:$m, ISA_UInt<7, 1, 64>:$engines,
      ISA_UInt<9, 1, 256>:$rows, ISA_UInt<9, 1, 256>:$cols, ISA_UInt<24, 1, 16777215>:$entries,
      ISA_UInt<16, 1, 65535>:$heads, ISA_UInt<24, 1, 16777215>:$queries, ISA_UInt<24, 1, 16777215>:$keys, ISA_Flag:$causal);
  let assemblyFormat = "`n` $n `m` $m `engines` $engines `rows` $rows `cols` $cols `entries` $entries `heads` $heads `queries` $queries `keys` $keys `causal` $causal attr-dict";
  let hasVerifier = 1;
}

} // opDocGroup

//===-- Transfer -----------------------------------------------------------===//

def Sta_TransferGroup : OpDocGroup { let summary = "Transfer"; let description = ""; }
let opDocGroup = Sta_TransferGroup in {

def Sta_LoadWOp : Sta_Op<"load_w", 0x11, [AttrSizedOperandSegments]> {
  let summary = "Load rows of weights into a slot of the weight memory";
  let description = [{
    Values and, for compressed weights, bitmaps. Holds the weight stream of the DMA unit for
    rows (K / m) (n b + m) / 8 bytes / DRAM bandwidth; without bitmaps for rows K b / 8.

    ```mlir
    sta.load_w %v to %vt map %b to %bt : memref<64x192xi16, #isa.memory<"dram">> to memref<64x192xi16, #isa.memory<"values">>, memref<64x96xui8, #isa.memory<"dram">> to memref<64x96xi8, #isa.memory<"bitmaps">>
    ```
  }];
  let arguments = (ins Sta_Dram:$values, Sta_Values:$value_slot, Optional<Sta_Dram>:$bitmaps, Optional<Sta_Bitmaps>:$bitmap_slot);
  let assemblyFormat = "$values `to` $value_slot (`map` $bitmaps^ `to` $bitmap_slot)? attr-dict `:` type($values) `to` type($value_slot) (`,` type($bitmaps)^ `to` type($bitmap_slot))?";
  let hasVerifier = 1;
}
def Sta_LoadActOp : Sta_Op<"load_act", 0x12> {
  let summary = "Load activations";
  let description = "Rows beyond the tensor read as zero. Holds the activation stream of the DMA unit for 2 bytes per element / DRAM bandwidth.";
  let arguments = (ins Sta_Dram:$source, Sta_Activation:$destination, Sta_Fraction:$fraction);
  let assemblyFormat = "$source `to` $destination `fraction` $fraction attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}
def Sta_StoreActOp : Sta_Op<"store_act", 0x13> {
  let summary = "Store activations";
  let description = "Rows beyond the tensor are not written. Holds the activation stream of the DMA unit for 2 bytes per element / DRAM bandwidth.";
  let arguments = (ins Sta_Activation:$source, Sta_Dram:$destination, Sta_Fraction:$fraction);
  let assemblyFormat = "$source `to` $destination `fraction` $fraction attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}
def Sta_LoadConstOp : Sta_Op<"load_const", 0x14> {
  let summary = "Load a row of biases or factors";
  let description = "Words of 32 bits. Holds the activation stream of the DMA unit for 4 bytes per element / DRAM bandwidth.";
  let arguments = (ins Sta_Dram:$source, Sta_Constants:$destination, Sta_Fraction:$fraction);
  let assemblyFormat = "$source `to` $destination `fraction` $fraction attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}
def Sta_LoadMaskOp : Sta_Op<"load_mask", 0x15> {
  let summary = "Load rows of the additive attention mask";
  let description = "Words of 32 bits with the fraction bits of the scores, saturated. Holds the activation stream of the DMA unit for 4 bytes per element / DRAM bandwidth.";
  let arguments = (ins Sta_Dram:$source, Sta_Mask:$destination, Sta_Fraction:$fraction);
  let assemblyFormat = "$source `to` $destination `fraction` $fraction attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}

} // opDocGroup

//===-- Compute ------------------------------------------------------------===//

def Sta_ComputeGroup : OpDocGroup { let summary = "Compute"; let description = ""; }
let opDocGroup = Sta_ComputeGroup in {

def Sta_MmSdOp : Sta_Op<"mm_sd", 0x18, [AttrSizedOperandSegments]> {
  let summary = "Multiply weights with activations on one tile of the engines";
  let description = [{
    `engines` x `tile_rows` outputs of `tile_cols` tokens. `first` clears the accumulators of the PEs, `last` shifts the
    results out through the vector unit: add the bias, apply the function, add the residual, round to `fraction` bits.
    In between the accumulators stay where they are, so that K may come in pieces. Products lose their last `shift` bits,
    so that sums fit into the 32 bits of an accumulator.

    With bitmaps each PE takes the n activations of a group that its weights belong to: K / m cycles (sparse-dense).
    Without, weights are not compressed and go through the dense path, n at a time: K / n cycles. `last` adds
    rows + cols - 2 cycles of skew and cols of shifting out.

    ```mlir
    sta.mm_sd %w map %b, %x bias %c residual %r to %y fractions 12, 13, 11, 10 shift 0 function<none> first true last true : memref<64x192xi16, #isa.memory<"values">>, memref<64x96xi8, #isa.memory<"bitmaps">>, memref<32x768xi16, #isa.memory<"activation">>, memref<1x64xi32, #isa.memory<"constants">>, memref<32x64xi16, #isa.memory<"activation">> to memref<32x64xi16, #isa.memory<"activation">>
    ```
  }];
  let arguments = (ins Sta_Values:$weights, Optional<Sta_Bitmaps>:$bitmaps, Sta_Activation:$source,
      Optional<Sta_Constants>:$bias, Optional<Sta_Activation>:$residual, Sta_Activation:$destination,
      Sta_Fraction:$source_fraction, Sta_Fraction:$weight_fraction, Sta_Fraction:$residual_fraction,
      Sta_Fraction:$fraction, ISA_UInt<5, 0, 31>:$shift, ISA_Choice<Sta_FunctionAttr, 2>:$function, ISA_Flag:$first, ISA_Flag:$last);
  let assemblyFormat = "$weights (`map` $bitmaps^)? `,` $source (`bias` $bias^)? (`residual` $residual^)? `to` $destination `fractions` $source_fraction `,` $weight_fraction `,` $residual_fraction `,` $fraction `shift` $shift `function` `` $function `first` $first `last` $last attr-dict `:` type($weights) (`map` type($bitmaps)^)? `,` type($source) (`bias` type($bias)^)? (`residual` type($residual)^)? `to` type($destination)";
  let hasVerifier = 1;
}

def Sta_MmDdOp : Sta_Op<"mm_dd", 0x19> {
  let summary = "Multiply activations of several heads, one head per engine";
  let description = [{
    `scores`: a [r, heads x K] times b [c, heads x K] transposed, scaled, to [heads x r, c]. `context`: a [heads x r, K]
    times b [heads x c, K] transposed to [heads x r, c]. The selectors are bypassed:
    ceil(r / tile_rows) ceil(c / tile_cols) (ceil(K / n) + rows + cols - 2 + cols) cycles.

    ```mlir
    sta.mm_dd<scores> %q, %k to %s heads 4 scale 0.125 fractions 12, 12, 11 shift 0 : memref<16x256xi16, #isa.memory<"activation">>, memref<128x256xi16, #isa.memory<"activation">> to memref<64x128xi16, #isa.memory<"activation">>
    ```
  }];
  let arguments = (ins ISA_Choice<Sta_ProductAttr, 1>:$product, Sta_Activation:$a, Sta_Activation:$b, Sta_Activation:$destination,
      ISA_UInt<7, 1, 64>:$heads, ISA_Float:$scale, Sta_Fraction:$a_fraction, Sta_Fraction:$b_fraction, Sta_Fraction:$fraction, ISA_UInt<5, 0, 31>:$shift);
  let assemblyFormat = "`` $product $a `,` $b `to` $destination `heads` $heads `scale` $scale `fractions` $a_fraction `,` $b_fraction `,` $fraction `shift` $shift attr-dict `:` type($a) `,` type($b) `to` type($destination)";
  let hasVerifier = 1;
}

def Sta_SoftmaxOp : Sta_Op<"softmax", 0x1a> {
  let summary = "Softmax of rows of scores, in place";
  let description = [{
    Row i belongs to query `query` + i mod (rows / heads). The mask, of one row or one per query, is added first; with
    `causal`, keys beyond query + `offset` are hidden. Takes rows ceil(cols / softmax_lanes) + softmax_levels cycles.

    ```mlir
    sta.softmax %s mask %m query %i heads 4 causal false offset 0 fractions 11, 15 : memref<64x128xi16, #isa.memory<"activation">>, memref<1x128xi32, #isa.memory<"mask">>
    ```
  }];
  let arguments = (ins Sta_Activation:$scores, Optional<Sta_Mask>:$mask, ISA_Index<"number of the first query">:$query,
      ISA_UInt<7, 1, 64>:$heads, ISA_Flag:$causal, ISA_UInt<24, 0, 16777215>:$offset, Sta_Fraction:$fraction,
      Sta_Fraction:$out_fraction);
  let assemblyFormat = "$scores (`mask` $mask^)? `query` $query `heads` $heads `causal` $causal `offset` $offset `fractions` $fraction `,` $out_fraction attr-dict `:` type($scores) (`,` type($mask)^)?";
  let hasVerifier = 1;
}

def Sta_LayerNormOp : Sta_Op<"layer_norm", 0x1b> {
  let summary = "Normalise rows";
  let description = [{
    (x - mean) / sqrt(variance + epsilon) * scale + bias, in two passes of ceil(elements / vector_lanes) cycles and
    `vector_latency`.

    ```mlir
    sta.layer_norm %x, %g bias %b to %y epsilon 1.0e-5 fractions 11, 14, 12 : memref<32x768xi16, #isa.memory<"activation">>, memref<1x768xi32, #isa.memory<"constants">>, memref<1x768xi32, #isa.memory<"constants">> to memref<32x768xi16, #isa.memory<"activation">>
    ```
  }];
  let arguments = (ins Sta_Activation:$source, Sta_Constants:$scale, Optional<Sta_Constants>:$bias, Sta_Activation:$destination,
      ISA_Float:$epsilon, Sta_Fraction:$source_fraction, Sta_Fraction:$scale_fraction, Sta_Fraction:$fraction);
  let assemblyFormat = "$source `,` $scale (`bias` $bias^)? `to` $destination `epsilon` $epsilon `fractions` $source_fraction `,` $scale_fraction `,` $fraction attr-dict `:` type($source) `,` type($scale) (`,` type($bias)^)? `to` type($destination)";
  let hasVerifier = 1;
}

def Sta_ReshuffleOp : Sta_Op<"reshuffle", 0x1c> {
  let summary = "Move a tile into another layout";
  let description = [{
    `transpose`: [t, c] to [c, t]. `merge_heads`: [heads x t, c] to [t, heads x c]. (Splitting heads needs no work: address
    generators read the columns of a head.) One row of the activation memory, tile_cols x m elements, per cycle.

    ```mlir
    sta.reshuffle<transpose> %v to %vt heads 4 : memref<32x256xi16, #isa.memory<"activation">> to memref<256x32xi16, #isa.memory<"activation">>
    ```
  }];
  let arguments = (ins ISA_Choice<Sta_LayoutAttr, 1>:$layout, Sta_Activation:$source, Sta_Activation:$destination, ISA_UInt<7, 1, 64>:$heads);
  let assemblyFormat = "`` $layout $source `to` $destination `heads` $heads attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}

} // opDocGroup

#endif // SPARSAM_TARGETS_STA
