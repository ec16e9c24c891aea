// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Pipelines.h - the named pipelines from a model to a program --------===//
#ifndef SPARSAM_PIPELINES_H
#define SPARSAM_PIPELINES_H

#include "sparsam/Target.h"

#include "mlir/Pass/PassManager.h"

namespace sparsam {

/// How attention is treated.
enum class AttentionMode {
  sparse,    ///< the target's selection policy
  dense,     ///< on the target, keeping every pair
  host,      ///< not on a target: dense attention on the host
  calibrate, ///< as host; the runtime collects statistics of Q and K
};

struct PipelineOptions {
  AttentionMode attention = AttentionMode::sparse;
  /// Settings per attention core by name ("attention_0"), from calibration; they override the
  /// module's parameters.
  std::map<std::string, std::map<std::string, double>> calibration;
};

/// onnx -> sattn: fold shapes, fuse sub-graphs, raise attention and linear layers. Operators in a
/// form that nothing can run are errors, or kept.
void buildRaisePipeline(mlir::OpPassManager &pm, bool keepsRefused = false);

/// sattn -> machine form: sparsify, partition, decompose, lower to `target`, allocate buffers. Null
/// target: attention stays on the host.
void buildCompilePipeline(mlir::OpPassManager &pm, const Target *target,
                          const PipelineOptions &options);

/// Registers both as `sparsam-raise` and `sparsam-compile` for sparsam-opt.
void registerPipelines();

/// A module with one sattn.attention of the given shapes (inputs `q`, `k`, `v`, optional additive
/// `mask` [batch, 1, 1, keys], output `out`), for `sparsam attention` and `simulate`.
mlir::OwningOpRef<mlir::ModuleOp> buildAttentionModule(mlir::MLIRContext *context, int64_t batch,
                                                       int64_t heads, int64_t queries, int64_t keys,
                                                       int64_t headDim, bool hasMask);

} // namespace sparsam

#endif // SPARSAM_PIPELINES_H
