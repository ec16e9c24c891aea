// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - passes from sattn.attention to packed kernels ----------===//
#ifndef SPARSAM_TRANSFORMS_PASSES
#define SPARSAM_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def Sparsify : Pass<"sattn-sparsify", "::mlir::ModuleOp"> {
  let summary = "Choose where attention runs and which pairs it keeps";
  let description = [{
    Gives every `sattn.attention` that keeps all pairs the selection policy of the module's target, made from the
    parameters in `isa.arch`, and notes the target as `sattn.target`. A policy other than `#sattn.dense` that is already
    there stays. `calibration` overrides parameters for single attention cores by their `sattn.name`:
    `calibration=attention_0:tx=1.2,ty=0.8;attention_1:tx=1.1,ty=0.9`.

    Before, with a target whose policy is a low-bit threshold:

    ```mlir
    %o = sattn.attention %q, %k, %v {sattn.name = "attention_0", scale = 2.500000e-01 : f32, policy = #sattn.dense}
        : tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32> -> tensor<1x2x8x16xf32>
    ```

    After:

    ```mlir
    %o = sattn.attention %q, %k, %v {sattn.name = "attention_0", sattn.target = "machine", scale = 2.500000e-01 : f32,
        policy = #sattn.low_bit_threshold<bits = 4, threshold = 2.000000e-03, normalize = true, q_range = 1.200000e+00,
                                          k_range = 8.000000e-01, empty_row = dense>}
        : tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32> -> tensor<1x2x8x16xf32>
    ```

    Mode `dense` keeps every pair on the target. Mode `host` leaves attention to the host and needs no target. A policy that
    stands for a mask of the model stays in mode `dense`, and becomes that mask in mode `host`.
  }];
  let options = [
    Option<"mode", "mode", "::sparsam::SparsifyMode", "::sparsam::SparsifyMode::sparse", "What attention becomes",
      [{::llvm::cl::values(
          clEnumValN(::sparsam::SparsifyMode::sparse, "sparse", "the target's selection policy"),
          clEnumValN(::sparsam::SparsifyMode::dense, "dense", "every pair, on the target"),
          clEnumValN(::sparsam::SparsifyMode::host, "host", "every pair, on the host"))}]>,
    Option<"calibration", "calibration", "std::string", "", "Parameters per attention core: core:name=value,...;core:...">,
  ];
  let dependentDialects = ["::sparsam::sattn::SattnDialect", "::mlir::arith::ArithDialect"];
}

def Cascade : Pass<"sattn-cascade", "::mlir::ModuleOp"> {
  let summary = "Prune tokens and heads across layers by what attention has accumulated";
  let description = [{
    `tokens` and `heads` are how many live in each attention core, in program order; the first core has all of them. Where
    fewer live in the next core, the scores that attention accumulates (`token_scores`, `head_scores`) are ranked by
    `sattn.top_k`. Everything behind that works token by token, projections and feed-forward layers too, is made again for
    the survivors alone; before an op that needs all positions, and at the function's results, survivors are put back to
    their places, with zeros where a token was pruned. Pruned heads are left out of the next cores, and are zero in their
    outputs. In a module with `isa.arch` each ranking is placed into the kernel of its attention.

    In a decoder (`valid`) the caches keep all tokens: each layer ranks them by the importance so far and attends to the
    survivors, of which the newest token is one. Importance of tokens and of heads are arguments that a program keeps
    from step to step.

    With `tokens=8,5`:

    ```mlir
    %o, %s = sattn.attention %q, %k, %v token_scores %zero {scale = 2.500000e-01 : f32, policy = #sattn.dense}
        : tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32> token_scores tensor<1x8xf32>
        -> tensor<1x2x8x16xf32> token_scores tensor<1x8xf32>
    %i = sattn.top_k %s {k = 5 : i64} : tensor<1x8xf32> -> tensor<1x5xi64>
    %kept = sattn.gather %o, %i {dim = 2 : i64} : tensor<1x2x8x16xf32>, tensor<1x5xi64> -> tensor<1x2x5x16xf32>
    ```
  }];
  let options = [
    ListOption<"tokens", "tokens", "int64_t", "Tokens that live in each attention core">,
    ListOption<"heads", "heads", "int64_t", "Heads that live in each attention core">,
    ListOption<"protect", "protect", "int64_t", "Positions that are never pruned, from the end where negative">,
  ];
  let dependentDialects = ["::sparsam::sattn::SattnDialect", "::sparsam::onnx::OnnxDialect", "::mlir::arith::ArithDialect"];
}

