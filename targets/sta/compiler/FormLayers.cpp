// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FormLayers.cpp - find encoder layers around attention --------------===//

#include "Layer.h"
#include "Sta.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Pass/PassManager.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace sparsam;
using namespace sparsam::sta;

namespace sparsam::sta {
#define GEN_PASS_DEF_FORMLAYERS
#include "targets/sta/StaPasses.h.inc"
} // namespace sparsam::sta

namespace {

/// The one user of `value`, if it is an `Op`.
template <typename Op> Op getOnlyUser(Value value) {
  return value.hasOneUse() ? dyn_cast<Op>(*value.user_begin()) : Op();
}

bool isConstant(Value value) { return matchPattern(value, m_Constant()); }

/// A linear layer with the weights that the engine can hold and a function that the vector unit
/// has.
bool isSupported(sattn::LinearOp layer) {
  return layer && isConstant(layer.getWeight()) &&
         (!layer.getBias() || isConstant(layer.getBias())) &&
         layer.getActivation() != sattn::Activation::Tanh;
}

/// Normalisation of the last dimension with constant factors.
bool isSupported(onnx::LayerNormalizationOp norm) {
  if (!norm)
    return false;
  auto type = cast<RankedTensorType>(norm.getX().getType());
  const bool hasBias = norm.getB() && !onnx::isNone(norm.getB());
  const auto axis = int64_t(norm.getAxis());
  return (axis == -1 || axis == type.getRank() - 1) && isConstant(norm.getScale()) &&
         (!hasBias || isConstant(norm.getB()));
}

/// One encoder layer, from its attention outwards.
class LayerFinder {
public:
  explicit LayerFinder(sattn::AttentionOp core) : core(core) {}

  /// Everything that belongs to the layer; empty with a `reason` where the attention stands alone.
  SetVector<Operation *> find(std::string &why) {
    if (!findInput() || !findOutput()) {
      why = reason;
      return {};
    }
    findFeedForward();
    return ops;
  }

private:
  bool refuse(const Twine &text) {
    reason = text.str();
    return false;
  }

  /// From Q, K and V to the linear layers that make them.
  bool findInput() {
    if (core.getValid() || core.getTokenScores() || core.getHeadScores())
      return refuse("it works on a cache, or ranks tokens or heads");
    SetVector<Operation *> linears;
    for (Value operand : {core.getQuery(), core.getKey(), core.getValue()}) {
      SmallVector<Operation *> moves;
      Value source = traceHeads(operand, moves);
      auto layer = source ? source.getDefiningOp<sattn::LinearOp>() : sattn::LinearOp();
      if (!isSupported(layer))
        return refuse("its queries, keys and values do not come from linear layers with constant "
                      "weights, split into heads");
      if (layer.getResidual())
        return refuse("a residual is added to its queries, keys or values");
      ops.insert(moves.begin(), moves.end());
      linears.insert(layer);
    }
    ops.insert(linears.begin(), linears.end());
    ops.insert(core);
    input = cast<sattn::LinearOp>(linears.front()).getInput();
    for (Operation *layer : linears)
      if (cast<sattn::LinearOp>(layer).getInput() != input)
        return refuse("its queries, keys and values are made of different tensors");
    if (cast<RankedTensorType>(input.getType()).getRank() != 3)
      return refuse("its input is not of the shape batch, tokens, width");
    // Models that normalise first: the normalised input is used for nothing else.
    auto norm = input.getDefiningOp<onnx::LayerNormalizationOp>();
    if (isSupported(norm) &&
        llvm::all_of(input.getUsers(), [&](Operation *user) { return linears.contains(user); })) {
      ops.insert(norm);
      input = norm.getX();
    }
    return true;
  }

  /// From the context to the output projection.
  bool findOutput() {
    Value context = core.getOutput();
    auto transpose = getOnlyUser<onnx::TransposeOp>(context);
    auto reshape = transpose && isHeadTranspose(transpose)
                       ? getOnlyUser<onnx::ReshapeOp>(transpose.getResult())
                       : onnx::ReshapeOp();
    auto layer = reshape ? getOnlyUser<sattn::LinearOp>(reshape.getResult()) : sattn::LinearOp();
    if (!isSupported(layer) || layer.getInput() != reshape.getResult())
      return refuse("its context is not merged and projected by a linear layer");
    if (!isInside(layer.getResidual()))
      return refuse("its output projection adds a residual from elsewhere");
    ops.insert(transpose);
    ops.insert(reshape);
    ops.insert(layer);
    projected = layer.getOutput();
    return true;
  }

