// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Inputs.cpp - static shapes for the inputs of a graph ---------------===//

#include "Inputs.h"
#include "Tensors.h"

#include "mlir/IR/Diagnostics.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace sparsam {

namespace {

/// A dimension as declared: fixed, named by a symbol, or unknown.
struct Dimension {
  int64_t extent = ShapedType::kDynamic;
  std::string symbol;

  bool isDynamic() const { return ShapedType::isDynamic(extent); }
  /// As the model declares it, whatever extent its symbol was given.
  std::string str() const {
    if (!symbol.empty())
      return symbol;
    return isDynamic() ? "?" : std::to_string(extent);
  }
};

using Symbols = std::map<std::string, int64_t>;

struct Input {
  std::string name;
  Type element;
  bool ranked = true;
  std::vector<Dimension> dimensions;

  std::string str() const {
    if (!ranked)
      return name + " [any rank]";
    return name + " [" +
           llvm::join(llvm::map_range(dimensions, std::mem_fn(&Dimension::str)), ", ") + "]";
  }
};

class InputResolver {
public:
  InputResolver(const proto::GraphProto &graph, const ImportOptions &options, Location loc)
      : graph(graph), options(options), loc(loc) {}

  FailureOr<std::vector<GraphInput>> run();

private:
  LogicalResult readInputs();
  LogicalResult readInput(const proto::ValueInfoProto &info);
  LogicalResult readShape(const proto::TensorShapeProto &shape, Input &input);
  /// `subject` is what errors call the shape.
  LogicalResult applyShape(Input &input, ArrayRef<int64_t> shape, const std::string &subject);
  LogicalResult applyShapes();
  LogicalResult checkNames();
  LogicalResult fixSymbol(const std::string &symbol, int64_t extent, const std::string &input,
                          const std::string &subject);
  void applySymbols();
  LogicalResult checkStatic();
  std::string suggestFlags();

  /// An error with a note that lists the inputs.
  LogicalResult fail(const Twine &message, const std::string &remedy = "");

  const proto::GraphProto &graph;
  const ImportOptions &options;
  Location loc;
  std::vector<Input> inputs;
  llvm::StringSet<> initializers;
  /// The extents of symbols, and the inputs whose shapes fixed them.
  Symbols symbols;
  std::map<std::string, std::string> fixedBy;
};

} // namespace

/// The extent of a symbol, or of a sum of symbols and numbers: exporters write "past + sequence".
static std::optional<int64_t> evaluate(StringRef symbol, const Symbols &symbols) {
  if (auto it = symbols.find(symbol.str()); it != symbols.end())
    return it->second;
  int64_t sum = 0;
  for (StringRef part : llvm::split(symbol, '+')) {
    int64_t number = 0;
    auto it = symbols.find(part.trim().str());
    if (it == symbols.end() && part.trim().getAsInteger(10, number))
      return std::nullopt;
    sum += it == symbols.end() ? number : it->second;
  }
  return sum;
}

static std::string formatShape(ArrayRef<int64_t> shape) {
  if (shape.empty())
    return "scalar";
  return llvm::join(llvm::map_range(shape, [](int64_t extent) { return std::to_string(extent); }),
                    "x");
}

LogicalResult InputResolver::fail(const Twine &message, const std::string &remedy) {
  InFlightDiagnostic diagnostic = emitError(loc) << message;
  if (!remedy.empty())
    diagnostic.attachNote() << remedy;
  if (inputs.empty())
    diagnostic.attachNote() << "the model has no inputs";
  else
    diagnostic.attachNote() << "the inputs of the model are "
                            << llvm::join(llvm::map_range(inputs, std::mem_fn(&Input::str)), ", ");
  return diagnostic;
}

