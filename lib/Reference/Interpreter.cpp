// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Interpreter.cpp - reference semantics of whole functions -----------===//

#include "Reference/Npy.h"

#include "sparsam/Reference.h"

#include "check/Check.h"
#include "isa/Isa.h"

#include "mlir/IR/Matchers.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
namespace sem = sparsam::sattn::semantics;

namespace sparsam {
namespace {

using reference::Data;
using reference::Packed;

/// Runs the ops of a function one after the other. A failed check does not stop it, so that all are
/// reported; anything else does.
class Interpreter {
public:
  explicit Interpreter(llvm::raw_ostream &out) : out(out) {}

  /// Gives an argument its value; fails if there is no data of its type.
  LogicalResult bind(BlockArgument argument, DenseElementsAttr input) {
    std::optional<Data> data = reference::toData(input);
    if (!data)
      return emitError(argument.getLoc())
             << "cannot be interpreted: there are no inputs of type " << argument.getType();
    return set(argument, std::move(*data));
  }
  void print(Value value, StringRef label) {
    reference::print(get(value), value.getType(), label, out);
  }

  LogicalResult write(Value value, const std::string &path) {
    return reference::writeNpy(path, get(value), value.getType(), value.getLoc());
  }

  /// Fails on an op that cannot be run; see `passed` for checks.
  LogicalResult run(Block &block) {
    for (Operation &op : block)
      if (failed(run(op)))
        return failure();
    return success();
  }
  bool passed() const { return failedChecks == 0; }

private:
  LogicalResult run(Operation &op);

  // One per op, in the order of the dialect's definition.
  LogicalResult eval(func::ReturnOp) { return success(); }
  LogicalResult eval(isa::ReturnOp) { return success(); }
  LogicalResult evalConstant(Operation *op);
  LogicalResult eval(isa::LaunchOp op);
  LogicalResult eval(sattn::AttentionOp op);
  LogicalResult eval(sattn::LinearOp op);
  LogicalResult eval(sattn::CacheAppendOp op);
  LogicalResult eval(sattn::TopKOp op);
  LogicalResult eval(sattn::GatherOp op);
  LogicalResult eval(sattn::ScatterOp op);
  LogicalResult eval(sattn::SelectLargestOp op);
  LogicalResult eval(sattn::NmCompressOp op);
  LogicalResult eval(sattn::NmExpandOp op);
  LogicalResult eval(sattn::QuantizeOp op);
  LogicalResult eval(sattn::PredictOp op);
  LogicalResult eval(sattn::SelectOp op);
  LogicalResult eval(sattn::SelectAllOp op);
  LogicalResult eval(sattn::PatternMaskOp op);
  LogicalResult eval(sattn::ReorderOp op);
  LogicalResult eval(sattn::PackSplitOp op);
  LogicalResult eval(sattn::UnpackOp op);
  LogicalResult eval(sattn::PackedConstantOp op);
  LogicalResult eval(sattn::SddmmOp op);
  LogicalResult eval(sattn::SoftmaxOp op);
  LogicalResult eval(sattn::SpmmOp op);
  LogicalResult eval(check::ExpectCloseOp op);
  LogicalResult eval(check::ExpectEqualOp op);
  LogicalResult eval(check::PrintOp op);

  LogicalResult checkValid(sattn::AttentionOp op);
  FailureOr<sem::Mask> selectValues(sattn::AttentionOp op, const sem::Floats &probabilities,
                                    const sem::Mask &selection);
  void addScores(sattn::AttentionOp op, const sem::Floats &probabilities);
  void forget(Block &scratch);

  const Data &get(Value value) const { return values.find(value)->second; }
  const sem::Floats &floats(Value value) const { return std::get<sem::Floats>(get(value)); }
  const sem::Floats *optionalFloats(Value value) const { return value ? &floats(value) : nullptr; }
  const sem::Indices &indices(Value value) const { return std::get<sem::Indices>(get(value)); }
  int64_t count(Value value) const { return indices(value).data.front(); }
  const sem::Codes &codes(Value value) const { return std::get<sem::Codes>(get(value)); }
  /// The selection as a mask, whether packed or not.
  sem::Mask mask(Value value) const {
    if (auto *packed = std::get_if<Packed>(&get(value)))
      return sem::unpack(packed->subrows, packed->type);
    return std::get<sem::Mask>(get(value));
  }
  void store(Value value, Data data) { values[value] = std::move(data); }
  /// The last step of an op with one result.
  LogicalResult set(Value value, Data data) {
    store(value, std::move(data));
    return success();
  }

