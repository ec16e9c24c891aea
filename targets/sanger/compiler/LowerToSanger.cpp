// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- LowerToSanger.cpp - kernels of packed attention to instructions ----===//

#include "Schedule.h"

#include "isa/ProgramBuilder.h"
#include "sattn/Sattn.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::sanger;

namespace sparsam::sanger {
#define GEN_PASS_DEF_LOWERTOSANGER
#include "targets/sanger/SangerPasses.h.inc"
} // namespace sparsam::sanger

namespace {

/// Reads a kernel in tensor form: what `sattn-decompose` and `sattn-pack-split` make of one
/// attention. Errors are emitted at the op that does not fit.
class Reader {
public:
  Reader(isa::KernelOp kernel, isa::ArchAttr arch) : kernel(kernel), arch(arch) {}

  FailureOr<Core> read() {
    Core core{};
    core.bits = 4;
    core.emptyRow = EmptyRowMode::Dense;
    if (failed(readOutput()) || failed(readShapes(core)) || failed(readBias(core)) ||
        failed(readSelection(core)))
      return failure();
    core.scale = sddmm.getScale().convertToDouble();
    return core;
  }

private:
  InFlightDiagnostic refuse(Operation *op) { return op->emitOpError("cannot run on Sanger: "); }

  LogicalResult readOutput() {
    auto returnOp = cast<isa::ReturnOp>(kernel.getBody().front().getTerminator());
    if (!kernel.getBody().hasOneBlock() || returnOp.getNumOperands() != 1)
      return refuse(kernel) << "expects one block that returns one attention output";
    auto spmm = returnOp.getOperand(0).getDefiningOp<sattn::SpmmOp>();
    auto softmax = spmm ? spmm.getProbabilities().getDefiningOp<sattn::SoftmaxOp>() : nullptr;
    sddmm = softmax ? softmax.getScores().getDefiningOp<sattn::SddmmOp>() : nullptr;
    if (!sddmm)
      return refuse(kernel) << "expects sddmm, softmax and spmm; run sattn-decompose first";
    value = spmm.getValue();
    for (Value selection : {spmm.getSelection(), softmax.getSelection()})
      if (selection != sddmm.getSelection())
        return refuse(spmm) << "sddmm, softmax and spmm select different pairs";
    return success();
  }

  /// Operands are the kernel's arguments, in order.
  LogicalResult readShapes(Core &core) {
    SmallVector<Value> operands = {sddmm.getQuery(), sddmm.getKey(), value};
    if (sddmm.getMask())
      operands.push_back(sddmm.getMask());
    if (operands != SmallVector<Value>(kernel.getArguments().begin(), kernel.getArguments().end()))
      return refuse(kernel)
             << "expects its arguments to be query, key, value and the additive mask "
                "if there is one";
    ArrayRef<int64_t> query = sddmm.getQuery().getType().getShape();
    ArrayRef<int64_t> keyShape = sddmm.getKey().getType().getShape();
    int64_t valueDim = cast<RankedTensorType>(value.getType()).getDimSize(3);
    if (valueDim != query[3])
      return refuse(kernel) << "values of " << valueDim << " dimensions under queries of "
                            << query[3] << "; its array holds one width for both";
    core.batch = query[0];
    core.heads = query[1];
    core.queries = query[2];
    core.headDim = query[3];
    core.keys = keyShape[2];
    for (int64_t size : llvm::concat<const int64_t>(query, keyShape))
      if (size < 1 || size > kMaxSize)
        return refuse(kernel) << "dimensions must lie between 1 and " << kMaxSize << ", got "
                              << sddmm.getQuery().getType() << " and " << sddmm.getKey().getType();
    return success();
  }

  LogicalResult readBias(Core &core) {
    core.hasBias = bool(sddmm.getMask());
    if (!core.hasBias)
      return success();
    auto type = cast<RankedTensorType>(sddmm.getMask().getType());
    if (type.getDimSize(3) != core.keys)
      return refuse(sddmm) << "an additive mask of " << type << " has " << type.getDimSize(3)
                           << " columns for " << core.keys << " keys";
    core.biasBatch = type.getDimSize(0);
    core.biasHeads = type.getDimSize(1);
    core.biasQueries = type.getDimSize(2);
    return success();
  }

