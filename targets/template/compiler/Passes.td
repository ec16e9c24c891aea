// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - passes of the template target --------------------------===//
#ifndef SPARSAM_TARGETS_TEMPLATE_PASSES
#define SPARSAM_TARGETS_TEMPLATE_PASSES

include "mlir/Pass/PassBase.td"

def LowerToTemplate : Pass<"lower-to-template", "::mlir::ModuleOp"> {
  let summary = "Lower kernels of dense attention to instructions of the template machine";
  let description = [{
    Takes every `isa.kernel` for this machine that holds one `sattn.attention` with policy `#sattn.dense` to machine form:
    loops over batch entries, heads, query tiles and key tiles. A query tile is loaded once, key and value tiles stream
    past it through two slots each, and the finished output tile is stored.

    ```
    sparsam-opt --isa-set-target="target=template" --sattn-sparsify --sattn-partition --lower-to-template
    ```
  }];
  let dependentDialects = ["::sparsam::isa::IsaDialect", "::sparsam::template_::TemplateDialect"];
}

#endif // SPARSAM_TARGETS_TEMPLATE_PASSES