  llvm::raw_ostream &out;
  llvm::DenseMap<Value, Data> values;
  unsigned failedChecks = 0;
};

/// Refuses values whose size is not known or exceeds the interpreter's limit.
LogicalResult checkTypes(Operation &op) {
  for (Type type : llvm::concat<Type>(op.getOperandTypes(), op.getResultTypes())) {
    auto shape = dyn_cast<ShapedType>(type);
    if (shape && !sem::fits(shape, reference::kLimit))
      return op.emitOpError() << "cannot be interpreted on " << type
                              << ": expects static shapes of at most " << reference::kLimit
                              << " elements";
  }
  return success();
}

LogicalResult Interpreter::run(Operation &op) {
  if (failed(checkTypes(op)))
    return failure();
  return TypeSwitch<Operation *, LogicalResult>(&op)
      .Case<func::ReturnOp, isa::ReturnOp, isa::LaunchOp, sattn::AttentionOp, sattn::LinearOp,
            sattn::NmCompressOp, sattn::NmExpandOp, sattn::CacheAppendOp, sattn::TopKOp,
            sattn::GatherOp, sattn::ScatterOp, sattn::SelectLargestOp, sattn::QuantizeOp,
            sattn::PredictOp, sattn::SelectOp, sattn::SelectAllOp, sattn::PackSplitOp,
            sattn::UnpackOp, sattn::PackedConstantOp, sattn::PatternMaskOp, sattn::ReorderOp,
            sattn::SddmmOp, sattn::SoftmaxOp, sattn::SpmmOp, check::ExpectCloseOp,
            check::ExpectEqualOp, check::PrintOp>([this](auto op) { return eval(op); })
      .Default([this](Operation *op) -> LogicalResult {
        if (op->hasTrait<OpTrait::ConstantLike>())
          return evalConstant(op);
        return op->emitOpError() << "has no reference semantics: the interpreter runs ops of sattn "
                                    "and check, and constants";
      });
}

//===-- Programs -----------------------------------------------------------===//

LogicalResult Interpreter::evalConstant(Operation *op) {
  Attribute value;
  if (matchPattern(op, m_Constant(&value)))
    if (std::optional<Data> data = reference::toData(value))
      return set(op->getResult(0), std::move(*data));
  return op->emitOpError()
         << "has no reference semantics for " << op->getResult(0).getType()
         << ": there are tensors of f32, i64, i32, i16, i8, ui16, ui8 and i1 with at most four "
            "dimensions";
}

LogicalResult Interpreter::eval(isa::LaunchOp op) {
  auto kernel = SymbolTable::lookupNearestSymbolFrom<isa::KernelOp>(op, op.getKernelAttr());
  if (op->getParentOfType<isa::KernelOp>())
    return op.emitOpError() << "cannot be interpreted inside of a kernel";
  if (kernel.isExternal() || kernel.isMachineForm())
    return op.emitOpError() << "cannot be interpreted: kernel '" << op.getKernel()
                            << "' is not in tensor form";
  Block &body = kernel.getBody().front();
  for (auto [argument, input] : llvm::zip_equal(body.getArguments(), op.getInputs()))
    store(argument, Data(get(input)));
  if (failed(run(body)))
    return failure();
  for (auto [output, result] :
       llvm::zip_equal(op.getOutputs(), body.getTerminator()->getOperands()))
    store(output, Data(get(result)));
  return success();
}

//===-- High level ---------------------------------------------------------===//

/// Policies select among all keys, so only the one that keeps every pair can hide some afterwards.
LogicalResult Interpreter::checkValid(sattn::AttentionOp op) {
  const int64_t valid = count(op.getValid()), keys = op.getKey().getType().getDimSize(2);
  if (valid < 1 || valid > keys)
    return op.emitOpError() << "cannot be interpreted: expects 1 to " << keys << " valid keys, got "
                            << valid;
  if (op.getPolicy().isDense())
    return success();
  return op.emitOpError() << "cannot be interpreted: with `valid` keys there is only the policy "
                             "#sattn.dense";
}

/// The policy says which pairs survive by building the ops that compute it; they are run and thrown
/// away.
LogicalResult Interpreter::eval(sattn::AttentionOp op) {
  StringRef missing = op.getPolicy().missingCalibration();
  if (!missing.empty())
    return op.emitOpError() << "cannot be interpreted: its selection policy has no value for `"
                            << missing << "`";
  if (op.getValid() && failed(checkValid(op)))
    return failure();
  Block scratch;
  OpBuilder builder(op.getContext());
  builder.setInsertionPointToStart(&scratch);
  Value selection = op.getPolicy().buildSelection(builder, op);
  if (failed(run(scratch)))
    return failure();
  sem::Mask selected = mask(selection);
  if (op.getValid())
    sem::hideInvalid(selected, count(op.getValid()), op.getCausal());
  sem::Floats probabilities =
      sem::softmax(sem::sddmm(floats(op.getQuery()), floats(op.getKey()), selected,
                              optionalFloats(op.getMask()), op.getScale().convertToFloat()),
                   selected);
  FailureOr<sem::Mask> mixed = selectValues(op, probabilities, selected);
  if (failed(mixed))
    return failure();
  // Where all values are mixed the division comes last, which loses less.
  store(op.getOutput(),
        *mixed == selected
            ? sem::attention(floats(op.getQuery()), floats(op.getKey()), floats(op.getValue()),
                             *mixed, optionalFloats(op.getMask()), op.getScale().convertToFloat())
            : sem::spmm(probabilities, floats(op.getValue()), *mixed));
  addScores(op, probabilities);
  forget(scratch);
  return success();
}

/// What the tokens and heads got so far, where the op accumulates it.
void Interpreter::addScores(sattn::AttentionOp op, const sem::Floats &probabilities) {
  if (op.getTokenScores()) {
    sem::Floats scores = floats(op.getTokenScores());
    sem::addTokenScores(probabilities, scores);
    store(op.getNewTokenScores(), std::move(scores));
  }
  if (op.getHeadScores()) {
    sem::Floats scores = floats(op.getHeadScores());
    sem::addHeadScores(floats(op.getOutput()), scores);
    store(op.getNewHeadScores(), std::move(scores));
  }
}

/// The pairs whose values are mixed.
FailureOr<sem::Mask> Interpreter::selectValues(sattn::AttentionOp op,
                                               const sem::Floats &probabilities,
                                               const sem::Mask &selection) {
  Block scratch;
  OpBuilder builder(op.getContext());
  builder.setInsertionPointToStart(&scratch);
  ArrayRef<int64_t> shape(probabilities.shape);
  Value argument =
      scratch.addArgument(RankedTensorType::get(shape, builder.getF32Type()), op.getLoc());
  store(argument, probabilities);
  Value kept = op.getPolicy().buildValueSelection(builder, op, argument);
  if (failed(run(scratch)))
    return failure();
  sem::Mask result = kept ? mask(kept) : selection;
  forget(scratch);
  return result;
}

/// Drops what the ops of `scratch`, which is about to go, have computed.
void Interpreter::forget(Block &scratch) {
  for (Value argument : scratch.getArguments())
    values.erase(argument);
  for (Operation &helper : scratch)
    for (Value result : helper.getResults())
      values.erase(result);
}

LogicalResult Interpreter::eval(sattn::LinearOp op) {
  return set(op.getOutput(),
             sem::linear(floats(op.getInput()), floats(op.getWeight()),
                         optionalFloats(op.getBias()), optionalFloats(op.getResidual()),
                         op.getActivation(), op.getTransposeWeight()));
}

LogicalResult Interpreter::eval(sattn::CacheAppendOp op) {
  const sem::Floats &cache = floats(op.getCache()), &tokens = floats(op.getTokens());
  const int64_t length = count(op.getLength());
  if (length < 0 || length + tokens.shape[2] > cache.shape[2])
    return op.emitOpError() << "cannot be interpreted: " << tokens.shape[2] << " tokens after "
                            << length << " do not fit a cache of " << cache.shape[2];
  return set(op.getResult(), sem::cacheAppend(cache, tokens, length));
}

//===-- Tokens -------------------------------------------------------------===//

LogicalResult Interpreter::eval(sattn::TopKOp op) {
  return set(op.getIndices(), sem::topKRows(floats(op.getScores()), op.getK(), op.getProtect()));
}

LogicalResult Interpreter::eval(sattn::SelectLargestOp op) {
  return set(op.getSelection(), sem::selectLargest(floats(op.getProbabilities()), op.getK()));
}

/// Dimension `dim` of a tensor, counted as in an array of four.
static int64_t toArrayDim(Value tensor, int64_t dim) {
  return dim + 4 - cast<ShapedType>(tensor.getType()).getRank();
}

LogicalResult Interpreter::eval(sattn::GatherOp op) {
  auto gather = [&](const auto &input) -> LogicalResult {
    auto result = sem::gather(input, indices(op.getIndices()), toArrayDim(op.getInput(), 0),
                              toArrayDim(op.getInput(), op.getDim()));
    if (!result)
      return op.emitOpError() << "has an index outside of " << op.getInput().getType();
    return set(op.getOutput(), std::move(*result));
  };
  if (auto *input = std::get_if<sem::Floats>(&get(op.getInput())))
    return gather(*input);
  if (auto *input = std::get_if<sem::Indices>(&get(op.getInput())))
    return gather(*input);
  return op.emitOpError() << "has no reference semantics for " << op.getInput().getType();
}

LogicalResult Interpreter::eval(sattn::ScatterOp op) {
  if (!std::holds_alternative<sem::Floats>(get(op.getInput())))
    return op.emitOpError() << "has no reference semantics for " << op.getInput().getType();
  auto result = sem::scatter(floats(op.getInput()), indices(op.getIndices()),
                             toArrayDim(op.getInput(), 0), toArrayDim(op.getInput(), op.getDim()),
                             op.getOutput().getType().getDimSize(op.getDim()));
  if (!result)
    return op.emitOpError() << "has an index outside of " << op.getOutput().getType();
  return set(op.getOutput(), std::move(*result));
}

//===-- Compressed weights -------------------------------------------------===//

/// Words as data of their type: bytes are codes, and floats stay what they are.
static Data toWords(const sem::Floats &values, Type element) {
  if (element.isF32())
    return values;
  auto convert = [&](auto words) {
    words.shape = values.shape;
    words.data.assign(values.data.begin(), values.data.end());
    return Data(std::move(words));
  };
  return element.isInteger(8) ? convert(sem::Codes()) : convert(sem::Integers());
}

LogicalResult Interpreter::eval(sattn::NmCompressOp op) {
  sem::NmParts parts =
      sem::nmCompress(floats(op.getWeight()), op.getEncoding(), op.getTransposeWeight());
  store(op.getValues(),
        toWords(parts.values, cast<ShapedType>(op.getValues().getType()).getElementType()));
  if (op.getBitmaps())
    store(op.getBitmaps(), std::move(parts.bitmaps));
  return success();
}

LogicalResult Interpreter::eval(sattn::NmExpandOp op) {
  sem::NmParts parts;
  std::visit(
      [&](const auto &words) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(words)>, Packed>) {
          parts.values.shape = words.shape;
          parts.values.data.assign(words.data.begin(), words.data.end());
        }
      },
      get(op.getValues()));
  if (op.getBitmaps())
    parts.bitmaps = std::get<sem::Integers>(get(op.getBitmaps()));
  return set(op.getWeight(), sem::nmExpand(parts, op.getEncoding(), op.getTransposeWeight()));
}