def Partition : Pass<"sattn-partition", "::mlir::ModuleOp"> {
  let summary = "Outline what runs on a target into kernels";
  let description = [{
    Every `sattn.attention` with `sattn.target` becomes an `isa.kernel` in tensor form, called by its `sattn.name`, and an
    `isa.launch` in its place. All ops with `sattn.target` that have the same `sattn.kernel` become one kernel of that
    name; no other op may lie between them. Ops without `sattn.target` stay: they run on the host.

    ```mlir
    func.func @main(%q: tensor<1x2x8x16xf32>, %k: tensor<1x2x8x16xf32>, %v: tensor<1x2x8x16xf32>) -> tensor<1x2x8x16xf32> {
      %o = isa.launch @attention_0(%q, %k, %v)
          : (tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>) -> tensor<1x2x8x16xf32>
      return %o : tensor<1x2x8x16xf32>
    }
    ```
  }];
  let dependentDialects = ["::sparsam::isa::IsaDialect"];
}

def Decompose : Pass<"sattn-decompose", "::mlir::ModuleOp"> {
  let summary = "Split attention into selection, sddmm, softmax and spmm";
  let description = [{
    The attention's policy builds the selection; the additive mask goes to the prediction and to `sattn.sddmm`, causality
    to the selection. Works inside of kernels, and outside with `everywhere`. A policy that still needs calibration is
    an error.

    ```mlir
    %m = sattn.select_all : tensor<1x2x8x8xi1>
    %s = sattn.sddmm %q, %k over %m {scale = 2.500000e-01 : f32}
        : tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x8x8xi1> -> tensor<1x2x8x8xf32>
    %p = sattn.softmax %s over %m : tensor<1x2x8x8xf32>, tensor<1x2x8x8xi1> -> tensor<1x2x8x8xf32>
    %o = sattn.spmm %p, %v over %m
        : tensor<1x2x8x8xf32>, tensor<1x2x8x16xf32>, tensor<1x2x8x8xi1> -> tensor<1x2x8x16xf32>
    ```
  }];
  let options = [
    Option<"everywhere", "everywhere", "bool", "false", "Also decompose attention outside of kernels">,
  ];
  let dependentDialects = ["::sparsam::sattn::SattnDialect"];
}

def PackSplit : Pass<"sattn-pack-split", "::mlir::ModuleOp"> {
  let summary = "Run sddmm, softmax and spmm over packed masks";
  let description = [{
    Inserts one `sattn.pack_split` between a mask and the ops that run over it. A mask that is a constant is packed at
    compile time. What an option leaves open comes from the parameter of the same name in `isa.arch`.

    ```mlir
    %b = sattn.pack_split %m : tensor<1x2x8x8xi1> -> !sattn.packed<1x2x8x8, stripe = 4, pes = 2, rows = 4, encoder = subrow>
    %s = sattn.sddmm %q, %k over %b {scale = 2.500000e-01 : f32}
        : tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, !sattn.packed<1x2x8x8, stripe = 4, pes = 2, rows = 4, encoder = subrow>
        -> tensor<1x2x8x8xf32>
    ```
  }];
  let options = [
    Option<"stripe", "stripe", "int64_t", "0", "Keys per column stripe">,
    Option<"pes", "pes", "int64_t", "0", "Kept keys per sub-row">,
    Option<"rows", "rows", "int64_t", "0", "Sub-rows per block">,
    Option<"encoder", "encoder", "std::string", "", "subrow or column_cut">,
  ];
  let dependentDialects = ["::sparsam::sattn::SattnDialect"];
}

def FindPattern : Pass<"sattn-find-pattern", "::mlir::ModuleOp"> {
  let summary = "Recognise windows, dilations and global tokens in constant masks";
  let description = [{
    Where the mask of a `sattn.attention` (and its causality) shows exactly the pairs of windows, dilated windows and global
    tokens, `#sattn.pattern` takes its place. The mask may be a constant, a choice between 0 and -10000 or less by a
    constant (`onnx.Where`), or a sum of such. Otherwise the attention stays as it is, and a remark says which pairs do
    not fit; with `required`, that is an error. With `keys`, a mask that is the same for all queries (padding) may stay as mask:
    one that depends on the input, alone or as one term of the sum, and keys that a constant hides from every query. Heads with
    different patterns become cores of their own, whose inputs are gathered and whose outputs are joined on the host. With `keys`,
    a window in two dimensions over rows of tokens becomes one window for each distance of rows: hidden tokens follow each row.

    ```mlir
    %m = arith.constant dense<[[[[0.0, 0.0, -1.0e+4, -1.0e+4], [0.0, 0.0, 0.0, -1.0e+4],
                                 [-1.0e+4, 0.0, 0.0, 0.0], [-1.0e+4, -1.0e+4, 0.0, 0.0]]]]> : tensor<1x1x4x4xf32>
    %o = sattn.attention %q, %k, %v mask %m {scale = 5.000000e-01 : f32, policy = #sattn.dense}
        : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x1x4x4xf32> -> tensor<1x2x4x4xf32>
    ```

    becomes

    ```mlir
    %o = sattn.attention %q, %k, %v {scale = 5.000000e-01 : f32, policy = #sattn.pattern<windows = [(-1, 3, 1)], globals = []>}
        : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32> -> tensor<1x2x4x4xf32>
    ```
  }];
  let options = [
    Option<"required", "required", "bool", "false", "A mask that is no pattern is an error">,
    Option<"keys", "keys", "bool", "false", "Masks of keys alone may stay">,
  ];
  let dependentDialects = ["::sparsam::sattn::SattnDialect", "::sparsam::onnx::OnnxDialect", "::mlir::arith::ArithDialect"];
}

