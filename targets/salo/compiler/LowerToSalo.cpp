// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- LowerToSalo.cpp - kernels of attention with a pattern --------------===//

#include "Schedule.h"

#include "isa/ProgramBuilder.h"
#include "sattn/Sattn.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::salo;

namespace sparsam::salo {
#define GEN_PASS_DEF_LOWERTOSALO
#include "targets/salo/SaloPasses.h.inc"
} // namespace sparsam::salo

namespace {

/// Reads a kernel in tensor form: one attention with a pattern, between reorders where its tokens
/// stand by residue. Errors are emitted at the op that does not fit.
class Reader {
public:
  Reader(isa::KernelOp kernel, isa::ArchAttr arch) : kernel(kernel), arch(arch) {}

  FailureOr<Core> read() {
    Core core{};
    if (failed(readBody()) || failed(readShapes(core)) || failed(readPattern(core)) ||
        failed(readScale(core)))
      return failure();
    return core;
  }

private:
  InFlightDiagnostic refuse(Operation *op) { return op->emitOpError("cannot run on SALO: "); }

  LogicalResult readBody() {
    if (arch.getInteger("version") != 1)
      return refuse(kernel)
             << "version 2 has no programs (parameter `version`): `sparsam simulate --set "
                "version=2` picks its patterns (--scores) and computes its cycles (--seq-len, "
                "--window, --heads, --dim); set version=1 to compile";
    auto returnOp = cast<isa::ReturnOp>(kernel.getBody().front().getTerminator());
    if (!kernel.getBody().hasOneBlock() || returnOp.getNumOperands() != 1)
      return refuse(kernel) << "expects one block that returns one attention output";
    Value result = returnOp.getOperand(0);
    auto back = result.getDefiningOp<sattn::ReorderOp>();
    if (back) {
      dilation = back.getDilation();
      result = back.getInput();
    }
    attention = result.getDefiningOp<sattn::AttentionOp>();
    if (!attention || (back && !back.getInverse()))
      return refuse(kernel) << "expects an attention between reorders that undo each other";
    if (attention.getValid())
      return refuse(attention) << "its keys and values come from a cache that grows, and its "
                                  "patterns are made for all keys; run attention on the host "
                                  "(--attention host)";
    if (attention.getTokenScores() || attention.getHeadScores())
      return refuse(attention) << "it accumulates no scores of tokens and heads";
    return success();
  }

  /// Operands are the kernel's arguments, in order, or their reorders.
  LogicalResult readShapes(Core &core) {
    SmallVector<Value> operands;
    for (Value operand : {attention.getQuery(), attention.getKey(), attention.getValue()}) {
      auto reorder = operand.getDefiningOp<sattn::ReorderOp>();
      if (reorder ? reorder.getInverse() || int64_t(reorder.getDilation()) != dilation
                  : dilation != 1)
        return refuse(attention) << "queries, keys, values and output stand in different orders";
      operands.push_back(reorder ? reorder.getInput() : operand);
    }
    if (attention.getMask())
      operands.push_back(attention.getMask());
    if (operands != SmallVector<Value>(kernel.getArguments().begin(), kernel.getArguments().end()))
      return refuse(kernel)
             << "expects its arguments to be query, key, value and the mask if there "
                "is one";
    ArrayRef<int64_t> query = attention.getQuery().getType().getShape();
    const int64_t valueDim = attention.getValue().getType().getDimSize(3);
    if (valueDim != query[3])
      return refuse(kernel) << "values of " << valueDim << " dimensions under queries of "
                            << query[3] << "; its array holds one width for both";
    core.batch = query[0];
    core.heads = query[1];
    core.headDim = query[3];
    const int64_t keys = attention.getKey().getType().getDimSize(2);
    constexpr int64_t kMaxTokens = (1 << 24) - 1;
    for (int64_t size : {core.batch * core.heads, query[2], keys, core.headDim})
      if (size < 1 || size > kMaxTokens)
        return refuse(kernel) << "dimensions must lie between 1 and " << kMaxTokens << ", got "
                              << attention.getQuery().getType();
    if (const int64_t most = arch.getInteger("merge_dims"); core.headDim > most)
      return refuse(attention) << "heads of " << core.headDim
                               << " dimensions; its merge buffers hold " << most
                               << " (parameter `merge_dims`)";
    return readMask(core, keys);
  }

