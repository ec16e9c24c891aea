// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SattnTokens.td - rank tokens, keep some, put results back ----------===//
//
// What attention that prunes tokens or heads across layers is made of. How many survive is static, so that shapes shrink
// statically; which ones is known at run time alone. Included by SattnOps.td.
//
#ifndef SPARSAM_SATTN_TOKENS
#define SPARSAM_SATTN_TOKENS

//===-- Policy -------------------------------------------------------------===//

def Sattn_ProgressiveAttr : Sattn_Attr<"Progressive", "progressive",
    [DeclareAttrInterfaceMethods<Sattn_SelectionPolicyAttrInterface, ["buildValueSelection"]>]> {
  let summary = "Keep every pair, but mix only the values of the largest probabilities; fetch Q and K bit by bit";
  let description = [{
    SpAtten (HPCA 2021). Of each row of probabilities the `values` largest keep their value; they are not normalised
    again. Keys are fetched with `msb` bits first, and with all `msb + lsb` bits where no probability reaches `threshold`;
    values have `value_bits`. Ranges come from calibration; 0 means not calibrated yet. Bits and ranges are a matter of the
    machine's arithmetic: the reference semantics computes in float and prunes values alone.

    ```mlir
    #sattn.progressive<msb = 8, lsb = 4, value_bits = 8, threshold = 1.000000e-01, values = 40, q_range = 4.000000e+00, k_range = 4.000000e+00, v_range = 2.000000e+00>
    ```
  }];
  let parameters = (ins "int64_t":$msb, "int64_t":$lsb, "int64_t":$value_bits, Sattn_Real:$threshold, "int64_t":$values,
      Sattn_Real:$q_range, Sattn_Real:$k_range, Sattn_Real:$v_range);
  let assemblyFormat = "`<` struct($msb, $lsb, $value_bits, custom<Real>($threshold), $values, custom<Real>($q_range), custom<Real>($k_range), custom<Real>($v_range)) `>`";
  let genVerifyDecl = 1;
}

//===-- Ops ----------------------------------------------------------------===//

def Sattn_TopKOp : Sattn_Op<"top_k"> {
  let summary = "Find the positions of the largest scores of each row";
  let description = [{
    With theta the k-th largest score of a row: the positions of all scores above theta and of the first of those equal
    to it, `k` in total, in ascending order. Positions in `protect` (from the end where negative) are always among them; the
    others compete for what is left. A NaN counts as smaller than every number. Folds on a constant.

    ```mlir
    %i = sattn.top_k %s {k = 3 : i64, protect = array<i64: 0>} : tensor<1x5xf32> -> tensor<1x3xi64>
    ```
  }];
  let arguments = (ins Sattn_F32Tensor2:$scores, ConfinedAttr<I64Attr, [IntMinValue<1>]>:$k,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$protect);
  let results = (outs Sattn_IndexTensor2:$indices);
  let assemblyFormat = "$scores attr-dict `:` type($scores) `->` type($indices)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Sattn_GatherOp : Sattn_Op<"gather"> {
  let summary = "Keep some positions of a dimension, of each batch entry its own";
  let description = [{
    `result[b, ..., j, ...] = input[b, ..., indices[b, j], ...]` with j in dimension `dim`. An input whose first dimension is 1
    serves all batch entries. Where there is one batch entry, `dim` may be 0. Folds on constants.

    ```mlir
    %y = sattn.gather %x, %i {dim = 1 : i64} : tensor<1x5x8xf32>, tensor<1x3xi64> -> tensor<1x3x8xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$input, Sattn_IndexTensor2:$indices,
      ConfinedAttr<I64Attr, [IntMinValue<0>]>:$dim);
  let results = (outs AnyRankedTensor:$output);
  let assemblyFormat = "$input `,` $indices attr-dict `:` type($input) `,` type($indices) `->` type($output)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Sattn_ScatterOp : Sattn_Op<"scatter"> {
  let summary = "Put positions of a dimension back to where they came from, zeros elsewhere";
  let description = [{
    The inverse of `sattn.gather`: `result[b, ..., indices[b, j], ...] = input[b, ..., j, ...]`. Folds on constants.

    ```mlir
    %x = sattn.scatter %y, %i {dim = 1 : i64} : tensor<1x3x8xf32>, tensor<1x3xi64> -> tensor<1x5x8xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$input, Sattn_IndexTensor2:$indices,
      ConfinedAttr<I64Attr, [IntMinValue<0>]>:$dim);
  let results = (outs AnyRankedTensor:$output);
  let assemblyFormat = "$input `,` $indices attr-dict `:` type($input) `,` type($indices) `->` type($output)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Sattn_SelectLargestOp : Sattn_Op<"select_largest"> {
  let summary = "Keep the largest probabilities of each row";
  let description = [{
    At most `k` of each row, and none that is 0, chosen as by `sattn.top_k`. Folds on a constant.

    ```mlir
    %m = sattn.select_largest %p {k = 2 : i64} : tensor<1x1x4x4xf32> -> tensor<1x1x4x4xi1>
    ```
  }];
  let arguments = (ins Sattn_F32Tensor4:$probabilities, ConfinedAttr<I64Attr, [IntMinValue<1>]>:$k);
  let results = (outs Sattn_MaskTensor4:$selection);
  let assemblyFormat = "$probabilities attr-dict `:` type($probabilities) `->` type($selection)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

#endif // SPARSAM_SATTN_TOKENS
