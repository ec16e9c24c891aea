// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - choose the machine to compile for ----------------------===//
#ifndef SPARSAM_TARGET_PASSES
#define SPARSAM_TARGET_PASSES

include "mlir/Pass/PassBase.td"

def SetTarget : Pass<"isa-set-target", "::mlir::ModuleOp"> {
  let summary = "Set the machine that the module is compiled for";
  let description = [{
    Sets the module's `isa.arch` to the parameters of a target: the defaults of its arch.yaml, then a preset, then
    single settings.

    ```
    sparsam-opt --isa-set-target="target=NAME settings=pes=32,threshold=0.01"
    ```
  }];
  let dependentDialects = ["::sparsam::isa::IsaDialect"];
  let options = [
    Option<"target", "target", "std::string", "", "Name of the target">,
    Option<"preset", "preset", "std::string", "", "Preset of the target's arch.yaml">,
    ListOption<"settings", "settings", "std::string", "Parameters, name=value">,
  ];
}

#endif // SPARSAM_TARGET_PASSES