//===-- Making the mask ----------------------------------------------------===//

LogicalResult Interpreter::eval(sattn::QuantizeOp op) {
  auto [codes, norms] = sem::quantize(floats(op.getInput()), op.getBits(),
                                      op.getRange().convertToDouble(), op.getNormalize());
  store(op.getNorms(), std::move(norms));
  return set(op.getCodes(), std::move(codes));
}

LogicalResult Interpreter::eval(sattn::PredictOp op) {
  sem::PredictSettings settings{op.getQScale().convertToDouble(), op.getKScale().convertToDouble(),
                                op.getScale().convertToFloat(), op.getCausal()};
  return set(op.getProbabilities(),
             sem::predict(codes(op.getQuery()), floats(op.getQueryNorms()), codes(op.getKey()),
                          floats(op.getKeyNorms()), optionalFloats(op.getMask()), settings));
}

LogicalResult Interpreter::eval(sattn::SelectOp op) {
  return set(op.getSelection(), sem::select(floats(op.getProbabilities()),
                                            op.getThreshold().convertToDouble(), op.getEmptyRow()));
}

LogicalResult Interpreter::eval(sattn::SelectAllOp op) {
  return set(op.getSelection(),
             sem::selectAll(op.getSelection().getType().getShape(), op.getCausal()));
}