  LogicalResult readSelection(Core &core) {
    auto type = dyn_cast<sattn::PackedType>(sddmm.getSelection().getType());
    if (!type)
      return refuse(sddmm) << "expects a packed selection; run sattn-pack-split first";
    for (auto [name, size] :
         {std::pair("stripe", type.getStripe()), {"pes", type.getPes()}, {"rows", type.getRows()}})
      if (size != arch.getInteger(name))
        return refuse(sddmm) << "blocks were packed with " << name << " = " << size
                             << "; the machine has " << arch.getInteger(name);
    core.encoder = type.getEncoder() == sattn::Encoder::Subrow ? BlockEncoder::Subrow
                                                               : BlockEncoder::ColumnCut;
    auto pack = sddmm.getSelection().getDefiningOp<sattn::PackSplitOp>();
    if (!pack)
      return refuse(sddmm) << "the mask is a constant, but the machine packs the masks that it "
                              "predicts and cannot load block lists";
    if (auto all = pack.getMask().getDefiningOp<sattn::SelectAllOp>()) {
      core.causal = all.getCausal();
      return success();
    }
    auto select = pack.getMask().getDefiningOp<sattn::SelectOp>();
    auto predict = select ? select.getProbabilities().getDefiningOp<sattn::PredictOp>() : nullptr;
    if (!predict)
      return refuse(pack) << "expects a mask from select and predict, or from select_all";
    core.threshold = select.getThreshold().convertToDouble();
    core.emptyRow = EmptyRowMode(uint32_t(select.getEmptyRow()));
    return readPrediction(core, predict);
  }

  LogicalResult readPrediction(Core &core, sattn::PredictOp predict) {
    auto query = predict.getQuery().getDefiningOp<sattn::QuantizeOp>();
    auto key = predict.getKey().getDefiningOp<sattn::QuantizeOp>();
    if (!query || !key || query.getInput() != sddmm.getQuery() || key.getInput() != sddmm.getKey())
      return refuse(predict) << "expects codes of the queries and keys that sddmm multiplies";
    if (query.getBits() != key.getBits() || query.getNormalize() != key.getNormalize())
      return refuse(predict) << "queries and keys are quantised differently";
    if (query.getBits() % 2 != 0)
      return refuse(query) << "the low-bit array multiplies 2, 4, 6 or 8 bits, not "
                           << query.getBits();
    if (predict.getMask() != sddmm.getMask() || predict.getScale() != sddmm.getScale())
      return refuse(predict) << "prediction and sddmm have different masks or scales";
    core.predict = true;
    core.bits = query.getBits();
    core.normalize = query.getNormalize();
    core.qRange = query.getRange().convertToDouble();
    core.kRange = key.getRange().convertToDouble();
    core.causal = predict.getCausal();
    return success();
  }

  static constexpr int64_t kMaxSize = 65535;
  isa::KernelOp kernel;
  isa::ArchAttr arch;
  sattn::SddmmOp sddmm;
  Value value;
};

struct LowerToSanger : sanger::impl::LowerToSangerBase<LowerToSanger> {
  using LowerToSangerBase::LowerToSangerBase;

  void runOnOperation() override {
    if (failed(isa::lowerKernels(getOperation(), "sanger", lower)))
      signalPassFailure();
  }

private:
  static LogicalResult lower(isa::KernelOp kernel, isa::ArchAttr arch) {
    if (failed(checkArch(arch, kernel.getLoc())))
      return failure();
    FailureOr<Core> core = Reader(kernel, arch).read();
    if (failed(core))
      return failure();
    rewrite(kernel, *core, arch);
    return success();
  }

  static void rewrite(isa::KernelOp kernel, const Core &core, isa::ArchAttr arch) {
    Geometry geometry{arch.getInteger("lowbit_rows"), arch.getInteger("lowbit_cols"),
                      arch.getInteger("stripe"),      arch.getInteger("query_buffer"),
                      arch.getInteger("key_buffer"),  arch.getInteger("bias_buffer")};
    constexpr size_t kBias = 3; // keeps its four dimensions: it may have one entry or one head
    const bool hasBias = core.hasBias;
    const auto types =
        isa::getDramTypes(kernel, [&](size_t number) { return number != kBias || !hasBias; });
    isa::rewriteKernel(kernel, types, [&](OpBuilder &builder, ValueRange arguments) {
      emitSchedule(builder, kernel.getLoc(), core, geometry, arguments);
    });
  }
};

} // namespace
