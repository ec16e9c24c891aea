// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Plan.cpp - read a kernel as steps on matrices ----------------------===//

#include "Plan.h"
#include "Layer.h"

#include "isa/ProgramBuilder.h"
#include "sattn/NmCodec.h"
#include "sparsam/Calibrated.h"

#include <cmath>

using namespace mlir;
using namespace sparsam;
using namespace sparsam::sta;

const AttentionStep *Plan::attention() const {
  for (const Step &step : steps)
    if (auto *attention = std::get_if<AttentionStep>(&step))
      return attention;
  return nullptr;
}

namespace {

/// Bits of a word of the activation memory, and of an accumulator with its sign.
constexpr int64_t kWordBits = 16, kAccumulatorBits = 32;
constexpr int64_t kMaxShift = 31;
/// Longest dimension; fields of instructions have 24 bits.
constexpr int64_t kMaxSize = 65535;

/// Fraction bits for words of 16 bits.
int64_t fractionOf(double range) { return sattn::widestFraction(kWordBits, range); }

/// Bits that products of `fraction` fraction bits lose so that sums up to twice `range` fit into an
/// accumulator.
int64_t shiftOf(int64_t fraction, double range) {
  const int64_t integerBits = range > 0 ? int64_t(std::ceil(std::log2(range))) + 1 : 0;
  return std::clamp<int64_t>(fraction + integerBits + 1 - kAccumulatorBits, 0,
                             std::min(kMaxShift, fraction));
}

class Planner {
public:
  Planner(isa::KernelOp kernel, isa::ArchAttr arch)
      : kernel(kernel), arch(arch), isFixed(arch.getText("numerics") == "fixed") {}

  FailureOr<Plan> run() {
    if (!kernel.getBody().hasOneBlock())
      return refuse(kernel) << "expects one block";
    for (Type type : kernel.getArgumentTypes())
      plan.arguments.push_back(toDram(cast<RankedTensorType>(type)));
    for (Type type : kernel.getResultTypes())
      plan.arguments.push_back(toDram(cast<RankedTensorType>(type)));
    for (Operation &op : kernel.getBody().front())
      if (failed(read(&op)))
        return failure();
    if (plan.steps.empty())
      return refuse(kernel) << "expects linear layers, normalisations or an attention";
    if (failed(choosePages(kernel, plan)))
      return failure();
    return std::move(plan);
  }

private:
  InFlightDiagnostic refuse(Operation *op) { return op->emitOpError("cannot run on STA: "); }

  static MemRefType toDram(RankedTensorType type) {
    if (type.getRank() >= 2)
      return isa::getDramType(type);
    return isa::getDramType(
        RankedTensorType::get({1, type.getNumElements()}, type.getElementType()));
  }

  //===-- Ranges -----------------------------------------------------------===//

  /// A range from calibration of `op`, else from the machine's parameters.
  FailureOr<double> rangeOf(Operation *op, StringRef name) {
    if (!isFixed)
      return 0.0;
    if (const double value = getCalibrated(op, arch, name); value > 0)
      return value;
    return emitMissingCalibration(op)
           << "has no value for `" << name
           << "`, which numerics=fixed needs; calibrate on sample inputs, give the parameter, or "
              "use numerics=float";
  }

  /// Sets the fraction bits of a matrix from a range.
  LogicalResult scale(size_t matrix, Operation *op, StringRef range) {
    FailureOr<double> value = rangeOf(op, range);
    if (failed(value))
      return failure();
    plan.matrices[matrix].fraction = isFixed ? fractionOf(*value) : 0;
    return success();
  }

  //===-- Values -----------------------------------------------------------===//

  LogicalResult setEntries(Operation *op, int64_t entries) {
    if (plan.steps.empty())
      plan.entries = entries;
    if (plan.entries == entries)
      return success();
    return refuse(op) << "has " << entries << " batch entries, others of its kernel "
                      << plan.entries;
  }

  size_t addMatrix(int64_t tokens, int64_t width) {
    Matrix &matrix = plan.matrices.emplace_back();
    matrix.tokens = tokens;
    matrix.width = width;
    return plan.matrices.size() - 1;
  }
  bool isWhole(const Columns &columns) const {
    return columns.first == 0 && columns.width == plan.matrices[columns.matrix].width;
  }
  void define(Value value, const Columns &columns) { values[value] = columns; }
  void defineWhole(Value value, size_t matrix) {
    define(value, {matrix, 0, plan.matrices[matrix].width});
  }

