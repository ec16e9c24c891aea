// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- OnnxShapeOps.td - constants, shapes and what moves elements --------===//
#ifndef SPARSAM_ONNX_SHAPE_OPS
#define SPARSAM_ONNX_SHAPE_OPS

include "onnx/OnnxBase.td"

//===-- Constants ----------------------------------------------------------===//

def Onnx_ConstantOp : Op<Onnx_Dialect, "Constant", [Pure, ConstantLike, AllTypesMatch<["value", "output"]>]> {
  let summary = "Hold a tensor";
  let description = [{
    Weights are resources over the mapped model file; what folds is dense.

    ```mlir
    %c = onnx.Constant dense<[1, 16, -1]> : tensor<3xi64>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Onnx_Tensor:$output);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}
def Onnx_NoneOp : Op<Onnx_Dialect, "None", [Pure]> {
  let summary = "Stand for an optional input that is missing";
  let description = [{
    ```mlir
    %none = onnx.None : none
    ```
  }];
  let results = (outs NoneType:$output);
  let assemblyFormat = "attr-dict `:` type($output)";
}
def Onnx_ConstantOfShapeOp : Onnx_Op<"ConstantOfShape", "constantOfShape", "move"> {
  let summary = "Repeat one value";
  let description = [{
    `value` has one element; without it that is 0.0.

    ```mlir
    %y = onnx.ConstantOfShape %shape {value = dense<1> : tensor<1xi64>} : (tensor<2xi64>) -> tensor<2x4xi64>
    ```
  }];
  let arguments = (ins Onnx_IndexTensor:$input, OptionalAttr<ElementsAttr>:$value);
  let results = (outs Onnx_Tensor:$output);
}
def Onnx_RangeOp : Onnx_Op<"Range", "range", "move"> {
  let summary = "Count from a start to a limit";
  let description = [{
    ```mlir
    %y = onnx.Range %start, %limit, %delta : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<8xi64>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$start, Onnx_Tensor:$limit, Onnx_Tensor:$delta);
  let results = (outs Onnx_Tensor:$output);
}
def Onnx_ShapeOp : Onnx_Op<"Shape", "shape", "move"> {
  let summary = "Take the shape of a tensor";
  let description = [{
    ```mlir
    %y = onnx.Shape %x : (tensor<2x4xf32>) -> tensor<2xi64>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$data, DefaultValuedAttr<I64Attr, "0">:$start, OptionalAttr<I64Attr>:$end);
  let results = (outs Onnx_Tensor:$shape);
}
def Onnx_SizeOp : Onnx_Op<"Size", "size", "move"> {
  let summary = "Count the elements of a tensor";
  let description = [{
    ```mlir
    %y = onnx.Size %x : (tensor<2x4xf32>) -> tensor<i64>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$data);
  let results = (outs Onnx_Tensor:$size);
}

//===-- The same elements --------------------------------------------------===//

def Onnx_IdentityOp : Onnx_Op<"Identity", "unary", "same"> {
  let summary = "Return the operand";
  let description = [{
    ```mlir
    %y = onnx.Identity %x : (tensor<2x4xf32>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$input);
  let results = (outs Onnx_Tensor:$output);
}
def Onnx_ReshapeOp : Onnx_Op<"Reshape", "reshape", "same"> {
  let summary = "Give the same elements another shape";
  let description = [{
    `shape` is a constant; 0 keeps the operand's dimension unless `allowzero`, one -1 is computed.

    ```mlir
    %y = onnx.Reshape %x, %shape : (tensor<2x8xf32>, tensor<2xi64>) -> tensor<4x4xf32>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$data, Onnx_IndexTensor:$shape, DefaultValuedAttr<I64Attr, "0">:$allowzero);
  let results = (outs Onnx_Tensor:$reshaped);
  let hasCanonicalizeMethod = 1;
}
def Onnx_SqueezeOp : Onnx_Op<"Squeeze", "squeeze", "same"> {
  let summary = "Remove dimensions of size one";
  let description = [{
    ```mlir
    %y = onnx.Squeeze %x, %axes : (tensor<2x1x4xf32>, tensor<1xi64>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$data, Onnx_OptionalIndexTensor:$axes);
  let results = (outs Onnx_Tensor:$squeezed);
}
def Onnx_UnsqueezeOp : Onnx_Op<"Unsqueeze", "unsqueeze", "same"> {
  let summary = "Insert dimensions of size one";
  let description = [{
    ```mlir
    %y = onnx.Unsqueeze %x, %axes : (tensor<2x4xf32>, tensor<1xi64>) -> tensor<2x1x4xf32>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$data, Onnx_IndexTensor:$axes);
  let results = (outs Onnx_Tensor:$expanded);
}
def Onnx_FlattenOp : Onnx_Op<"Flatten", "flatten", "same"> {
  let summary = "Merge dimensions into two";
  let description = [{
    ```mlir
    %y = onnx.Flatten %x {axis = 1 : i64} : (tensor<2x4x8xf32>) -> tensor<2x32xf32>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$input, DefaultValuedAttr<I64Attr, "1">:$axis);
  let results = (outs Onnx_Tensor:$output);
}

//===-- Other places -------------------------------------------------------===//

def Onnx_TransposeOp : Onnx_Op<"Transpose", "transpose", "move"> {
  let summary = "Permute dimensions";
  let description = [{
    Dimension i of the result is dimension `perm[i]` of the operand; without `perm` the order is reversed.

    ```mlir
    %y = onnx.Transpose %x {perm = array<i64: 0, 2, 1>} : (tensor<2x4x8xf32>) -> tensor<2x8x4xf32>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$data, OptionalAttr<DenseI64ArrayAttr>:$perm);
  let results = (outs Onnx_Tensor:$transposed);
  let hasCanonicalizeMethod = 1;
}
def Onnx_ExpandOp : Onnx_Op<"Expand", "expand", "move"> {
  let summary = "Broadcast to a shape";
  let description = [{
    ```mlir
    %y = onnx.Expand %x, %shape : (tensor<1x4xf32>, tensor<2xi64>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$input, Onnx_IndexTensor:$shape);
  let results = (outs Onnx_Tensor:$output);
}
def Onnx_TileOp : Onnx_Op<"Tile", "tile", "move"> {
  let summary = "Repeat along dimensions";
  let description = [{
    ```mlir
    %y = onnx.Tile %x, %repeats : (tensor<2x4xf32>, tensor<2xi64>) -> tensor<4x4xf32>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$input, Onnx_IndexTensor:$repeats);
  let results = (outs Onnx_Tensor:$output);
}
def Onnx_SliceOp : Onnx_Op<"Slice", "slice", "move"> {
  let summary = "Cut out a range";
  let description = [{
    All but the data are constants.

    ```mlir
    %y = onnx.Slice %x, %starts, %ends, %axes, %steps
        : (tensor<2x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$data, Onnx_IndexTensor:$starts, Onnx_IndexTensor:$ends,
      Onnx_OptionalIndexTensor:$axes, Onnx_OptionalIndexTensor:$steps);
  let results = (outs Onnx_Tensor:$output);
}
def Onnx_GatherOp : Onnx_Op<"Gather", "gather", "move"> {
  let summary = "Pick entries by index";
  let description = [{
    ```mlir
    %y = onnx.Gather %table, %tokens {axis = 0 : i64} : (tensor<100x16xf32>, tensor<2x8xi64>) -> tensor<2x8x16xf32>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$data, Onnx_IndexTensor:$indices, DefaultValuedAttr<I64Attr, "0">:$axis);
  let results = (outs Onnx_Tensor:$output);
}
def Onnx_ConcatOp : Onnx_Op<"Concat", "concat", "move"> {
  let summary = "Join along an axis";
  let description = [{
    ```mlir
    %y = onnx.Concat %a, %b {axis = 0 : i64} : (tensor<1xi64>, tensor<2xi64>) -> tensor<3xi64>
    ```
  }];
  let arguments = (ins Variadic<Onnx_Tensor>:$inputs, I64Attr:$axis);
  let results = (outs Onnx_Tensor:$concat_result);
}
def Onnx_SplitOp : Onnx_Op<"Split", "split"> {
  let summary = "Cut along an axis";
  let description = [{
    `split` is a constant; without it the parts are equal.

    ```mlir
    %y:2 = onnx.Split %x, %none {axis = 1 : i64} : (tensor<2x8xf32>, none) -> (tensor<2x4xf32>, tensor<2x4xf32>)
    ```
  }];
  let arguments = (ins Onnx_Tensor:$input, Onnx_OptionalIndexTensor:$split, DefaultValuedAttr<I64Attr, "0">:$axis,
      OptionalAttr<I64Attr>:$num_outputs);
  let results = (outs Variadic<Onnx_Tensor>:$outputs);
}
def Onnx_TriluOp : Onnx_Op<"Trilu", "unary", "move"> {
  let summary = "Keep the upper or lower triangle";
  let description = [{
    Elements on the other side of diagonal `k` (0 if none) become 0.

    ```mlir
    %y = onnx.Trilu %x, %none {upper = 0 : i64} : (tensor<4x4xf32>, none) -> tensor<4x4xf32>
    ```
  }];
  let arguments = (ins Onnx_Tensor:$input, Onnx_OptionalIndexTensor:$k, DefaultValuedAttr<I64Attr, "1">:$upper);
  let results = (outs Onnx_Tensor:$output);
}

#endif // SPARSAM_ONNX_SHAPE_OPS
