// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - the reference interpreter as a pass --------------------===//
#ifndef SPARSAM_REFERENCE_PASSES
#define SPARSAM_REFERENCE_PASSES

include "mlir/Pass/PassBase.td"

def Interpret : Pass<"sattn-interpret", "::mlir::ModuleOp"> {
  let summary = "Run every function without arguments with the reference semantics";
  let description = [{
    Executes constants, `sattn` ops, launches of kernels in tensor form and `check` ops, in plain floating point; other ops
    are errors. `check.print` writes to standard output; an expectation that does not hold is an error. The module is left
    as it is. A module without a function to run is an error, so that a test cannot pass by running nothing.

    With `inputs` it runs one function instead, on tensors from .npy files, one per argument, and prints its results, or
    with `outputs` writes them, every bit of them, to .npy files, one per result:

    ```
    sparsam-opt attention.mlir --sattn-interpret="inputs=q.npy,k.npy,v.npy outputs=o.npy"
    ```

    ```mlir
    func.func @keeps_what_exceeds_the_threshold() {
      %p = arith.constant dense<[[[[0.6, 0.3, 0.1]]]]> : tensor<1x1x1x3xf32>
      %m = sattn.select %p threshold 0.2 empty_row<dense> : tensor<1x1x1x3xf32> -> tensor<1x1x1x3xi1>
      check.print %m "mask" : tensor<1x1x1x3xi1>
      return
    }
    ```

    prints `mask: tensor<1x1x1x3xi1>` and the row `110`.
  }];
  let options = [
    ListOption<"inputs", "inputs", "std::string", ".npy files, one per argument of the function">,
    ListOption<"outputs", "outputs", "std::string", ".npy files for the results of the function">,
    Option<"function", "function", "std::string", "\"main\"", "The function to run on `inputs`">,
  ];
}

#endif // SPARSAM_REFERENCE_PASSES