  /// The matrix of a [batch, tokens, width] value; an argument is loaded first.
  FailureOr<size_t> getMatrix(Operation *op, Value value, StringRef range) {
    auto known = values.find(value);
    if (known != values.end()) {
      if (isWhole(known->second))
        return known->second.matrix;
      return refuse(op) << "works on a part of packed columns";
    }
    auto argument = dyn_cast<BlockArgument>(value);
    auto type = cast<RankedTensorType>(value.getType());
    if (!argument || type.getRank() != 3)
      return refuse(op) << "expects values of the shape batch, tokens, width, got " << type;
    if (failed(setEntries(op, type.getDimSize(0))))
      return failure();
    size_t matrix = addMatrix(type.getDimSize(1), type.getDimSize(2));
    if (failed(scale(matrix, op, range)))
      return failure();
    defineWhole(value, matrix);
    plan.steps.push_back(TransferStep{values[value], argument.getArgNumber(), false, 0});
    return matrix;
  }

  /// The argument that `value` is; an error at `op` if it is none.
  FailureOr<unsigned> getArgument(Operation *op, Value value, StringRef what) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return argument.getArgNumber();
    return refuse(op) << "expects " << what << " from outside of the kernel";
  }

  //===-- Ops --------------------------------------------------------------===//

  LogicalResult read(Operation *op) {
    if (auto linear = dyn_cast<sattn::LinearOp>(op))
      return readLinear(linear);
    if (auto attention = dyn_cast<sattn::AttentionOp>(op))
      return readAttention(attention);
    if (auto norm = dyn_cast<onnx::LayerNormalizationOp>(op))
      return readNorm(norm);
    if (auto split = dyn_cast<onnx::SplitOp>(op))
      return readSplit(split);
    if (auto end = dyn_cast<isa::ReturnOp>(op))
      return readReturn(end);
    if (llvm::isa<onnx::ReshapeOp, onnx::TransposeOp>(op))
      return readMove(op);
    if (llvm::isa<sattn::NmExpandOp, onnx::NoneOp>(op) || op->hasTrait<OpTrait::ConstantLike>())
      return success(); // read where they are used
    return refuse(op) << "there is no instruction for it";
  }

  /// Heads are columns: splitting and merging them moves nothing.
  LogicalResult readMove(Operation *op) {
    auto known = values.find(op->getOperand(0));
    auto transpose = dyn_cast<onnx::TransposeOp>(op);
    auto from = cast<RankedTensorType>(op->getOperand(0).getType()).getShape(),
         to = cast<RankedTensorType>(op->getResult(0).getType()).getShape();
    const bool isSplit = from.size() == 3 && to.size() == 4,
               isMerge = from.size() == 4 && to.size() == 3;
    if (transpose ? !isHeadTranspose(transpose)
                  : (!isSplit && !isMerge) || from.take_front(2) != to.take_front(2))
      return refuse(op) << "moves more than heads";
    if (known == values.end())
      return refuse(op) << "expects a value of the kernel";
    define(op->getResult(0), Columns(known->second));
    return success();
  }

  LogicalResult readSplit(onnx::SplitOp split) {
    auto known = values.find(split.getInput());
    if (known == values.end())
      return refuse(split) << "expects a value of the kernel";
    Columns columns = known->second;
    for (Value part : split.getOutputs()) {
      columns.width = cast<RankedTensorType>(part.getType()).getShape().back();
      define(part, columns);
      columns.first += columns.width;
    }
    return success();
  }

  //===-- Linear layers ----------------------------------------------------===//

  static Function functionOf(sattn::Activation activation) {
    switch (activation) {
    case sattn::Activation::Relu:
      return Function::Relu;
    case sattn::Activation::Gelu:
      return Function::Gelu;
    case sattn::Activation::GeluTanh:
      return Function::GeluTanh;
    case sattn::Activation::None:
    case sattn::Activation::Tanh:
      return Function::None;
    }
    return Function::None;
  }

  LogicalResult readLinear(sattn::LinearOp op) {
    if (op.getActivation() == sattn::Activation::Tanh)
      return refuse(op) << "the vector unit has relu and gelu, not tanh";
    LinearStep step{};
    FailureOr<size_t> source = getMatrix(op, op.getInput(), "input_range");
    if (failed(source))
      return failure();
    step.source = *source;
    step.function = functionOf(op.getActivation());
    if (op.getResidual()) {
      FailureOr<size_t> residual = getMatrix(op, op.getResidual(), "output_range");
      if (failed(residual))
        return failure();
      step.residual = *residual;
    }
    if (failed(readWeights(op, step)) || failed(chooseShift(op, step)))
      return failure();
    const Matrix &from = plan.matrices[step.source];
    step.destination = addMatrix(from.tokens, step.outputs);
    if (failed(scale(step.destination, op, "output_range")))
      return failure();
    plan.steps.push_back(step);
    defineWhole(op.getOutput(), step.destination);
    return success();
  }