LogicalResult InputResolver::readShape(const proto::TensorShapeProto &shape, Input &input) {
  for (const proto::TensorShapeProto::Dimension &dimension : shape.dim()) {
    Dimension &read = input.dimensions.emplace_back();
    if (dimension.has_dim_value())
      read.extent = dimension.dim_value();
    else if (dimension.has_dim_param())
      read.symbol = dimension.dim_param();
    if (dimension.has_dim_value() && dimension.dim_value() < 1)
      return emitError(loc) << "input '" << input.name << "' has the extent "
                            << dimension.dim_value() << " in dimension "
                            << input.dimensions.size() - 1 << "; extents are at least 1";
  }
  return success();
}

LogicalResult InputResolver::readInput(const proto::ValueInfoProto &info) {
  if (info.name().empty())
    return emitError(loc) << "an input of the graph has no name";
  if (llvm::is_contained(llvm::map_range(inputs, [](const Input &input) { return input.name; }),
                         info.name()))
    return emitError(loc) << "input '" << info.name() << "' is declared twice";
  if (!info.type().has_tensor_type())
    return emitError(loc)
           << "input '" << info.name()
           << "' is not a tensor; sequences, maps, optional and sparse values are not supported";
  Input input;
  input.name = info.name();
  const proto::TypeProto::Tensor &type = info.type().tensor_type();
  FailureOr<Type> element = getElementType(type.elem_type(), "input '" + input.name + "'", loc);
  if (failed(element))
    return failure();
  input.element = *element;
  input.ranked = type.has_shape();
  if (input.ranked && failed(readShape(type.shape(), input)))
    return failure();
  inputs.push_back(std::move(input));
  return success();
}

LogicalResult InputResolver::readInputs() {
  for (const proto::TensorProto &initializer : graph.initializer())
    initializers.insert(initializer.name());
  for (const proto::ValueInfoProto &info : graph.input())
    if (!initializers.contains(info.name()) && failed(readInput(info)))
      return failure();
  return success();
}

LogicalResult InputResolver::applyShape(Input &input, ArrayRef<int64_t> shape,
                                        const std::string &subject) {
  if (!input.ranked) {
    input.ranked = true;
    input.dimensions.resize(shape.size());
  }
  if (shape.size() != input.dimensions.size())
    return fail(subject + " has " + Twine(shape.size()) + " dimensions, but the input has " +
                Twine(input.dimensions.size()));
  for (auto [i, extent] : llvm::enumerate(shape)) {
    Dimension &dimension = input.dimensions[i];
    if (extent < 1)
      return fail(subject + " has the extent " + Twine(extent) + "; extents are at least 1");
    if (!dimension.isDynamic() && dimension.extent != extent)
      return fail(subject + " contradicts the model: dimension " + Twine(i) + " is " +
                  Twine(dimension.extent));
    if (!dimension.symbol.empty() &&
        failed(fixSymbol(dimension.symbol, extent, input.name, subject)))
      return failure();
    dimension.extent = extent;
  }
  return success();
}

LogicalResult InputResolver::fixSymbol(const std::string &symbol, int64_t extent,
                                       const std::string &input, const std::string &subject) {
  if (options.symbols.count(symbol))
    return fail(subject + " fixes the dimension '" + symbol + "', which --cache counts");
  auto [it, inserted] = symbols.try_emplace(symbol, extent);
  if (inserted)
    fixedBy[symbol] = input;
  if (it->second != extent)
    return fail(subject + " contradicts another shape: '" + symbol + "' is " + Twine(it->second) +
                " in input '" + fixedBy[symbol] + "'");
  return success();
}

/// "; did you mean 'tokens'?", or nothing where no name is near.
static std::string suggestInput(StringRef name, ArrayRef<Input> inputs) {
  unsigned nearest = std::max<unsigned>(name.size() / 3, 1) + 1;
  std::string suggestion;
  for (const Input &input : inputs)
    if (unsigned distance = name.edit_distance(input.name, /*AllowReplacements=*/true, nearest);
        distance < nearest) {
      nearest = distance;
      suggestion = "; did you mean '" + input.name + "'?";
    }
  return suggestion;
}

