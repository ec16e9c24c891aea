// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CheckOps.td - expectations inside of test programs -----------------===//
#ifndef SPARSAM_CHECK_OPS
#define SPARSAM_CHECK_OPS

include "mlir/IR/OpBase.td"

def Check_Dialect : Dialect {
  let name = "check";
  let cppNamespace = "::sparsam::check";
  let summary = "Expectations inside of test programs";
  let description = [{
    A program that checks itself holds its inputs, what it runs and what it expects. `sparsam-opt --sattn-interpret` runs
    it; an expectation that does not hold is an error at its line.
  }];
}

class Check_Op<string mnemonic, list<Trait> traits = []> : Op<Check_Dialect, mnemonic, traits>;

def Check_ExpectCloseOp : Check_Op<"expect_close", [SameTypeOperands]> {
  let summary = "Expect two float tensors to differ by at most `max_abs` in every element";
  let description = [{
    A NaN is close to nothing; equal infinities are close.

    ```mlir
    check.expect_close %actual, %expected max_abs 1.000000e-05 : tensor<1x1x4x2xf32>
    ```
  }];
  let arguments = (ins RankedTensorOf<[F32]>:$actual, RankedTensorOf<[F32]>:$expected, F64Attr:$max_abs);
  let assemblyFormat = "$actual `,` $expected `max_abs` $max_abs attr-dict `:` type($actual)";
  let hasVerifier = 1;
}

def Check_ExpectEqualOp : Check_Op<"expect_equal", [SameTypeOperands]> {
  let summary = "Expect two values to be identical";
  let description = [{
    Takes tensors, and every other type that the interpreter holds values of, such as packed masks.

    ```mlir
    check.expect_equal %actual, %expected : tensor<1x1x4x4xi1>
    ```
  }];
  let arguments = (ins AnyType:$actual, AnyType:$expected);
  let assemblyFormat = "$actual `,` $expected attr-dict `:` type($actual)";
}

def Check_PrintOp : Check_Op<"print"> {
  let summary = "Print a value under a label";
  let description = [{
    Prints the label, the type and the elements, one row of the last dimension per line: floats with four digits after
    the point, masks as rows of 0 and 1.

    ```mlir
    check.print %mask "mask" : tensor<1x1x4x4xi1>
    ```
  }];
  let arguments = (ins AnyType:$value, StrAttr:$label);
  let assemblyFormat = "$value $label attr-dict `:` type($value)";
}

#endif // SPARSAM_CHECK_OPS
