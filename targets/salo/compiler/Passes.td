// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - passes of the SALO target ------------------------------===//
#ifndef SPARSAM_TARGETS_SALO_PASSES
#define SPARSAM_TARGETS_SALO_PASSES

include "mlir/Pass/PassBase.td"

def CheckSaloSettings : Pass<"salo-check-settings", "::mlir::ModuleOp"> {
  let summary = "Warn of parameters of patterns that nothing follows";
  let description = [{
    The parameters `window`, `dilation` and `global_tokens` make the pattern of attention without a mask; where
    `sattn-find-pattern` has found one in the model's mask, that one stays. `dilation` and `global_tokens` act only where
    `window` is set.

    ```
    sparsam-opt --isa-set-target="target=salo settings=window=8" --sattn-find-pattern --salo-check-settings
    ```
  }];
}

def LowerToSalo : Pass<"lower-to-salo", "::mlir::ModuleOp"> {
  let summary = "Lower kernels of attention with a pattern to SALO instructions";
  let description = [{
    Takes every `isa.kernel` for SALO from tensor form, as `sattn-reorder-dilated` and `sattn-split-windows` leave it, to
    machine form: loops over heads, segments, tiles of queries and passes, each of which loads a slice of keys and values,
    attends, and merges. `sattn.reorder` becomes an address: the tokens of a segment lie `segments` rows apart in DRAM.

    A global token takes part in passes that are there anyway: its key in the first, its query where the keys that pass
    the last row are all keys. More global tokens than the array has global rows and columns cost passes of their own; keys
    that windows too narrow never show that row cost passes of the first tile alone.

    A mask of keys alone, known at run time, is loaded beside them. What the machine cannot do is an error: any other mask,
    values of another width than queries, more dimensions than the merge buffers hold, with `scale=shift` a scale that the
    shift does not give.

    ```
    sparsam-opt --isa-set-target="target=salo settings=window=8" --sattn-find-pattern --sattn-sparsify --sattn-partition
                --sattn-reorder-dilated --sattn-split-windows --lower-to-salo
    ```
  }];
  let dependentDialects = ["::sparsam::isa::IsaDialect", "::sparsam::salo::SaloDialect"];
}

#endif // SPARSAM_TARGETS_SALO_PASSES
