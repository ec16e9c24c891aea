// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - passes of the STA target -------------------------------===//
#ifndef SPARSAM_TARGETS_STA_PASSES
#define SPARSAM_TARGETS_STA_PASSES

include "mlir/Pass/PassBase.td"

def FormLayers : Pass<"sta-form-layers", "::mlir::ModuleOp"> {
  let summary = "Mark the encoder layers that run on STA, one kernel each";
  let description = [{
    From every `sattn.attention` it looks up to the linear layers that make Q, K and V (and, in models that normalise
    first, the normalisation before them), and down to the output projection, the normalisations and the two linear layers
    of the feed-forward block. What it finds gets `sattn.target` and `sattn.kernel`. Where the linear layers are not found,
    the attention becomes a kernel of its own; a remark says why.

    Then it runs `sattn-prune-weights` on these layers, with n and m of the machine, or with everything kept if `dense`.

    ```
    sparsam-opt --isa-set-target="target=sta" --sta-form-layers --sattn-sparsify --sattn-partition --lower-to-sta
    ```
  }];
  let options = [Option<"dense", "dense", "bool", "false", "Keep all weights">];
  let dependentDialects = ["::sparsam::sattn::SattnDialect"];
}

def LowerToSta : Pass<"lower-to-sta", "::mlir::ModuleOp"> {
  let summary = "Lower kernels of whole encoder layers to STA instructions";
  let description = [{
    Takes every `isa.kernel` for STA from tensor form to machine form. Linear layers become loops over tiles of outputs, each
    with its weights in one of two slots, and over tiles of tokens; attention becomes loops over groups of heads, one per
    engine, and tiles of queries, with the scores of a tile made before the context of the one before. All values of a layer
    are pages of the activation memory; a page is used again when its value is no longer needed.

    Arguments that no instruction needs (shapes of reshapes) are dropped from the kernel and its launch.
  }];
  let dependentDialects = ["::sparsam::isa::IsaDialect", "::sparsam::sta::StaDialect"];
}

#endif // SPARSAM_TARGETS_STA_PASSES