  /// Keys may be masked at run time, single pairs not.
  LogicalResult readMask(Core &core, int64_t keys) {
    core.hasMask = bool(attention.getMask());
    if (!core.hasMask)
      return success();
    ArrayRef<int64_t> mask = cast<RankedTensorType>(attention.getMask().getType()).getShape();
    if (mask[2] != 1 || mask[3] != keys)
      return refuse(attention) << "a mask of " << attention.getMask().getType()
                               << " that depends on the input; it masks keys for all queries alike "
                                  "(1 x "
                               << keys << "), everything else must be a constant pattern";
    core.maskBatch = mask[0];
    core.maskHeads = mask[1];
    return success();
  }

  LogicalResult readPattern(Core &core) {
    auto pattern = dyn_cast<sattn::PatternAttr>(Attribute(attention.getPolicy()));
    if (!pattern)
      return refuse(attention) << "expects a pattern of windows and global tokens, got "
                               << attention.getPolicy() << "; run sattn-split-windows first";
    core.segments = pattern.getSegments();
    if (core.segments != dilation)
      return refuse(attention) << "a pattern of " << core.segments
                               << " segments whose tokens are ordered by dilation " << dilation;
    core.tokens = attention.getQuery().getType().getDimSize(2) / core.segments;
    core.keys = attention.getKey().getType().getDimSize(2) / core.segments;
    const int64_t columns = arch.getInteger("pe_cols");
    for (const sattn::Window &w : pattern.getWindows()) {
      if ((w.width > 1 && w.dilation != 1) || w.width > columns)
        return refuse(attention) << "a window of " << w.width << " keys at distance " << w.dilation
                                 << "; a pass takes " << columns
                                 << " consecutive ones (parameter `pe_cols`); run "
                                    "sattn-reorder-dilated and sattn-split-windows first";
      core.windows.push_back({w.offset, w.width});
    }
    core.globals.assign(pattern.getGlobals().begin(), pattern.getGlobals().end());
    if (!core.globals.empty() && arch.getInteger("globals") == 0)
      return refuse(attention) << core.globals.size()
                               << " global tokens; it has no global PEs (parameter `globals`)";
    return success();
  }

  LogicalResult readScale(Core &core) {
    FailureOr<Factors> factors =
        findFactors(arch, attention.getScale().convertToDouble(), attention);
    if (failed(factors))
      return failure();
    core.factors = *factors;
    return success();
  }

  isa::KernelOp kernel;
  isa::ArchAttr arch;
  sattn::AttentionOp attention;
  int64_t dilation = 1;
};

/// Batch and heads as one dimension, in DRAM; the tokens of one residue class `segments` rows
/// apart.
MemRefType inSegments(RankedTensorType type, int64_t segments) {
  MemRefType flat = isa::getFlatDramType(type);
  ArrayRef<int64_t> shape = flat.getShape();
  return MemRefType::get({shape[0], shape[1] / segments, shape[2] * segments},
                         flat.getElementType(), flat.getLayout(), flat.getMemorySpace());
}

/// One row per key, the keys of one residue class `segments` elements apart.
MemRefType maskInSegments(RankedTensorType type, int64_t segments) {
  MemRefType dram = isa::getDramType(type);
  ArrayRef<int64_t> shape = dram.getShape();
  return MemRefType::get({shape[0], shape[1], shape[3] / segments, segments}, dram.getElementType(),
                         dram.getLayout(), dram.getMemorySpace());
}

struct LowerToSalo : salo::impl::LowerToSaloBase<LowerToSalo> {
  using LowerToSaloBase::LowerToSaloBase;

  void runOnOperation() override {
    if (failed(isa::lowerKernels(getOperation(), "salo", lower)))
      signalPassFailure();
  }

private:
  static LogicalResult lower(isa::KernelOp kernel, isa::ArchAttr arch) {
    if (failed(checkArch(arch, kernel.getLoc())))
      return failure();
    FailureOr<Core> core = Reader(kernel, arch).read();
    if (failed(core))
      return failure();
    const Geometry geometry{arch.getInteger("pe_rows"), arch.getInteger("pe_cols"),
                            arch.getInteger("globals")};
    SmallVector<Type> types;
    for (auto [number, type] : llvm::enumerate(
             llvm::concat<const Type>(kernel.getArgumentTypes(), kernel.getResultTypes()))) {
      constexpr size_t kMask = 3;
      auto tensor = cast<RankedTensorType>(type);
      types.push_back(core->hasMask && number == kMask ? maskInSegments(tensor, core->segments)
                                                       : inSegments(tensor, core->segments));
    }
    isa::rewriteKernel(kernel, types, [&](OpBuilder &builder, ValueRange arguments) {
      emitSchedule(builder, kernel.getLoc(), *core, geometry, arguments);
    });
    return success();
  }
};

} // namespace
