// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - passes of the Sanger target ----------------------------===//
#ifndef SPARSAM_TARGETS_SANGER_PASSES
#define SPARSAM_TARGETS_SANGER_PASSES

include "mlir/Pass/PassBase.td"

def LowerToSanger : Pass<"lower-to-sanger", "::mlir::ModuleOp"> {
  let summary = "Lower kernels of decomposed, packed attention to Sanger instructions";
  let description = [{
    Takes every `isa.kernel` for Sanger from tensor form, as `sattn-decompose` and `sattn-pack-split` leave it, to machine
    form: `sanger.config` with the prediction's parameters, loops over heads, row tiles and stripes, loads, prediction,
    packing, and score-stationary sddmm, exp, spmm and accumulate over each block.

    Where the query and key buffers hold two heads, the prediction of head h+1 is issued before the sparse part of head h.
    An additive mask is loaded once, once per batch entry, or once per head, as its shape asks. What the machine cannot
    do is an error: a constant selection, values of another width than queries, a mask without columns per key.

    ```
    sparsam-opt --isa-set-target="target=sanger settings=tx=0.5,ty=0.5" --sattn-sparsify --sattn-partition
                --sattn-decompose --sattn-pack-split --lower-to-sanger
    ```
  }];
  let dependentDialects = ["::sparsam::isa::IsaDialect", "::sparsam::sanger::SangerDialect"];
}

#endif // SPARSAM_TARGETS_SANGER_PASSES
