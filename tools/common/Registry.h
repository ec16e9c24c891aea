// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Registry.h - everything that a tool of ours knows ------------------===//
#ifndef SPARSAM_TOOLS_COMMON_REGISTRY_H
#define SPARSAM_TOOLS_COMMON_REGISTRY_H

#include "sparsam/Target.h"

#include "runtime/arch/Arch.h"
#include "runtime/kernel/Machine.h"

#include "mlir/IR/DialectRegistry.h"

namespace sparsam {

/// Registers the dialects of the compiler and of all targets.
void registerDialects(mlir::DialectRegistry &registry);

/// Makes passes and pipelines known to the pass parser.
void registerPasses();

/// Fills the process-wide registry of targets, and gives passes the parameters of arch.yaml. Called
/// once by main.
void registerTargets();

/// The models of all targets that were built.
const runtime::ModelRegistry &modelRegistry();

/// The parameters of a target: its defaults, then a preset (unless empty), then `name=value`
/// settings in order. Errors name the target, preset or setting and what there is instead.
runtime::Result<runtime::Arch> resolveArch(const std::string &target, const std::string &preset,
                                           const std::vector<std::string> &settings);

/// The same parameters as the compiler sees them.
isa::ArchAttr toAttribute(mlir::MLIRContext *context, const runtime::Arch &arch);

} // namespace sparsam

#endif // SPARSAM_TOOLS_COMMON_REGISTRY_H