LogicalResult Interpreter::eval(sattn::PatternMaskOp op) {
  return set(op.getSelection(),
             sem::patternMask(op.getPattern(), op.getSelection().getType().getShape()));
}

LogicalResult Interpreter::eval(sattn::ReorderOp op) {
  return set(op.getOutput(),
             sem::reorder(floats(op.getInput()), op.getDilation(), op.getInverse()));
}

LogicalResult Interpreter::eval(sattn::PackSplitOp op) {
  sattn::PackedType type = op.getPacked().getType();
  return set(op.getPacked(), Packed{sem::packSplit(mask(op.getMask()), type), type});
}

LogicalResult Interpreter::eval(sattn::UnpackOp op) {
  return set(op.getMask(), mask(op.getPacked()));
}

LogicalResult Interpreter::eval(sattn::PackedConstantOp op) {
  return set(op.getPacked(), Packed{*sem::toSubrows(op.getSubrows()), op.getPacked().getType()});
}

//===-- Over the mask ------------------------------------------------------===//

LogicalResult Interpreter::eval(sattn::SddmmOp op) {
  return set(op.getScores(),
             sem::sddmm(floats(op.getQuery()), floats(op.getKey()), mask(op.getSelection()),
                        optionalFloats(op.getMask()), op.getScale().convertToFloat()));
}