  LogicalResult readWeights(sattn::LinearOp op, LinearStep &step) {
    auto expand = op.getWeight().getDefiningOp<sattn::NmExpandOp>();
    if (!expand)
      return refuse(op) << "expects compressed weights; run sattn-prune-weights first";
    sattn::NmAttr encoding = expand.getEncoding();
    const int64_t bits = isFixed ? arch.getInteger("weight_bits") : 32;
    if (encoding.getBits() != bits)
      return refuse(expand) << "has words of " << encoding.getBits()
                            << " bits; with numerics=" << arch.getText("numerics") << " they have "
                            << bits;
    const bool isDense = encoding.getN() == encoding.getM();
    if (!isDense &&
        (encoding.getN() != arch.getInteger("n") || encoding.getM() != arch.getInteger("m")))
      return refuse(expand) << "weights are compressed to " << encoding.getN() << ":"
                            << encoding.getM() << "; the machine selects " << arch.getInteger("n")
                            << ":" << arch.getInteger("m") << " (parameters `n` and `m`)";
    FailureOr<unsigned> values = getArgument(op, expand.getValues(), "its weights");
    if (failed(values))
      return failure();
    step.values = *values;
    if (expand.getBitmaps()) {
      FailureOr<unsigned> bitmaps = getArgument(op, expand.getBitmaps(), "its bitmaps");
      if (failed(bitmaps))
        return failure();
      step.bitmaps = *bitmaps;
    }
    auto words = cast<RankedTensorType>(expand.getValues().getType());
    step.outputs = words.getDimSize(0);
    step.valuesPerRow = words.getDimSize(1);
    step.inputs = step.valuesPerRow / encoding.getN() * encoding.getM();
    step.weightFraction = isFixed ? encoding.getFraction() : 0;
    return success();
  }

  LogicalResult chooseShift(sattn::LinearOp op, LinearStep &step) {
    FailureOr<double> range = rangeOf(op, "product_range");
    if (failed(range))
      return failure();
    const int64_t fraction = plan.matrices[step.source].fraction + step.weightFraction;
    step.shift = isFixed ? shiftOf(fraction, *range) : 0;
    if (!op.getBias())
      return success();
    FailureOr<unsigned> bias = getArgument(op, op.getBias(), "its bias");
    if (failed(bias))
      return failure();
    step.bias = Vector{*bias, step.outputs, isFixed ? fraction - step.shift : 0};
    return success();
  }

  //===-- Normalisation ----------------------------------------------------===//

  LogicalResult readNorm(onnx::LayerNormalizationOp op) {
    FailureOr<size_t> source = getMatrix(op, op.getX(), "input_range");
    if (failed(source))
      return failure();
    const Matrix from = plan.matrices[*source];
    NormStep step{};
    step.source = *source;
    step.destination = addMatrix(from.tokens, from.width);
    step.epsilon = op.getEpsilon().convertToDouble();
    if (failed(scale(step.destination, op, "output_range")))
      return failure();
    FailureOr<unsigned> factors = getArgument(op, op.getScale(), "its scale");
    if (failed(factors))
      return failure();
    step.scale = {*factors, from.width, isFixed ? kScaleFraction : 0};
    if (op.getB() && !onnx::isNone(op.getB())) {
      FailureOr<unsigned> bias = getArgument(op, op.getB(), "its bias");
      if (failed(bias))
        return failure();
      step.bias = Vector{
          *bias, from.width,
          isFixed ? plan.matrices[step.destination].fraction + arch.getInteger("guard_bits") : 0};
    }
    plan.steps.push_back(step);
    defineWhole(op.getY(), step.destination);
    return success();
  }

  //===-- Attention --------------------------------------------------------===//

  /// Q, K or V: columns of a matrix, or an argument that is loaded head by head.
  FailureOr<Columns> getHeads(sattn::AttentionOp op, Value value, StringRef range) {
    auto known = values.find(value);
    if (known != values.end())
      return known->second;
    auto argument = dyn_cast<BlockArgument>(value);
    if (!argument)
      return refuse(op) << "expects queries, keys and values of the kernel or from outside";
    ArrayRef<int64_t> shape = cast<RankedTensorType>(value.getType()).getShape();
    if (failed(setEntries(op, shape[0])))
      return failure();
    size_t matrix = addMatrix(shape[2], shape[1] * shape[3]);
    if (failed(scale(matrix, op, range)))
      return failure();
    plan.arguments[argument.getArgNumber()] =
        isa::getFlatDramType(cast<RankedTensorType>(value.getType()));
    defineWhole(value, matrix);
    plan.steps.push_back(TransferStep{values[value], argument.getArgNumber(), false, shape[1]});
    return values[value];
  }