  bool isInside(Value value) const {
    return !value || value == input ||
           (value.getDefiningOp() && ops.contains(value.getDefiningOp()));
  }

  /// The normalisation that alone, or beside a residual, uses `value`.
  static onnx::LayerNormalizationOp getNorm(Value value) {
    for (Operation *user : value.getUsers())
      if (auto norm = dyn_cast<onnx::LayerNormalizationOp>(user); isSupported(norm))
        return norm;
    return {};
  }

  void findFeedForward() {
    onnx::LayerNormalizationOp norm = getNorm(projected);
    const bool isPostNorm = norm && projected.hasOneUse();
    Value middle = norm ? Value(norm.getY()) : projected;
    bool isFound = false;
    for (Operation *user : middle.getUsers()) {
      auto up = dyn_cast<sattn::LinearOp>(user);
      if (!isSupported(up) || up.getInput() != middle || up.getResidual())
        continue;
      auto down = getOnlyUser<sattn::LinearOp>(up.getOutput());
      if (!isSupported(down) || down.getInput() != up.getOutput() || !down.getResidual() ||
          (down.getResidual() != projected && down.getResidual() != middle))
        continue;
      if (norm)
        ops.insert(norm);
      ops.insert(up);
      ops.insert(down);
      isFound = true;
      auto last = getOnlyUser<onnx::LayerNormalizationOp>(down.getOutput());
      if (isPostNorm && isSupported(last))
        ops.insert(last);
      break;
    }
    if (!isFound && isPostNorm)
      ops.insert(norm);
  }

  sattn::AttentionOp core;
  Value input, projected;
  SetVector<Operation *> ops;
  std::string reason;
};

struct FormLayers : sta::impl::FormLayersBase<FormLayers> {
  using FormLayersBase::FormLayersBase;

  void runOnOperation() override {
    SmallVector<sattn::AttentionOp> cores;
    getOperation().walk([&](sattn::AttentionOp op) { cores.push_back(op); });
    unsigned number = 0;
    for (sattn::AttentionOp core : cores) {
      std::string why;
      SetVector<Operation *> ops = LayerFinder(core).find(why);
      if (ops.empty()) {
        core.emitRemark() << "runs alone, without its layer: " << why;
        continue;
      }
      auto name = StringAttr::get(&getContext(), "layer_" + Twine(number++));
      for (Operation *op : ops) {
        mark(op, name);
        ownShapes(op, name);
      }
    }
    if (number > 0 && failed(pruneWeights()))
      signalPassFailure();
  }

private:
  /// Compresses the weights of the layers as the machine's parameters say.
  LogicalResult pruneWeights() {
    FailureOr<isa::ArchAttr> arch = isa::getArch(getOperation());
    if (failed(arch) || failed(checkArch(*arch, getOperation().getLoc())))
      return failure();
    PruneWeightsOptions options;
    // The dense path takes n elements at a time and knows no groups.
    options.n = dense ? 2 : arch->getInteger("n");
    options.m = dense ? 2 : arch->getInteger("m");
    options.bits = arch->getText("numerics") == "fixed" ? arch->getInteger("weight_bits") : 32;
    options.countedBits = arch->getInteger("weight_bits");
    OpPassManager pipeline(ModuleOp::getOperationName());
    pipeline.addPass(createPruneWeights(options));
    return runPipeline(pipeline, getOperation());
  }

  void mark(Operation *op, StringAttr name) {
    op->setDiscardableAttr(kTargetAttr, StringAttr::get(&getContext(), "sta"));
    op->setDiscardableAttr(kKernelAttr, name);
  }

  /// Gives `op` its own copies of constants that are no data: shapes, and operands that are not
  /// there. They go into the kernel with it.
  void ownShapes(Operation *op, StringAttr name) {
    for (OpOperand &operand : op->getOpOperands()) {
      Operation *source = operand.get().getDefiningOp();
      auto type = dyn_cast<RankedTensorType>(operand.get().getType());
      if (!source || (type && type.getElementType().isF32()) ||
          source->getDiscardableAttr(kKernelAttr))
        continue;
      OpBuilder builder(op);
      Operation *copy = builder.clone(*source);
      mark(copy, name);
      operand.set(copy->getResult(cast<OpResult>(operand.get()).getResultNumber()));
    }
  }
};

} // namespace
