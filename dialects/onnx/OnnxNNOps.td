// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- OnnxNNOps.td - normalisation, reduction and attention --------------===//
#ifndef SPARSAM_ONNX_NN_OPS
#define SPARSAM_ONNX_NN_OPS

include "onnx/OnnxBase.td"

def Onnx_SoftmaxOp : Onnx_Op<"Softmax", "alongAxis"> {
  let summary = "Normalise exponentials along an axis";
  let description = [{
    ```mlir
    %y = onnx.Softmax %x {axis = -1 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$input, DefaultValuedAttr<I64Attr, "-1">:$axis);
  let results = (outs Onnx_Tensor:$output);
}
def Onnx_LogSoftmaxOp : Onnx_Op<"LogSoftmax", "alongAxis"> {
  let summary = "Take the logarithm of softmax";
  let description = [{
    ```mlir
    %y = onnx.LogSoftmax %x {axis = -1 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$input, DefaultValuedAttr<I64Attr, "-1">:$axis);
  let results = (outs Onnx_Tensor:$output);
}
def Onnx_LayerNormalizationOp : Onnx_Op<"LayerNormalization", "alongAxis"> {
  let summary = "Normalise to mean 0 and variance 1, then scale and shift";
  let description = [{
    Over the dimensions from `axis` on: `(x - mean) / sqrt(variance + epsilon) * scale + bias`. `onnx-fuse` makes it of the
    sub-graph that exporters of older opsets emit.

    ```mlir
    %y = onnx.LayerNormalization %x, %scale, %bias {axis = -1 : i64, epsilon = 1.0e-12 : f32}
        : (tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X, Onnx_FloatTensor:$Scale, Onnx_OptionalFloatTensor:$B,
      DefaultValuedAttr<I64Attr, "-1">:$axis, DefaultValuedAttr<F32Attr, "1e-5f">:$epsilon);
  let results = (outs Onnx_Tensor:$Y);
}

class Onnx_ReduceOp<string mnemonic, string what, Constraint tensor = Onnx_FloatTensor> : Onnx_Op<mnemonic, "reduce"> {
  let summary = what;
  let description = "\nOver `axes`, a constant; without it over all dimensions, or none with `noop_with_empty_axes`.\n\n```mlir\n%y = onnx."
      # mnemonic # " %x, %axes {keepdims = 1 : i64} : (tensor<2x4xf32>, tensor<1xi64>) -> tensor<2x1xf32>\n```\n";
  let arguments = (ins tensor:$data, Onnx_OptionalIndexTensor:$axes,
      DefaultValuedAttr<I64Attr, "1">:$keepdims, DefaultValuedAttr<I64Attr, "0">:$noop_with_empty_axes);
  let results = (outs Onnx_Tensor:$reduced);
}
def Onnx_ReduceMeanOp : Onnx_ReduceOp<"ReduceMean", "Take the mean over dimensions">;
def Onnx_ReduceSumOp : Onnx_ReduceOp<"ReduceSum", "Sum over dimensions", Onnx_NumberTensor>;
def Onnx_ReduceMaxOp : Onnx_ReduceOp<"ReduceMax", "Take the largest over dimensions">;

def Onnx_ArgMaxOp : Onnx_Op<"ArgMax", "argMax"> {
  let summary = "Find the index of the largest along an axis";
  let description = [{
    ```mlir
    %y = onnx.ArgMax %x {axis = -1 : i64, keepdims = 0 : i64} : (tensor<2x4xf32>) -> tensor<2xi64>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$data, DefaultValuedAttr<I64Attr, "0">:$axis,
      DefaultValuedAttr<I64Attr, "1">:$keepdims, DefaultValuedAttr<I64Attr, "0">:$select_last_index);
  let results = (outs Onnx_Tensor:$reduced);
}
def Onnx_CumSumOp : Onnx_Op<"CumSum", "unary", "move"> {
  let summary = "Sum up along an axis";
  let description = [{
    `axis` is a constant.

    ```mlir
    %y = onnx.CumSum %x, %axis : (tensor<2x4xi64>, tensor<i64>) -> tensor<2x4xi64>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$x, Onnx_IndexTensor:$axis, DefaultValuedAttr<I64Attr, "0">:$exclusive,
      DefaultValuedAttr<I64Attr, "0">:$reverse);
  let results = (outs Onnx_Tensor:$y);
}
def Onnx_DropoutOp : Onnx_Op<"Dropout", "unary", "same"> {
  let summary = "Do nothing: what dropout is in inference";
  let description = [{
    ```mlir
    %y = onnx.Dropout %x : (tensor<2x4xf32>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$data);
  let results = (outs Onnx_Tensor:$output);
}

//===-- Attention as one operator ------------------------------------------===//

def Onnx_AttentionOp : Onnx_Op<"Attention", "attention"> {
  let summary = "Attend, as the operator of opset 23";
  let description = [{
    Q, K and V are [batch, heads, tokens, size], or [batch, tokens, heads * size] with `q_num_heads` and `kv_num_heads`. The
    mask is added, or hides where it is false. Past keys and values are not supported; without them, query i of a causal
    attention sees keys up to i.

    ```mlir
    %none = onnx.None : none
    %y = onnx.Attention %q, %k, %v, %none {is_causal = 1 : i64}
        : (tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, none) -> tensor<1x2x8x16xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$Q, Onnx_FloatTensor:$K, Onnx_FloatTensor:$V, Onnx_OptionalTensor:$attn_mask,
      DefaultValuedAttr<I64Attr, "0">:$is_causal, OptionalAttr<I64Attr>:$q_num_heads,
      OptionalAttr<I64Attr>:$kv_num_heads, OptionalAttr<F32Attr>:$scale, DefaultValuedAttr<F32Attr, "0.0f">:$softcap,
      DefaultValuedAttr<I64Attr, "0">:$qk_matmul_output_mode, OptionalAttr<I64Attr>:$softmax_precision);
  let results = (outs Onnx_Tensor:$Y);
}
def Onnx_MSAttentionOp : Onnx_Op<"MSAttention", "msAttention"> {
  let summary = "Project to Q, K and V, and attend (Attention of com.microsoft)";
  let description = [{
    `weights` [size, 3 * hidden] and `bias` [3 * hidden] hold the projections side by side. `mask_index` is
    [batch, tokens] or [batch, tokens, tokens] with 0 where hidden, or [batch], the number of valid tokens, or
    [2 * batch], where they end and then where they begin. `attention_bias` is added to the scores. Past keys and values
    are not supported.

    ```mlir
    %y = onnx.MSAttention %x, %w, %b, %none, %none {num_heads = 2 : i64}
        : (tensor<1x8x32xf32>, tensor<32x96xf32>, tensor<96xf32>, none, none) -> tensor<1x8x32xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$input, Onnx_FloatTensor:$weights, Onnx_OptionalFloatTensor:$bias,
      Onnx_OptionalIndexTensor:$mask_index, Onnx_OptionalFloatTensor:$attention_bias, I64Attr:$num_heads,
      DefaultValuedAttr<I64Attr, "0">:$unidirectional, OptionalAttr<F32Attr>:$scale,
      OptionalAttr<F32Attr>:$mask_filter_value);
  let results = (outs Onnx_Tensor:$output);
}
def Onnx_MSMultiHeadAttentionOp : Onnx_Op<"MSMultiHeadAttention", "msMultiHeadAttention"> {
  let summary = "Attend between projected Q, K and V (MultiHeadAttention of com.microsoft)";
  let description = [{
    Query, key and value are [batch, tokens, hidden]; `bias` [3 * hidden] is added to them; `attention_bias` is added to
    the scores. `key_padding_mask` is [batch, keys] or [batch, queries, keys] with 0 where hidden, or [batch], the number
    of valid keys.

    ```mlir
    %y = onnx.MSMultiHeadAttention %q, %k, %v, %none, %none, %none {num_heads = 2 : i64}
        : (tensor<1x8x32xf32>, tensor<1x8x32xf32>, tensor<1x8x32xf32>, none, none, none) -> tensor<1x8x32xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$query, Onnx_FloatTensor:$key, Onnx_FloatTensor:$value,
      Onnx_OptionalFloatTensor:$bias, Onnx_OptionalIndexTensor:$key_padding_mask, Onnx_OptionalFloatTensor:$attention_bias,
      I64Attr:$num_heads, DefaultValuedAttr<I64Attr, "0">:$unidirectional, OptionalAttr<F32Attr>:$scale,
      OptionalAttr<F32Attr>:$mask_filter_value);
  let results = (outs Onnx_Tensor:$output);
}

#endif // SPARSAM_ONNX_NN_OPS