LogicalResult Interpreter::eval(sattn::SoftmaxOp op) {
  return set(op.getProbabilities(), sem::softmax(floats(op.getScores()), mask(op.getSelection())));
}

LogicalResult Interpreter::eval(sattn::SpmmOp op) {
  return set(op.getOutput(), sem::spmm(floats(op.getProbabilities()), floats(op.getValue()),
                                       mask(op.getSelection())));
}

//===-- Expectations -------------------------------------------------------===//

LogicalResult Interpreter::eval(check::ExpectCloseOp op) {
  std::string distance = reference::describeDistance(
      floats(op.getActual()), floats(op.getExpected()), op.getMaxAbs().convertToDouble());
  if (!distance.empty() && ++failedChecks)
    op.emitError(distance);
  return success();
}

LogicalResult Interpreter::eval(check::ExpectEqualOp op) {
  std::string difference =
      reference::describeDifference(get(op.getActual()), get(op.getExpected()));
  if (!difference.empty() && ++failedChecks)
    op.emitError(difference);
  return success();
}

LogicalResult Interpreter::eval(check::PrintOp op) {
  print(op.getValue(), op.getLabel());
  return success();
}

} // namespace

LogicalResult interpret(func::FuncOp function, llvm::raw_ostream &out,
                        ArrayRef<DenseElementsAttr> inputs, ArrayRef<std::string> outputs) {
  if (function.isExternal() || !function.getBody().hasOneBlock())
    return emitError(function.getLoc())
           << "@" << function.getName() << " cannot be interpreted: expects one block";
  if (function.getNumArguments() != inputs.size())
    return emitError(function.getLoc())
           << "@" << function.getName() << " cannot be interpreted: it has "
           << function.getNumArguments() << " arguments, but there are " << inputs.size()
           << " inputs";
  if (!outputs.empty() && function.getNumResults() != outputs.size())
    return emitError(function.getLoc())
           << "@" << function.getName() << " cannot be interpreted: it has "
           << function.getNumResults() << " results, but there are " << outputs.size()
           << " outputs";
  Interpreter interpreter(out);
  Block &body = function.getBody().front();
  for (auto [argument, input] : llvm::zip_equal(body.getArguments(), inputs))
    if (failed(interpreter.bind(argument, input)))
      return failure();
  if (failed(interpreter.run(body)))
    return failure();
  for (auto [path, result] : llvm::zip(outputs, body.getTerminator()->getOperands()))
    if (failed(interpreter.write(result, path)))
      return failure();
  if (!inputs.empty() && outputs.empty())
    for (auto [number, result] : llvm::enumerate(body.getTerminator()->getOperands()))
      interpreter.print(result, "result " + std::to_string(number));
  return success(interpreter.passed());
}

} // namespace sparsam
