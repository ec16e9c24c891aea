// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ProgramImage.cpp - stages and tensors of a module ------------------===//

#include "Assembler/ProgramImage.h"
#include "Support/NodeName.h"

#include "sattn/Sattn.h"
#include "sparsam/Placement.h"

#include "runtime/program/ProgramHeader.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

#include <set>

using namespace mlir;

namespace sparsam {

namespace {

/// Name that the importer gives arguments and results.
constexpr llvm::StringLiteral kGraphName = "onnx.name";

/// Ops whose result has the bytes of their first operand.
bool isReshapeLike(Operation *op) {
  static const llvm::StringSet<> names = {"onnx.Reshape", "onnx.Squeeze",  "onnx.Unsqueeze",
                                          "onnx.Flatten", "onnx.Identity", "onnx.Dropout"};
  if (!names.contains(op->getName().getStringRef()))
    return false;
  return llvm::all_of(llvm::drop_begin(op->getResults()),
                      [](Value result) { return result.use_empty(); });
}

std::optional<program::DType> getDType(Type type) {
  if (type.isF32())
    return program::DType::f32;
  if (type.isF64())
    return program::DType::f64;
  if (type.isF16())
    return program::DType::f16;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return std::nullopt;
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return program::DType::boolean;
  case 8:
    return isUnsigned ? program::DType::u8 : program::DType::i8;
  case 16:
    return isUnsigned ? program::DType::u16 : program::DType::i16;
  case 32:
    return isUnsigned ? std::nullopt : std::optional(program::DType::i32);
  case 64:
    return isUnsigned ? std::nullopt : std::optional(program::DType::i64);
  default:
    return std::nullopt;
  }
}

uint64_t getByteWidth(program::DType dtype) {
  switch (dtype) {
  case program::DType::i64:
  case program::DType::f64:
    return 8;
  case program::DType::f32:
  case program::DType::i32:
    return 4;
  case program::DType::f16:
  case program::DType::i16:
  case program::DType::u16:
    return 2;
  default:
    return 1;
  }
}

class Builder {
public:
  explicit Builder(ModuleOp module) : module(module) {}

  FailureOr<ProgramImage> run(const Provenance &provenance) {
    for (const auto &[name, value] : provenance)
      image.provenance.emplace_back(name, value);
    if (auto arch = module->getAttrOfType<isa::ArchAttr>(isa::kArchAttr)) {
      image.target = arch.getTarget().str();
      for (NamedAttribute parameter : arch.getParameters())
        image.arch.emplace_back(parameter.getName().str(), readAttribute(parameter.getValue()));
    }
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!main || !main.getBody().hasOneBlock())
      return emitError(module.getLoc(), "needs a function @main of one block to be assembled");
    FailureOr<std::optional<CacheImage>> cache = readCache(main);
    if (failed(cache))
      return failure();
    image.cache = *cache;
    if (failed(addInputs(main)) || failed(reserveOutputs(main)))
      return failure();
    for (Operation &op : main.getBody().front())
      if (failed(addOp(&op)))
        return failure();
    placeActivations();
    return std::move(image);
  }

private:
  //===-- Tensors ----------------------------------------------------------===//