  LogicalResult readAttention(sattn::AttentionOp op) {
    ArrayRef<int64_t> query = op.getQuery().getType().getShape();
    ArrayRef<int64_t> key = op.getKey().getType().getShape();
    for (int64_t size : llvm::concat<const int64_t>(query, key))
      if (size < 1 || size > kMaxSize)
        return refuse(op) << "dimensions must lie between 1 and " << kMaxSize << ", got "
                          << op.getQuery().getType() << " and " << op.getKey().getType();
    if (op.getValue().getType().getDimSize(3) != query[3])
      return refuse(op) << "values of " << op.getValue().getType().getDimSize(3)
                        << " dimensions under queries of " << query[3];
    if (op.getCausal() && query[2] > key[2])
      return refuse(op) << "causal attention from " << query[2] << " queries to " << key[2]
                        << " keys";
    if (op.getValid())
      return refuse(op) << "its keys and values come from a cache that grows, and it attends to "
                           "all keys; run attention on the host (--attention host)";
    if (op.getTokenScores() || op.getHeadScores())
      return refuse(op) << "it has no unit that ranks tokens or heads";
    if (!op.getPolicy().isDense())
      return refuse(op) << "it prunes weights and has no unit that selects pairs, got policy "
                        << op.getPolicyAttr();
    AttentionStep step{};
    for (auto [value, range, columns] : {std::tuple(Value(op.getQuery()), "q_range", &step.query),
                                         {op.getKey(), "k_range", &step.key},
                                         {op.getValue(), "v_range", &step.value}}) {
      FailureOr<Columns> found = getHeads(op, value, range);
      if (failed(found))
        return failure();
      *columns = *found;
    }
    step.heads = query[1];
    step.queries = query[2];
    step.keys = key[2];
    step.size = query[3];
    step.scale = op.getScale().convertToDouble();
    step.causal = op.getCausal();
    if (failed(readMask(op, step)) || failed(chooseScales(op, step)))
      return failure();
    plan.steps.push_back(step);
    defineWhole(op.getOutput(), step.destination);
    return success();
  }

  LogicalResult readMask(sattn::AttentionOp op, AttentionStep &step) {
    if (!op.getMask())
      return success();
    auto type = cast<RankedTensorType>(op.getMask().getType());
    if (type.getDimSize(3) != step.keys)
      return refuse(op) << "an additive mask of " << type << " has " << type.getDimSize(3)
                        << " columns for " << step.keys << " keys";
    FailureOr<unsigned> argument = getArgument(op, op.getMask(), "its mask");
    if (failed(argument))
      return failure();
    step.mask = *argument;
    step.maskBatch = type.getDimSize(0);
    step.maskHeads = type.getDimSize(1);
    step.maskQueries = type.getDimSize(2);
    return success();
  }

  LogicalResult chooseScales(sattn::AttentionOp op, AttentionStep &step) {
    step.destination = addMatrix(step.queries, step.heads * step.size);
    if (!isFixed)
      return success();
    FailureOr<double> range = rangeOf(op, "score_range");
    if (failed(range))
      return failure();
    // A weighted mean of values: the values' scale holds it.
    plan.matrices[step.destination].fraction = plan.matrices[step.value.matrix].fraction;
    step.scoreFraction = fractionOf(*range);
    step.probabilityFraction = std::min<int64_t>(15, arch.getInteger("softmax_levels"));
    step.scoreShift =
        shiftOf(plan.matrices[step.query.matrix].fraction + plan.matrices[step.key.matrix].fraction,
                step.scale != 0 ? *range / std::abs(step.scale) : *range);
    return success();
  }

  LogicalResult readReturn(isa::ReturnOp op) {
    for (auto [number, value] : llvm::enumerate(op.getOperands())) {
      auto known = values.find(value);
      if (known == values.end())
        return refuse(op) << "expects results made by the kernel";
      auto type = cast<RankedTensorType>(value.getType());
      const unsigned argument = kernel.getNumArguments() + number;
      int64_t heads = 0;
      if (type.getRank() == 4) {
        heads = type.getDimSize(1);
        plan.arguments[argument] = isa::getFlatDramType(type);
      } else if (type.getRank() != 3) {
        return refuse(op) << "expects results of the shape batch, tokens, width, got " << type;
      }
      plan.steps.push_back(TransferStep{known->second, argument, true, heads});
    }
    return success();
  }

  /// Factors of a normalisation lie around 1: three integer bits.
  static constexpr int64_t kScaleFraction = 12;
  isa::KernelOp kernel;
  isa::ArchAttr arch;
  bool isFixed;
  Plan plan;
  llvm::DenseMap<Value, Columns> values;
};

} // namespace

FailureOr<Plan> sta::makePlan(isa::KernelOp kernel, isa::ArchAttr arch) {
  return Planner(kernel, arch).run();
}