def ReorderDilated : Pass<"sattn-reorder-dilated", "::mlir::ModuleOp"> {
  let summary = "Order tokens so that dilated windows become plain windows";
  let description = [{
    Works on attention with `#sattn.pattern` inside of kernels. Where all windows have one dilation, their offsets are
    multiples of it, and so is the number of tokens, Q, K and V are ordered by residue (`sattn.reorder`) and the output is
    put back. Elsewhere each offset of a dilated window becomes a window of its own.

    ```mlir
    %o = sattn.attention %q, %k, %v {scale = 5.000000e-01 : f32, policy = #sattn.pattern<windows = [(-2, 3, 2)], globals = [3]>}
        : tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32> -> tensor<1x1x8x4xf32>
    ```

    becomes

    ```mlir
    %rq = sattn.reorder %q by 2 : tensor<1x1x8x4xf32>
    %rk = sattn.reorder %k by 2 : tensor<1x1x8x4xf32>
    %rv = sattn.reorder %v by 2 : tensor<1x1x8x4xf32>
    %ro = sattn.attention %rq, %rk, %rv {scale = 5.000000e-01 : f32,
        policy = #sattn.pattern<windows = [(-1, 3, 1)], globals = [5], segments = 2>}
        : tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32> -> tensor<1x1x8x4xf32>
    %o = sattn.reorder %ro by 2 inverse : tensor<1x1x8x4xf32>
    ```
  }];
  let dependentDialects = ["::sparsam::sattn::SattnDialect"];
}

def SplitWindows : Pass<"sattn-split-windows", "::mlir::ModuleOp"> {
  let summary = "Cut windows into pieces that fit the columns of an array";
  let description = [{
    Works on attention inside of kernels, behind `sattn-reorder-dilated`. A window of more keys than the array has columns
    becomes several, one after the other. Attention with `#sattn.dense` becomes one window over every offset first.

    ```mlir
    #sattn.pattern<windows = [(-4, 10, 1)], globals = [0]>
    ```

    becomes, with 4 columns,

    ```mlir
    #sattn.pattern<windows = [(-4, 4, 1), (0, 4, 1), (4, 2, 1)], globals = [0]>
    ```
  }];
  let options = [
    Option<"columns", "columns", "int64_t", "0", "Columns; 0: parameter `pe_cols` of the target">,
  ];
  let dependentDialects = ["::sparsam::sattn::SattnDialect"];
}

def PruneWeights : Pass<"sattn-prune-weights", "::mlir::ModuleOp"> {
  let summary = "Prune the weights of linear layers to N:M and compress them";
  let description = [{
    Every `sattn.linear` with `sattn.target` gets its weight from a `sattn.nm_expand` of compressed words and bitmaps. The
    compression is folded, so the module holds compressed weights. Words of 8 and 16 bits have as many fraction bits as
    the layer's largest weight leaves. With n = m nothing is pruned, and there are no bitmaps.

    What became of all weights together stands in the module's `sattn.weights`: bytes before (in words of the same
    width) and after, and the 2-norm of the error over that of the weights.

    ```mlir
    %values = arith.constant dense<[[5.0, -4.0]]> : tensor<1x2xf32>
    %bitmaps = arith.constant dense<40> : tensor<1x1xui8>
    %w = sattn.nm_expand %values, %bitmaps as <n = 2, m = 8, bits = 32, fraction = 0> {transpose_weight}
        : tensor<1x2xf32>, tensor<1x1xui8> -> tensor<1x8xf32>
    %y = sattn.linear %x, %w {transpose_weight} : tensor<4x8xf32>, tensor<1x8xf32> -> tensor<4x1xf32>
    ```
  }];
  let options = [
    Option<"n", "n", "int64_t", "2", "Kept weights of each group">,
    Option<"m", "m", "int64_t", "8", "Weights of a group: 2, 4, 8 or 16">,
    Option<"bits", "bits", "int64_t", "32", "Word of a weight: 8 or 16 (fixed point), or 32 (float)">,
    Option<"countedBits", "counted-bits", "int64_t", "0", "Word by which bytes are counted, where a machine's words stay floats here; 0: bits">,
    Option<"everywhere", "everywhere", "bool", "false", "Also prune layers that run on the host">,
  ];
  let dependentDialects = ["::sparsam::sattn::SattnDialect"];
}

#endif // SPARSAM_TRANSFORMS_PASSES
