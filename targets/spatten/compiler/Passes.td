// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - passes of the SpAtten target ---------------------------===//
#ifndef SPARSAM_TARGETS_SPATTEN_PASSES
#define SPARSAM_TARGETS_SPATTEN_PASSES

include "mlir/Pass/PassBase.td"

def LowerToSpatten : Pass<"lower-to-spatten", "::mlir::ModuleOp"> {
  let summary = "Lower kernels of attention and rankings to SpAtten instructions";
  let description = [{
    Takes every `isa.kernel` for SpAtten from tensor form, one `sattn.attention` with the `sattn.top_k` that rank its scores
    and the `sattn.gather` that pick its keys and values, to machine form: `spatten.config`, loops over batch entries, heads
    and queries, and one `spatten.query` in the innermost. Where there are many queries per head, keys and values are loaded
    to SRAM once per head; a single query has them streaming.

    A context that does not fit the SRAM twice (it is a double buffer) is an error, as are values of another width than
    queries, and bit widths that the DRAM layout does not have.

    ```
    sparsam-opt --isa-set-target="target=spatten settings=tx=4,ty=4,tz=4" --sattn-sparsify --sattn-partition --lower-to-spatten
    ```
  }];
  let dependentDialects = ["::sparsam::isa::IsaDialect", "::sparsam::spatten::SpattenDialect"];
}

def SpattenPrune : Pass<"spatten-prune", "::mlir::ModuleOp"> {
  let summary = "Prune tokens and heads across layers by SpAtten's schedule";
  let description = [{
    Works out how many tokens and heads live in each attention core, from the parameters in `isa.arch`, and applies
    `sattn-cascade` with these counts. Schedule `linear` is the paper's rule: the front layers prune nothing, and behind them
    the pruned part of what lives grows linearly around its average, where counts are rounded down. `gpt2_small` and
    `gpt2_medium` are published counts for single models, relative to a context of `max_context`.

    With `token_prune=0.25`, `prune_slope=0` and four layers, the first of which prunes nothing, 8 tokens become 8, 6, 4, 3.
  }];
  let dependentDialects = ["::sparsam::sattn::SattnDialect", "::sparsam::onnx::OnnxDialect", "::mlir::arith::ArithDialect"];
}

#endif // SPARSAM_TARGETS_SPATTEN_PASSES