  FailureOr<TensorImage> describe(Value value, StringRef name, program::TensorKind kind) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || !type.hasStaticShape())
      return emitError(value.getLoc())
             << "cannot be assembled: expects tensors of static shape, got " << value.getType();
    std::optional<program::DType> dtype = getDType(type.getElementType());
    if (!dtype)
      return emitError(value.getLoc())
             << "cannot be assembled: the runtime has no tensors of " << type.getElementType();
    return TensorImage{name.str(), *dtype, std::vector<int64_t>(type.getShape()),
                       kind,       0,      uint64_t(type.getNumElements()) * getByteWidth(*dtype)};
  }

  FailureOr<int32_t> addTensor(Value value, StringRef name, program::TensorKind kind) {
    FailureOr<TensorImage> tensor = describe(value, unique(name), kind);
    if (failed(tensor))
      return failure();
    image.tensors.push_back(std::move(*tensor));
    return int32_t(image.tensors.size() - 1);
  }

  std::string unique(StringRef name) {
    std::string candidate = name.str();
    for (unsigned suffix = 1; !names.insert(candidate).second; ++suffix)
      candidate = (name + "_" + Twine(suffix)).str();
    return candidate;
  }

  LogicalResult addInputs(func::FuncOp main) {
    for (BlockArgument argument : main.getArguments()) {
      unsigned number = argument.getArgNumber();
      auto name = main.getArgAttrOfType<StringAttr>(number, kGraphName);
      FailureOr<ArgumentRole> role = readRole(main, number);
      if (failed(role))
        return failure();
      const bool isKept = role->isLength || !role->output.empty();
      FailureOr<int32_t> tensor =
          addTensor(argument, name ? name.getValue() : ("arg" + Twine(number)).str(),
                    isKept ? program::TensorKind::state : program::TensorKind::input);
      if (failed(tensor))
        return failure();
      tensors[argument] = *tensor;
      if (isKept)
        placeState(*tensor);
      if (image.cache)
        addRole(*tensor, *role);
      if (!isKept)
        image.inputs.push_back(*tensor);
    }
    if (image.cache && image.cache->length < 0)
      return emitError(main.getLoc()) << "@main has caches, but no argument for their length (`"
                                      << sattn::kLengthAttr << "`)";
    return success();
  }

  void placeState(int32_t tensor) {
    TensorImage &state = image.tensors[tensor];
    state.offset = llvm::alignTo(image.stateBytes, runtime::ProgramHeader::kAlignment);
    image.stateBytes = state.offset + state.bytes;
  }

  void addRole(int32_t tensor, const ArgumentRole &role) {
    if (role.isLength)
      image.cache->length = tensor;
    else if (!role.output.empty())
      image.cache->states.push_back(
          {tensor, image.tensors[tensor].name, role.output, role.axis.value_or(-1)});
    else if (role.axis)
      image.cache->growing.push_back({tensor, uint32_t(*role.axis), role.extra});
  }

  /// The state that a result of this name continues; null for an output.
  const StateImage *findState(StringRef output) const {
    if (image.cache)
      for (const StateImage &state : image.cache->states)
        if (state.output == output)
          return &state;
    return nullptr;
  }

  /// Outputs are written in place by the stage that computes them. What no stage computes, or two
  /// outputs share, is copied at the end.
  LogicalResult reserveOutputs(func::FuncOp main) {
    auto returnOp = dyn_cast<func::ReturnOp>(main.getBody().front().getTerminator());
    if (!returnOp)
      return emitError(main.getLoc(), "@main must end in func.return");
    for (auto [number, value] : llvm::enumerate(returnOp.getOperands())) {
      auto name = main.getResultAttrOfType<StringAttr>(number, kGraphName);
      if (const StateImage *state = findState(name ? name.getValue() : "")) {
        copies.emplace_back(value, state->tensor);
        continued.insert(state->tensor);
        continue;
      }
      FailureOr<int32_t> tensor =
          addTensor(value, name ? name.getValue() : ("result" + Twine(number)).str(),
                    program::TensorKind::output);
      if (failed(tensor))
        return failure();
      image.outputs.push_back(*tensor);
      Operation *producer = value.getDefiningOp();
      if (producer && !matchPattern(value, m_Constant()) && !tensors.count(value))
        tensors[value] = *tensor;
      else
        copies.emplace_back(value, *tensor);
    }
    for (unsigned i = 0; image.cache && i < image.cache->states.size(); ++i)
      if (const StateImage &state = image.cache->states[i]; !continued.count(state.tensor))
        return emitError(main.getLoc()) << "@main has no result '" << state.output
                                        << "' to continue '" << state.input << "'";
    return success();
  }

  /// The tensor of an operand; -1 for an absent one.
  FailureOr<int32_t> use(Value value) {
    if (llvm::isa<NoneType>(value.getType()))
      return -1;
    auto it = tensors.find(value);
    if (it != tensors.end()) {
      touch(it->second);
      return it->second;
    }
    ElementsAttr constant;
    if (!matchPattern(value, m_Constant(&constant)))
      return emitError(value.getLoc()) << "cannot be assembled: nothing computes this value";
    return addConstant(value, constant);
  }

  FailureOr<int32_t> addConstant(Value value, ElementsAttr constant) {
    auto [it, isNew] = constants.try_emplace(constant, -1);
    if (isNew) {
      std::string name = getNodeName(value.getLoc());
      if (auto resource = dyn_cast<DenseResourceElementsAttr>(constant))
        name = resource.getRawHandle().getKey().str();
      FailureOr<int32_t> tensor =
          addTensor(value, name.empty() ? "constant" : name, program::TensorKind::constant);
      if (failed(tensor))
        return failure();
      it->second = *tensor;
      TensorImage &added = image.tensors.back();
      added.offset = llvm::alignTo(image.dataBytes, runtime::ProgramHeader::kAlignment);
      image.dataBytes = added.offset + added.bytes;
      image.data.emplace_back(added.offset, constant);
    }
    tensors[value] = it->second;
    return it->second;
  }

  FailureOr<int32_t> define(Value value) {
    auto it = tensors.find(value);
    if (it != tensors.end())
      return it->second; // an output of the program
    FailureOr<int32_t> tensor = addTensor(value, ("%" + Twine(image.tensors.size())).str(),
                                          program::TensorKind::activation);
    if (failed(tensor))
      return failure();
    lives[*tensor] = {size_t(*tensor), image.tensors[*tensor].bytes, image.stages.size(),
                      image.stages.size()};
    return tensors[value] = *tensor;
  }

  /// The stage being added uses the tensor.
  void touch(int32_t tensor) {
    auto owner = aliases.find(tensor);
    auto life = lives.find(owner != aliases.end() ? owner->second : tensor);
    if (life != lives.end())
      life->second.last = image.stages.size();
  }

  void placeActivations() {
    SmallVector<Arena::Life> all;
    for (auto &[tensor, life] : lives)
      all.push_back(life);
    image.arenaBytes = Arena::place(all);
    for (const Arena::Life &life : all)
      image.tensors[life.tensor].offset = life.offset;
    for (auto [alias, owner] : aliases)
      image.tensors[alias].offset = image.tensors[owner].offset;
  }

  //===-- Stages -----------------------------------------------------------===//

  LogicalResult addOp(Operation *op) {
    if (llvm::isa<func::ReturnOp>(op))
      return addCopies();
    if (op->hasTrait<OpTrait::ConstantLike>() ||
        llvm::all_of(op->getResultTypes(), llvm::IsaPred<NoneType>))
      return success(); // added where they are used
    if (auto launch = dyn_cast<isa::LaunchOp>(op))
      return addLaunch(launch);
    if (auto append = dyn_cast<sattn::CacheAppendOp>(op))
      appendInPlace(append);
    if (isReshapeLike(op)) {
      FailureOr<bool> isAlias = addAlias(op);
      if (failed(isAlias) || *isAlias)
        return success(succeeded(isAlias));
    }
    return addHost(op);
  }

  /// What is appended to a state that nothing else reads needs no memory of its own.
  void appendInPlace(sattn::CacheAppendOp append) {
    auto it = tensors.find(append.getCache());
    if (it != tensors.end() && append.getCache().hasOneUse() &&
        !tensors.count(append.getResult()) &&
        image.tensors[it->second].kind == program::TensorKind::state)
      tensors[append.getResult()] = it->second;
  }

  /// Gives the result of a reshape the place of its operand. False where that cannot be: an input
  /// lies where the caller has it, an output must be written.
  FailureOr<bool> addAlias(Operation *op) {
    FailureOr<int32_t> source = use(op->getOperand(0));
    if (failed(source))
      return failure();
    program::TensorKind kind = image.tensors[*source].kind;
    if (tensors.count(op->getResult(0)) || kind == program::TensorKind::input ||
        kind == program::TensorKind::output)
      return false;
    FailureOr<int32_t> alias = addTensor(op->getResult(0), image.tensors[*source].name, kind);
    if (failed(alias))
      return failure();
    TensorImage &tensor = image.tensors[*alias];
    if (tensor.bytes != image.tensors[*source].bytes)
      return op->emitOpError("must not change the number of elements");
    tensor.offset = image.tensors[*source].offset;
    if (kind == program::TensorKind::activation)
      aliases[*alias] = aliases.count(*source) ? aliases[*source] : *source;
    tensors[op->getResult(0)] = *alias;
    return true;
  }

  /// Refuses what no host kernel does.
  static LogicalResult checkHost(Operation *op) {
    if (op->getNumRegions() != 0)
      return op->emitOpError("cannot be assembled: it has regions");
    if (auto target = op->getAttrOfType<StringAttr>(kTargetAttr))
      return op->emitOpError() << "cannot be assembled: it is to run on '" << target.getValue()
                               << "' (`" << kTargetAttr
                               << "`), but is in no kernel; run --sattn-partition and the passes "
                                  "of that target first";
    auto core = dyn_cast<sattn::AttentionOp>(op);
    if (core && !llvm::isa<sattn::DenseAttr>(core.getPolicy()))
      return op->emitOpError() << "cannot be assembled: the host attends to every pair; policy "
                               << core.getPolicy() << " needs a target (`" << kTargetAttr << "`)";
    return success();
  }

  LogicalResult addHost(Operation *op) {
    if (failed(checkHost(op)))
      return failure();
    HostStage stage{
        op->getName().getStringRef().str(), getNodeName(op->getLoc()), {}, {}, readAttributes(op)};
    if (failed(addOperands(op, stage.inputs)))
      return failure();
    for (Value result : op->getResults()) {
      FailureOr<int32_t> tensor = define(result);
      if (failed(tensor))
        return failure();
      stage.outputs.push_back(*tensor);
    }
    image.stages.push_back(std::move(stage));
    return success();
  }

  /// Operands in the order of ODS; -1 for an optional one in the middle that is not there.
  LogicalResult addOperands(Operation *op, std::vector<int32_t> &inputs) {
    std::optional<Attribute> attribute = op->getInherentAttr("operandSegmentSizes");
    auto segments = dyn_cast_if_present<DenseI32ArrayAttr>(attribute.value_or(Attribute()));
    SmallVector<int32_t> sizes(op->getNumOperands(), 1);
    if (segments)
      sizes.assign(segments.asArrayRef().begin(), segments.asArrayRef().end());
    unsigned next = 0;
    for (int32_t size : sizes) {
      if (size == 0)
        inputs.push_back(-1);
      for (int32_t i = 0; i < size; ++i) {
        FailureOr<int32_t> tensor = use(op->getOperand(next++));
        if (failed(tensor))
          return failure();
        inputs.push_back(*tensor);
      }
    }
    return success();
  }

  LogicalResult addLaunch(isa::LaunchOp launch) {
    auto kernel =
        SymbolTable::lookupNearestSymbolFrom<isa::KernelOp>(launch, launch.getKernelAttr());
    if (!launched.insert(kernel).second)
      return launch.emitOpError() << "launches " << launch.getKernelAttr()
                                  << " again; every launch needs a kernel of its own";
    FailureOr<KernelImage> encoded = encodeKernel(kernel);
    if (failed(encoded))
      return failure();
    AcceleratorStage stage{kernel.getTarget().str(),
                           kernel.getSymName().str(),
                           {},
                           unsigned(launch.getInputs().size()),
                           std::move(*encoded)};
    auto bind = [&](FailureOr<int32_t> tensor) -> LogicalResult {
      if (failed(tensor))
        return failure();
      stage.bindings.push_back(*tensor);
      return success();
    };
    for (Value input : launch.getInputs())
      if (failed(bind(use(input))))
        return failure();
    for (Value output : launch.getOutputs())
      if (failed(bind(define(output))))
        return failure();
    image.stages.push_back(std::move(stage));
    return success();
  }

  LogicalResult addCopies() {
    for (auto [value, output] : copies) {
      FailureOr<int32_t> source = use(value);
      if (failed(source))
        return failure();
      if (*source == output)
        continue; // written in place
      image.stages.push_back(
          HostStage{"onnx.Identity", image.tensors[output].name, {*source}, {output}, {}});
    }
    return success();
  }

  ModuleOp module;
  ProgramImage image;
  llvm::DenseMap<Value, int32_t> tensors;
  llvm::DenseMap<Attribute, int32_t> constants;
  std::map<int32_t, Arena::Life> lives;
  std::map<int32_t, int32_t> aliases; ///< activation to the one whose place it has
  SmallVector<std::pair<Value, int32_t>> copies;
  std::set<int32_t> continued; ///< states that have a result
  llvm::DenseSet<Operation *> launched;
  llvm::StringSet<> names;
};

} // namespace

FailureOr<ProgramImage> buildProgram(ModuleOp module, const Provenance &provenance) {
  return Builder(module).run(provenance);
}

} // namespace sparsam
