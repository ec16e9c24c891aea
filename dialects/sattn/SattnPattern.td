// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SattnPattern.td - windows, dilations and global tokens -------------===//
//
// Selection that is known at compile time. Included by SattnOps.td.
//
#ifndef SPARSAM_SATTN_PATTERN
#define SPARSAM_SATTN_PATTERN

//===-- Policy -------------------------------------------------------------===//

def Sattn_PatternAttr : Sattn_Attr<"Pattern", "pattern",
    [DeclareAttrInterfaceMethods<Sattn_SelectionPolicyAttrInterface, ["replacesMask"]>]> {
  let summary = "Keep sliding windows, dilated windows and global tokens";
  let description = [{
    SALO (DAC 2022), Longformer, ViL. A window (offset, width, dilation) lets query i see the keys i + offset,
    i + offset + dilation, and so on, `width` of them; keys outside of the sequence do not exist. A global token sees every
    token and is seen by all; where there are any, queries and keys are the same tokens. Windows share no offset and ascend, as globals do. With `segments`, the sequence is cut into
    as many equal parts, and a window sees only keys of the query's own part; globals see all of them.

    ```mlir
    #sattn.pattern<windows = [(-256, 512, 1)], globals = [0]>
    #sattn.pattern<windows = [(-1, 3, 1)], globals = [], segments = 2>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"::sparsam::sattn::Window">:$windows, ArrayRefParameter<"int64_t">:$globals,
      DefaultValuedParameter<"int64_t", "1">:$segments);
  let assemblyFormat = "`<` struct(custom<Windows>($windows), custom<Globals>($globals), $segments) `>`";
  let genVerifyDecl = 1;
}

//===-- Ops ----------------------------------------------------------------===//

def Sattn_PatternMaskOp : Sattn_Op<"pattern_mask"> {
  let summary = "Make the mask of a pattern of windows and global tokens";
  let description = [{
    Folds where the mask is small enough to be a constant.

    ```mlir
    %m = sattn.pattern_mask <windows = [(-1, 3, 1)], globals = []> : tensor<1x1x4x4xi1>
    ```
  }];
  let arguments = (ins Sattn_PatternAttr:$pattern);
  let results = (outs Sattn_MaskTensor4:$selection);
  let assemblyFormat = "$pattern attr-dict `:` type($selection)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Sattn_ReorderOp : Sattn_Op<"reorder", [AllTypesMatch<["input", "output"]>]> {
  let summary = "Order tokens by their residue modulo a dilation";
  let description = [{
    Of n tokens, a multiple of `dilation`, the result holds 0, dilation, 2 dilation, ... first, then 1, 1 + dilation, and so
    on: windows of this dilation become plain windows within n / dilation tokens. `inverse` puts them back. Folds on a
    constant, and where one undoes the other.

    ```mlir
    %y = sattn.reorder %x by 2 : tensor<1x1x8x4xf32>
    %z = sattn.reorder %y by 2 inverse : tensor<1x1x8x4xf32>
    ```
  }];
  let arguments = (ins Sattn_F32Tensor4:$input, ConfinedAttr<I64Attr, [IntMinValue<1>]>:$dilation, UnitAttr:$inverse);
  let results = (outs Sattn_F32Tensor4:$output);
  let assemblyFormat = "$input `by` $dilation (`inverse` $inverse^)? attr-dict `:` type($input)";
  let builders = [OpBuilder<(ins "::mlir::Value":$input, "int64_t":$dilation, "bool":$inverse), [{
    build($_builder, $_state, input, $_builder.getI64IntegerAttr(dilation),
          inverse ? $_builder.getUnitAttr() : ::mlir::UnitAttr());
  }]>];
  let hasVerifier = 1;
  let hasFolder = 1;
}

#endif // SPARSAM_SATTN_PATTERN
