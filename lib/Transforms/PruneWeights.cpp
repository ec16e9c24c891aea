// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PruneWeights.cpp - compress the weights of linear layers to N:M ----===//

#include "sparsam/Transforms.h"

#include "sattn/NmCodec.h"
#include "sattn/Semantics.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_PRUNEWEIGHTS
#include "sparsam/SattnPasses.h.inc"

namespace {

/// Largest weight matrix, in elements.
constexpr int64_t kLimit = int64_t(1) << 30;

/// What pruning did to all matrices together.
struct Report {
  int64_t bytesBefore = 0, bytesAfter = 0;
  double squares = 0, lostSquares = 0; ///< of the weights, and of what became of them

  double error() const { return squares > 0 ? std::sqrt(lostSquares / squares) : 0; }
};

/// A weight matrix by output and input.
struct Weights {
  sattn::semantics::Floats data;
  bool isTransposed;
  int64_t outputs, inputs;

  Weights(sattn::semantics::Floats floats, bool transposed)
      : data(std::move(floats)), isTransposed(transposed), outputs(data.shape[transposed ? 2 : 3]),
        inputs(data.shape[transposed ? 3 : 2]) {}
  float at(int64_t output, int64_t input) const {
    return data.data[size_t(isTransposed ? output * inputs + input : input * outputs + output)];
  }
};

struct PruneWeights : impl::PruneWeightsBase<PruneWeights> {
  using PruneWeightsBase::PruneWeightsBase;

  void runOnOperation() override {
    // What holds for every encoding is said once, and not at every layer.
    if (std::string why = sattn::checkFormat({n, m, bits, 0}); !why.empty()) {
      emitError(getOperation().getLoc()) << "sattn-prune-weights " << why;
      return signalPassFailure();
    }
    SmallVector<sattn::LinearOp> layers;
    getOperation().walk([&](sattn::LinearOp op) {
      if ((everywhere || op->hasAttr(kTargetAttr)) &&
          !op.getWeight().getDefiningOp<sattn::NmExpandOp>())
        layers.push_back(op);
    });
    Report report;
    for (sattn::LinearOp layer : layers)
      if (failed(prune(layer, report)))
        return signalPassFailure();
    if (!layers.empty())
      record(report);
  }

private:
  LogicalResult prune(sattn::LinearOp layer, Report &report) {
    Attribute constant;
    if (!matchPattern(layer.getWeight(), m_Constant(&constant)))
      return layer.emitOpError() << "cannot be pruned: its weight is no constant";
    std::optional<sattn::semantics::Floats> floats = sattn::semantics::toFloats(constant, kLimit);
    if (!floats)
      return layer.emitOpError() << "cannot be pruned: expects a float32 weight of at most "
                                 << kLimit << " elements, got " << layer.getWeight().getType();
    Weights weights(std::move(*floats), layer.getTransposeWeight());
    FailureOr<sattn::NmAttr> encoding = choose(layer, weights);
    if (failed(encoding))
      return failure();
    encode(layer, *encoding, weights, report);
    return success();
  }

  /// The encoding with as many fraction bits as the largest weight leaves.
  FailureOr<sattn::NmAttr> choose(sattn::LinearOp layer, const Weights &weights) {
    sattn::NmFormat format{n, m, bits, 0};
    if (std::string why = sattn::checkInputs(format, weights.inputs); !why.empty())
      return layer.emitOpError() << "cannot be pruned to " << int64_t(n) << ":" << int64_t(m)
                                 << ": its weight " << why;
    float largest = 0;
    for (float weight : weights.data.data)
      largest = std::max(largest, std::abs(weight));
    if (bits < 32)
      format.fraction = sattn::widestFraction(bits, largest);
    return sattn::NmAttr::get(&getContext(), n, m, bits, format.fraction);
  }

  void encode(sattn::LinearOp layer, sattn::NmAttr encoding, const Weights &weights,
              Report &report) {
    OpBuilder builder(layer);
    const bool transposed = layer.getTransposeWeight();
    SmallVector<Value> parts =
        encoding.buildEncode(builder, layer.getLoc(), layer.getWeight(), transposed);
    Value pruned =
        encoding.buildDecode(builder, layer.getLoc(), parts,
                             cast<RankedTensorType>(layer.getWeight().getType()), transposed);
    for (StringRef name : {kTargetAttr, kKernelAttr})
      if (Attribute mark = layer->getDiscardableAttr(name))
        pruned.getDefiningOp()->setDiscardableAttr(name, mark);
    layer.getWeightMutable().assign(pruned);
    const sattn::NmFormat counted{n, m, countedBits ? countedBits : bits, 0};
    report.bytesBefore += sattn::denseBytes(counted, weights.outputs, weights.inputs);
    report.bytesAfter += sattn::compressedBytes(counted, weights.outputs, weights.inputs);
    measure(encoding, weights, parts, report);
  }

  static void measure(sattn::NmAttr encoding, const Weights &weights, ArrayRef<Value> parts,
                      Report &report) {
    const sattn::NmFormat format{encoding.getN(), encoding.getM(), encoding.getBits(),
                                 encoding.getFraction()};
    std::vector<uint16_t> bitmaps;
    Attribute constant;
    if (parts.size() > 1 && matchPattern(parts[1], m_Constant(&constant)))
      if (auto numbers = sattn::semantics::toIntegers(constant, kLimit))
        bitmaps.assign(numbers->data.begin(), numbers->data.end());
    double lost = 0;
    for (float weight : weights.data.data)
      lost += double(weight) * weight;
    report.squares += lost;
    auto keep = [&](int64_t output, int64_t input, int64_t) {
      const double weight = weights.at(output, input);
      const double stored =
          format.bits == 32
              ? weight
              : sattn::fromWord(sattn::toWord(float(weight), format.bits, format.fraction),
                                format.fraction);
      lost += (weight - stored) * (weight - stored) - weight * weight;
    };
    if (format.isDense() && format.bits == 32)
      return; // nothing is lost
    if (format.isDense() || !bitmaps.empty())
      sattn::forEachKept(format, weights.outputs, weights.inputs, bitmaps.data(), keep);
    report.lostSquares += std::max(lost, 0.0);
  }

  void record(const Report &report) {
    Builder builder(&getContext());
    getOperation()->setDiscardableAttr(
        kWeightsAttr,
        builder.getDictionaryAttr(
            {builder.getNamedAttr("bytes_after", builder.getI64IntegerAttr(report.bytesAfter)),
             builder.getNamedAttr("bytes_before", builder.getI64IntegerAttr(report.bytesBefore)),
             builder.getNamedAttr("error", builder.getF64FloatAttr(report.error())),
             builder.getNamedAttr("m", builder.getI64IntegerAttr(m)),
             builder.getNamedAttr("n", builder.getI64IntegerAttr(n))}));
  }
};

} // namespace
} // namespace sparsam
