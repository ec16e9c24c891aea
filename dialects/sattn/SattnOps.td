// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SattnOps.td - sparse attention and compressed linear algebra -------===//
#ifndef SPARSAM_SATTN_OPS
#define SPARSAM_SATTN_OPS

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "sattn/SattnEnums.td"
include "sattn/SattnInterfaces.td"

def Sattn_Dialect : Dialect {
  let name = "sattn";
  let cppNamespace = "::sparsam::sattn";
  let summary = "Sparse attention and compressed linear algebra";
  let description = [{
    Attention is `sattn.attention` with a selection policy; decomposed, it is quantize, predict and select, which make
    a mask, then sddmm, softmax and spmm over the mask. Tensors are `[batch, heads, queries, keys]` (masks, scores) and
    `[batch, heads, tokens, head size]` (Q, K, V, outputs). An encoding step is always an op: on a constant it folds at
    compile time, otherwise it is lowered to the unit that does it at run time.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"]; // folded tensors become arith.constant
}

class Sattn_Op<string mnemonic, list<Trait> traits = []> : Op<Sattn_Dialect, mnemonic, traits # [Pure]>;
class Sattn_Attr<string name, string mnem, list<Trait> traits = []> : AttrDef<Sattn_Dialect, name, traits> {
  let mnemonic = mnem;
}

// A double that attributes can be compared and hashed by.
def Sattn_Real : AttrOrTypeParameter<"::sparsam::sattn::Real", "real number">;

def Sattn_ActivationAttr : EnumAttr<Sattn_Dialect, Sattn_Activation, "activation"> {
  let assemblyFormat = "`<` $value `>`";
}
def Sattn_EmptyRowAttr : EnumAttr<Sattn_Dialect, Sattn_EmptyRow, "empty_row"> {
  let assemblyFormat = "`<` $value `>`";
}
def Sattn_EncoderAttr : EnumAttr<Sattn_Dialect, Sattn_Encoder, "encoder"> {
  let assemblyFormat = "`<` $value `>`";
}

def Sattn_F32Tensor : RankedTensorOf<[F32]>;
def Sattn_F32Tensor4 : TensorRankOf<[F32], [4]>;
def Sattn_F32Tensor2 : TensorRankOf<[F32], [2]>;
def Sattn_IndexTensor2 : TensorRankOf<[I64], [2]>;
def Sattn_CodeTensor4 : TensorRankOf<[I8], [4]>;
def Sattn_MaskTensor4 : TensorRankOf<[I1], [4]>;
def Sattn_CountTensor : TensorRankOf<[I64], [0]>; // a number of tokens, known when the program runs

//===-- Policies -----------------------------------------------------------===//

def Sattn_DenseAttr : Sattn_Attr<"Dense", "dense", [DeclareAttrInterfaceMethods<Sattn_SelectionPolicyAttrInterface>]> {
  let summary = "Keep every pair";
  let description = [{
    ```mlir
    #sattn.dense
    ```
  }];
}

def Sattn_LowBitThresholdAttr : Sattn_Attr<"LowBitThreshold", "low_bit_threshold",
    [DeclareAttrInterfaceMethods<Sattn_SelectionPolicyAttrInterface>]> {
  let summary = "Keep pairs whose probability, predicted from low-bit Q and K, exceeds a threshold";
  let description = [{
    Sanger (MICRO 2021): quantise Q and K to `bits` signed bits with the static ranges `q_range` and `k_range`
    (each token divided by its 2-norm first if `normalize`), softmax the product, keep what is strictly greater than
    `threshold`. Ranges come from calibration; 0 means not calibrated yet.

    ```mlir
    #sattn.low_bit_threshold<bits = 4, threshold = 2.000000e-03, normalize = true, q_range = 5.000000e-01, k_range = 5.000000e-01, empty_row = dense>
    ```
  }];
  let parameters = (ins "int64_t":$bits, Sattn_Real:$threshold, "bool":$normalize, Sattn_Real:$q_range,
      Sattn_Real:$k_range, EnumParameter<Sattn_EmptyRow>:$empty_row);
  let assemblyFormat = "`<` struct($bits, custom<Real>($threshold), $normalize, custom<Real>($q_range), custom<Real>($k_range), $empty_row) `>`";
  let genVerifyDecl = 1;
}

//===-- Weight encodings ----------------------------------------------------===//

def Sattn_NmAttr : Sattn_Attr<"Nm", "nm", [DeclareAttrInterfaceMethods<Sattn_WeightEncodingAttrInterface>]> {
  let summary = "Keep n of every m consecutive inputs of each output, with a bitmap per group";
  let description = [{
    N:M sparsity by magnitude: the n largest of every m weights along the inputs, of equal ones those at lower
    positions. A group is stored as n words of `bits` bits, positions ascending, and a bitmap of m bits, bit 0 for the
    first position; with n = m there are no bitmaps. Words of 8 and 16 bits are fixed point with `fraction` fraction
    bits, rounded half away from zero and saturated; words of 32 bits are floats.

    ```mlir
    #sattn.nm<n = 2, m = 8, bits = 16, fraction = 12>
    ```
  }];
  let parameters = (ins "int64_t":$n, "int64_t":$m, "int64_t":$bits, "int64_t":$fraction);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

//===-- Types --------------------------------------------------------------===//

def Sattn_PackedType : TypeDef<Sattn_Dialect, "Packed"> {
  let mnemonic = "packed";
  let summary = "A mask, packed and split into blocks";
  let description = [{
    `shape` is that of the mask, [batch, heads, queries, keys]. Each stripe of `stripe` keys holds blocks of at most `rows`
    sub-rows, each with at most `pes` kept keys of one query (encoder `subrow`), or column ranges in which no query keeps
    more than `pes` keys (encoder `column_cut`).

    ```mlir
    !sattn.packed<1x12x512x512, stripe = 64, pes = 16, rows = 64, encoder = subrow>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"int64_t", "mask shape">:$shape, "int64_t":$stripe, "int64_t":$pes,
      "int64_t":$rows, EnumParameter<Sattn_Encoder>:$encoder);
  let assemblyFormat = "`<` custom<PackedShape>($shape) `,` `stripe` `=` $stripe `,` `pes` `=` $pes `,` `rows` `=` $rows `,` `encoder` `=` $encoder `>`";
  let genVerifyDecl = 1;
}

// What sddmm, softmax and spmm run over: a mask or its packed form.
def Sattn_Selection : AnyTypeOf<[Sattn_MaskTensor4, Sattn_PackedType], "mask tensor or packed mask">;

//===-- High level ---------------------------------------------------------===//

def Sattn_AttentionOp : Sattn_Op<"attention", [AttrSizedOperandSegments, AttrSizedResultSegments]> {
  let summary = "Attend from queries to keys and mix values, over a selection of pairs";
  let description = [{
    `softmax(scale * Q K^T + mask + causal) V` over the pairs that `policy` keeps. `mask` is added to the scores and may be
    broadcast in any of its four dimensions; `causal` lets query i see keys up to i + keys - queries.

    With `token_scores`, [batch, keys], the importance of each token is accumulated: the result is the operand plus the
    sum of the token's probabilities over all heads and queries. With `head_scores`, [batch, heads], that of each head:
    plus the sum of the magnitudes of its output. Each result is there exactly when its operand is. Probabilities count as
    they are before a policy prunes values.

    `valid` is the number of keys that exist, for caches that are not full: keys from there on are hidden and never
    read, and `causal` counts from `valid` instead of from all keys.

    ```mlir
    %o = sattn.attention %q, %k, %v mask %m {scale = 1.250000e-01 : f32, policy = #sattn.dense}
        : tensor<1x12x512x64xf32>, tensor<1x12x512x64xf32>, tensor<1x12x512x64xf32>, tensor<1x1x1x512xf32> -> tensor<1x12x512x64xf32>
    %p, %t, %h = sattn.attention %q, %k, %v token_scores %t0 head_scores %h0 {scale = 1.250000e-01 : f32, policy = #sattn.dense}
        : tensor<1x12x512x64xf32>, tensor<1x12x512x64xf32>, tensor<1x12x512x64xf32> token_scores tensor<1x512xf32> head_scores tensor<1x12xf32>
        -> tensor<1x12x512x64xf32> token_scores tensor<1x512xf32> head_scores tensor<1x12xf32>
    %c = sattn.attention %q1, %k, %v valid %n {scale = 1.250000e-01 : f32, policy = #sattn.dense}
        : tensor<1x12x1x64xf32>, tensor<1x12x512x64xf32>, tensor<1x12x512x64xf32> valid tensor<i64> -> tensor<1x12x1x64xf32>
    ```
  }];
  let arguments = (ins Sattn_F32Tensor4:$query, Sattn_F32Tensor4:$key, Sattn_F32Tensor4:$value,
      Optional<Sattn_F32Tensor4>:$mask, Optional<Sattn_F32Tensor2>:$token_scores, Optional<Sattn_F32Tensor2>:$head_scores,
      Optional<Sattn_CountTensor>:$valid, F32Attr:$scale, UnitAttr:$causal, Sattn_SelectionPolicyAttrInterface:$policy);
  let results = (outs Sattn_F32Tensor4:$output, Optional<Sattn_F32Tensor2>:$new_token_scores,
      Optional<Sattn_F32Tensor2>:$new_head_scores);
  let assemblyFormat = "$query `,` $key `,` $value (`mask` $mask^)? (`token_scores` $token_scores^)? (`head_scores` $head_scores^)? (`valid` $valid^)? attr-dict `:` type($query) `,` type($key) `,` type($value) (`,` type($mask)^)? (`token_scores` type($token_scores)^)? (`head_scores` type($head_scores)^)? (`valid` type($valid)^)? `->` type($output) (`token_scores` type($new_token_scores)^)? (`head_scores` type($new_head_scores)^)?";
  let builders = [
    // Without scores, over all keys.
    OpBuilder<(ins "::mlir::Type":$output, "::mlir::Value":$query, "::mlir::Value":$key, "::mlir::Value":$value,
        "::mlir::Value":$mask, "::mlir::FloatAttr":$scale, "::mlir::UnitAttr":$causal,
        "::sparsam::sattn::SelectionPolicyAttrInterface":$policy),
      [{ build($_builder, $_state, output, ::mlir::Type(), ::mlir::Type(), query, key, value, mask, ::mlir::Value(),
               ::mlir::Value(), ::mlir::Value(), scale, causal, policy); }]>,
  ];
  let hasVerifier = 1;
}

def Sattn_LinearOp : Sattn_Op<"linear", [AttrSizedOperandSegments]> {
  let summary = "Multiply by a weight matrix, add bias and residual, apply an activation";
  let description = [{
    `activation(x W + bias) + residual` with x of shape [..., K] and W of shape [K, N] ([N, K] if `transpose_weight`).

    ```mlir
    %y = sattn.linear %x, %w bias %b {activation = #sattn.activation<gelu>}
        : tensor<1x8x16xf32>, tensor<16x32xf32>, tensor<32xf32> -> tensor<1x8x32xf32>
    %z = sattn.linear %x, %w residual %r
        : tensor<1x8x16xf32>, tensor<16x32xf32> residual tensor<1x8x32xf32> -> tensor<1x8x32xf32>
    ```
  }];
  let arguments = (ins Sattn_F32Tensor:$input, Sattn_F32Tensor:$weight, Optional<Sattn_F32Tensor>:$bias,
      Optional<Sattn_F32Tensor>:$residual,
      DefaultValuedAttr<Sattn_ActivationAttr, "::sparsam::sattn::Activation::None">:$activation,
      UnitAttr:$transpose_weight);
  let results = (outs Sattn_F32Tensor:$output);
  let assemblyFormat = "$input `,` $weight (`bias` $bias^)? (`residual` $residual^)? attr-dict `:` type($input) `,` type($weight) (`,` type($bias)^)? (`residual` type($residual)^)? `->` type($output)";
  let hasVerifier = 1;
}

include "sattn/SattnCacheOps.td"

//===-- Compressed weights --------------------------------------------------===//

// Words and bitmaps of encoded weights.
def Sattn_WordTensor : RankedTensorOf<[I8, I16, F32]>;
def Sattn_BitmapTensor : RankedTensorOf<[UI8, UI16]>;

def Sattn_NmCompressOp : Sattn_Op<"nm_compress"> {
  let summary = "Prune a weight matrix to N:M by magnitude and compress it";
  let description = [{
    `values` are the kept weights as words of the encoding, [outputs, inputs / m * n]; `bitmaps` has one number per
    group, [outputs, inputs / m], and is not there where n = m. The weight is [inputs, outputs], or [outputs, inputs]
    if `transpose_weight`. Folds on a constant.

    ```mlir
    %values, %bitmaps = sattn.nm_compress %w as <n = 2, m = 8, bits = 16, fraction = 12> {transpose_weight}
        : tensor<4x16xf32> -> tensor<4x4xi16>, tensor<4x2xui8>
    ```
  }];
  let arguments = (ins Sattn_F32Tensor:$weight, Sattn_NmAttr:$encoding, UnitAttr:$transpose_weight);
  let results = (outs Sattn_WordTensor:$values, Optional<Sattn_BitmapTensor>:$bitmaps);
  let assemblyFormat = "$weight `as` $encoding attr-dict `:` type($weight) `->` type(results)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Sattn_NmExpandOp : Sattn_Op<"nm_expand"> {
  let summary = "Recover the pruned matrix from its compressed form";
  let description = [{
    Positions that are not in a bitmap are 0. Never folds: the compressed form is the smaller one.

    ```mlir
    %w = sattn.nm_expand %values, %bitmaps as <n = 2, m = 8, bits = 16, fraction = 12> {transpose_weight}
        : tensor<4x4xi16>, tensor<4x2xui8> -> tensor<4x16xf32>
    ```
  }];
  let arguments = (ins Sattn_WordTensor:$values, Optional<Sattn_BitmapTensor>:$bitmaps, Sattn_NmAttr:$encoding,
      UnitAttr:$transpose_weight);
  let results = (outs Sattn_F32Tensor:$weight);
  let assemblyFormat = "operands `as` $encoding attr-dict `:` type(operands) `->` type($weight)";
  let hasVerifier = 1;
}

//===-- Decomposed: making the mask ----------------------------------------===//

def Sattn_QuantizeOp : Sattn_Op<"quantize"> {
  let summary = "Quantise to low-bit symmetric codes";
  let description = [{
    `code = clamp(round_half_even(x' * (2^(bits-1) - 1) / range))` in [-(2^(bits-1)-1), 2^(bits-1)-1], with
    `x' = x / ||x||_2` per token where `normalize` is set and x otherwise. `norms` are the 2-norms, [batch, heads, tokens, 1],
    and 1 without `normalize`. A token of norm 0 has codes 0.

    ```mlir
    %codes, %norms = sattn.quantize %q bits 4 range 1.4 normalize : tensor<1x1x4x2xf32> -> tensor<1x1x4x2xi8>, tensor<1x1x4x1xf32>
    ```
  }];
  let arguments = (ins Sattn_F32Tensor4:$input, ConfinedAttr<I64Attr, [IntMinValue<2>, IntMaxValue<8>]>:$bits,
      F64Attr:$range, UnitAttr:$normalize);
  let results = (outs Sattn_CodeTensor4:$codes, Sattn_F32Tensor4:$norms);
  let assemblyFormat = "$input `bits` $bits `range` $range (`normalize` $normalize^)? attr-dict `:` type($input) `->` type($codes) `,` type($norms)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Sattn_PredictOp : Sattn_Op<"predict"> {
  let summary = "Predict attention probabilities from codes";
  let description = [{
    `softmax_j((Qi Ki^T / q_scale / k_scale) * nq nk * scale + mask + causal)`, where Qi Ki^T is an integer product.
    With `causal`, query i has probability 0 for keys beyond i + keys - queries. A row in which every score is -inf or
    hidden has probability 0 everywhere. Folds on constants.

    ```mlir
    %p = sattn.predict %qc, %nq, %kc, %nk {q_scale = 5.0 : f64, k_scale = 5.0 : f64, scale = 0.70710678 : f32}
        : tensor<1x1x4x2xi8>, tensor<1x1x4x1xf32>, tensor<1x1x4x2xi8>, tensor<1x1x4x1xf32> -> tensor<1x1x4x4xf32>
    ```
  }];
  let arguments = (ins Sattn_CodeTensor4:$query, Sattn_F32Tensor4:$query_norms, Sattn_CodeTensor4:$key,
      Sattn_F32Tensor4:$key_norms, Optional<Sattn_F32Tensor4>:$mask, F64Attr:$q_scale, F64Attr:$k_scale,
      F32Attr:$scale, UnitAttr:$causal);
  let results = (outs Sattn_F32Tensor4:$probabilities);
  let hasFolder = 1;
  let assemblyFormat = "$query `,` $query_norms `,` $key `,` $key_norms (`mask` $mask^)? attr-dict `:` type($query) `,` type($query_norms) `,` type($key) `,` type($key_norms) (`,` type($mask)^)? `->` type($probabilities)";
  let hasVerifier = 1;
}

def Sattn_SelectOp : Sattn_Op<"select"> {
  let summary = "Keep pairs whose probability is strictly greater than a threshold";
  let description = [{
    A row that keeps nothing follows `empty_row`: every pair with probability > 0, none, or its largest (the first of
    equals; none if all are 0). Folds on a constant.

    ```mlir
    %m = sattn.select %p threshold 2.000000e-01 empty_row<dense> : tensor<1x1x4x4xf32> -> tensor<1x1x4x4xi1>
    ```
  }];
  let arguments = (ins Sattn_F32Tensor4:$probabilities, F64Attr:$threshold, Sattn_EmptyRowAttr:$empty_row);
  let results = (outs Sattn_MaskTensor4:$selection);
  let assemblyFormat = "$probabilities `threshold` $threshold `empty_row` `` $empty_row attr-dict `:` type($probabilities) `->` type($selection)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Sattn_SelectAllOp : Sattn_Op<"select_all"> {
  let summary = "Keep every pair, or every pair that causality allows";
  let description = [{
    With `causal`, query i keeps keys up to i + keys - queries.

    ```mlir
    %m = sattn.select_all {causal} : tensor<1x1x4x4xi1>
    ```
  }];
  let arguments = (ins UnitAttr:$causal);
  let results = (outs Sattn_MaskTensor4:$selection);
  let assemblyFormat = "attr-dict `:` type($selection)";
  let hasVerifier = 1;
}

def Sattn_PackSplitOp : Sattn_Op<"pack_split"> {
  let summary = "Pack and split a mask into blocks with at most `pes` kept keys per row";
  let description = [{
    Encoder `subrow` (Sanger, MICRO 2021, section 4): within each stripe of keys, empty sub-rows are skipped and long ones
    split, full segments first, and every `rows` sub-rows make a block. Encoder `column_cut` (the published RTL): rows
    are neither skipped nor split; each group of `rows` queries is read column by column, and a block ends before the
    column in which some query would keep more than `pes` keys. Folds when the mask is a constant.

    ```mlir
    %b = sattn.pack_split %m : tensor<1x1x4x4xi1> -> !sattn.packed<1x1x4x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
    ```
  }];
  let arguments = (ins Sattn_MaskTensor4:$mask);
  let results = (outs Sattn_PackedType:$packed);
  let assemblyFormat = "$mask attr-dict `:` type($mask) `->` qualified(type($packed))";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Sattn_UnpackOp : Sattn_Op<"unpack"> {
  let summary = "Recover the mask from its blocks";
  let description = [{
    Folds on a constant and on the result of a `sattn.pack_split`.

    ```mlir
    %m = sattn.unpack %b : !sattn.packed<1x1x4x4, stripe = 4, pes = 2, rows = 4, encoder = subrow> -> tensor<1x1x4x4xi1>
    ```
  }];
  let arguments = (ins Sattn_PackedType:$packed);
  let results = (outs Sattn_MaskTensor4:$mask);
  let assemblyFormat = "$packed attr-dict `:` qualified(type($packed)) `->` type($mask)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Sattn_PackedConstantOp : Sattn_Op<"packed_constant", [ConstantLike]> {
  let summary = "Hold the blocks of a mask that is known at compile time";
  let description = [{
    `subrows` has one row per sub-row, ordered by its first three columns: index of the head (batch * heads + head), stripe,
    block within the stripe (from 0, without gaps), query, then `pes` columns within the stripe (ascending, -1 where
    unused). With encoder `subrow` queries ascend within a stripe; with `column_cut` each block covers its own range of
    columns of one group of `rows` queries.

    ```mlir
    %b = sattn.packed_constant dense<[[0, 0, 0, 0, 0, -1], [0, 0, 0, 1, 1, 3]]> : tensor<2x6xi32> : !sattn.packed<1x1x2x4, stripe = 4, pes = 2, rows = 4, encoder = subrow>
    ```
  }];
  let arguments = (ins ElementsAttr:$subrows);
  let results = (outs Sattn_PackedType:$packed);
  let assemblyFormat = "$subrows attr-dict `:` qualified(type($packed))";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===-- Decomposed: over the mask ------------------------------------------===//

def Sattn_SddmmOp : Sattn_Op<"sddmm"> {
  let summary = "Compute scaled scores of the selected pairs";
  let description = [{
    `scale * q_i . k_j + mask` where (i, j) is selected; other elements of the result are 0 and not looked at.

    ```mlir
    %s = sattn.sddmm %q, %k over %m {scale = 1.0 : f32}
        : tensor<1x1x4x2xf32>, tensor<1x1x4x2xf32>, tensor<1x1x4x4xi1> -> tensor<1x1x4x4xf32>
    ```
  }];
  let arguments = (ins Sattn_F32Tensor4:$query, Sattn_F32Tensor4:$key, Sattn_Selection:$selection,
      Optional<Sattn_F32Tensor4>:$mask, F32Attr:$scale);
  let results = (outs Sattn_F32Tensor4:$scores);
  let assemblyFormat = "$query `,` $key `over` $selection (`mask` $mask^)? attr-dict `:` type($query) `,` type($key) `,` type($selection) (`,` type($mask)^)? `->` type($scores)";
  let hasVerifier = 1;
}

def Sattn_SoftmaxOp : Sattn_Op<"softmax"> {
  let summary = "Normalise the selected scores of each row";
  let description = [{
    A row without selected pairs gives zeros. On the accelerators the division is deferred until after spmm.

    ```mlir
    %p = sattn.softmax %s over %m : tensor<1x1x4x4xf32>, tensor<1x1x4x4xi1> -> tensor<1x1x4x4xf32>
    ```
  }];
  let arguments = (ins Sattn_F32Tensor4:$scores, Sattn_Selection:$selection);
  let results = (outs Sattn_F32Tensor4:$probabilities);
  let assemblyFormat = "$scores `over` $selection attr-dict `:` type($scores) `,` type($selection) `->` type($probabilities)";
  let hasVerifier = 1;
}

def Sattn_SpmmOp : Sattn_Op<"spmm"> {
  let summary = "Mix the values of the selected keys";
  let description = [{
    `output_i = sum of probability_ij * value_j` over the selected (i, j).

    ```mlir
    %o = sattn.spmm %p, %v over %m : tensor<1x1x4x4xf32>, tensor<1x1x4x2xf32>, tensor<1x1x4x4xi1> -> tensor<1x1x4x2xf32>
    ```
  }];
  let arguments = (ins Sattn_F32Tensor4:$probabilities, Sattn_F32Tensor4:$value, Sattn_Selection:$selection);
  let results = (outs Sattn_F32Tensor4:$output);
  let assemblyFormat = "$probabilities `,` $value `over` $selection attr-dict `:` type($probabilities) `,` type($value) `,` type($selection) `->` type($output)";
  let hasVerifier = 1;
}

include "sattn/SattnTokens.td"
include "sattn/SattnPattern.td"

#endif // SPARSAM_SATTN_OPS