LogicalResult InputResolver::checkNames() {
  auto isInput = [&](const std::string &name) {
    return llvm::any_of(inputs, [&](const Input &input) { return input.name == name; });
  };
  for (const auto &[name, shape] : options.shapes)
    if (!isInput(name))
      return fail("--shape " + name + "=" + formatShape(shape) + " names no input of the model");
  for (const auto &[name, shape] : options.tensorShapes)
    if (initializers.contains(name))
      return fail("the model takes no tensor '" + name + "': an initializer fixes its value");
    else if (!isInput(name))
      return fail("the model has no input '" + name + "'" + suggestInput(name, inputs));
  return success();
}

LogicalResult InputResolver::applyShapes() {
  for (Input &input : inputs) {
    auto shape = options.shapes.find(input.name), tensor = options.tensorShapes.find(input.name);
    LogicalResult applied = success();
    if (shape != options.shapes.end())
      applied = applyShape(input, shape->second,
                           "--shape " + input.name + "=" + formatShape(shape->second));
    else if (tensor != options.tensorShapes.end())
      applied = applyShape(input, tensor->second,
                           "the given tensor '" + input.name + "' of shape " +
                               formatShape(tensor->second));
    if (failed(applied))
      return failure();
  }
  return success();
}

void InputResolver::applySymbols() {
  for (Input &input : inputs)
    for (Dimension &dimension : input.dimensions)
      if (dimension.isDynamic() && !dimension.symbol.empty())
        if (std::optional<int64_t> extent = evaluate(dimension.symbol, symbols))
          dimension.extent = *extent;
}

// Flags with example extents: 1 in the first dimension (the batch), 128 in the others. Symbols need
// to be given once, and sums of them not at all.
std::string InputResolver::suggestFlags() {
  std::string flags;
  Symbols given = symbols;
  for (const Input &input : inputs) {
    std::vector<int64_t> shape;
    bool needed = !input.ranked;
    for (const Dimension &dimension : input.dimensions) {
      int64_t example = shape.empty() ? 1 : 128;
      if (dimension.isDynamic() && dimension.symbol.empty()) {
        needed = true;
      } else if (dimension.isDynamic()) {
        std::optional<int64_t> known = evaluate(dimension.symbol, given);
        needed |= !known;
        example = known.value_or(example);
        given.try_emplace(dimension.symbol, example);
      }
      shape.push_back(dimension.isDynamic() ? example : dimension.extent);
    }
    if (!input.ranked)
      shape = {1, 128};
    if (needed)
      flags += " --shape " + input.name + "=" + formatShape(shape);
  }
  return flags;
}

LogicalResult InputResolver::checkStatic() {
  for (const Input &input : inputs) {
    bool dynamic = llvm::any_of(input.dimensions, std::mem_fn(&Dimension::isDynamic));
    if (dynamic || !input.ranked)
      return fail("input '" + input.name + "' has " +
                      (input.ranked ? "dynamic dimensions" : "no declared shape") +
                      "; its shape must be given",
                  "give it with, for example," + suggestFlags());
    SmallVector<int64_t> shape =
        llvm::map_to_vector(input.dimensions, [](const Dimension &d) { return d.extent; });
    if (!getElementCount(shape))
      return fail("input '" + input.name + "' has the shape " + formatShape(shape) +
                  ", which has more than 2^40 elements");
  }
  return success();
}

FailureOr<std::vector<GraphInput>> InputResolver::run() {
  if (failed(readInputs()) || failed(checkNames()))
    return failure();
  symbols = options.symbols;
  if (failed(applyShapes()))
    return failure();
  applySymbols();
  if (failed(checkStatic()))
    return failure();
  std::vector<GraphInput> resolved;
  for (const Input &input : inputs) {
    SmallVector<int64_t> shape =
        llvm::map_to_vector(input.dimensions, [](const Dimension &d) { return d.extent; });
    resolved.push_back({input.name, RankedTensorType::get(shape, input.element)});
  }
  return resolved;
}

FailureOr<std::vector<GraphInput>> resolveInputs(const proto::GraphProto &graph,
                                                 const ImportOptions &options, Location loc) {
  return InputResolver(graph, options, loc).run();
}

} // namespace sparsam
