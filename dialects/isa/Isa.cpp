// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Isa.cpp - the isa dialect: attributes, kernels and loops -----------===//

#include "isa/Isa.h"

#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/FunctionImplementation.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sparsam::isa;

#include "isa/IsaDialect.cpp.inc"

#include "isa/IsaOpInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "isa/IsaAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "isa/IsaOps.cpp.inc"

void IsaDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "isa/IsaAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "isa/IsaOps.cpp.inc"
      >();
}

Type IsaDialect::parseType(DialectAsmParser &parser) const {
  parser.emitError(parser.getNameLoc(), "the isa dialect has no types");
  return {};
}

void IsaDialect::printType(Type, DialectAsmPrinter &) const {}

//===-- Memories and machines ----------------------------------------------===//

StringRef sparsam::isa::getMemoryName(MemRefType type) {
  auto memory = dyn_cast_if_present<MemoryAttr>(type.getMemorySpace());
  return memory ? memory.getName() : StringRef();
}

bool sparsam::isa::isInMemory(Type type, StringRef memory) {
  auto memref = dyn_cast<MemRefType>(type);
  return memref && getMemoryName(memref) == memory;
}

int64_t ArchAttr::getInteger(StringRef name) const {
  return cast<IntegerAttr>(getParameters().get(name)).getInt();
}
double ArchAttr::getReal(StringRef name) const {
  Attribute value = getParameters().get(name);
  if (auto integer = dyn_cast<IntegerAttr>(value))
    return double(integer.getInt());
  return cast<FloatAttr>(value).getValueAsDouble();
}
bool ArchAttr::getFlag(StringRef name) const {
  return cast<BoolAttr>(getParameters().get(name)).getValue();
}
StringRef ArchAttr::getText(StringRef name) const {
  return cast<StringAttr>(getParameters().get(name)).getValue();
}

FailureOr<ArchAttr> sparsam::isa::getArch(Operation *op) {
  for (Operation *around = op; around; around = around->getParentOp())
    if (auto arch = around->getAttrOfType<ArchAttr>(kArchAttr))
      return arch;
  op->emitError() << "needs a machine: the module has no `" << kArchAttr
                  << "`; run isa-set-target first";
  return failure();
}

//===-- Kernels ------------------------------------------------------------===//

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildType = [](Builder &builder, ArrayRef<Type> inputs, ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag,
                      std::string &) { return builder.getFunctionType(inputs, results); };
  return function_interface_impl::parseFunctionOp(
      parser, result, /*allowVariadic=*/false, getFunctionTypeAttrName(result.name), buildType,
      getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void KernelOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false,
                                           getFunctionTypeAttrName(), getArgAttrsAttrName(),
                                           getResAttrsAttrName());
}

bool KernelOp::isMachineForm() {
  return llvm::any_of(getArgumentTypes(), llvm::IsaPred<MemRefType>);
}

LogicalResult KernelOp::verify() {
  if (getBody().empty())
    return emitOpError("needs a body");
  if (!isMachineForm())
    return success();
  if (!getResultTypes().empty())
    return emitOpError("in machine form returns nothing, results are memrefs in dram");
  for (Type type : getArgumentTypes())
    if (!isInMemory(type, kDram))
      return emitOpError("in machine form takes memrefs in #isa.memory<\"dram\">, got ") << type;
  return success();
}

LogicalResult ReturnOp::verify() {
  auto kernel = cast<KernelOp>((*this)->getParentOp());
  if (getOperandTypes() != kernel.getResultTypes())
    return emitOpError("returns (")
           << getOperandTypes() << "), but the kernel returns (" << kernel.getResultTypes() << ")";
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("launches ") << getKernelAttr() << ", which is not an isa.kernel";
  if (!kernel.isMachineForm()) {
    if (TypeRange(getInputs().getTypes()) != TypeRange(kernel.getArgumentTypes()) ||
        TypeRange(getResultTypes()) != TypeRange(kernel.getResultTypes()))
      return emitOpError("does not match the kernel's type ") << kernel.getFunctionType();
    return success();
  }
  SmallVector<Type> bindings(getInputs().getTypes());
  llvm::append_range(bindings, getResultTypes());
  if (bindings.size() != kernel.getNumArguments())
    return emitOpError("binds ") << bindings.size() << " tensors, the kernel takes "
                                 << kernel.getNumArguments();
  for (auto [number, tensor, memref] : llvm::enumerate(bindings, kernel.getArgumentTypes())) {
    auto shaped = cast<RankedTensorType>(tensor);
    auto expected = cast<MemRefType>(memref);
    if (shaped.getElementType() != expected.getElementType() || !shaped.hasStaticShape() ||
        shaped.getNumElements() != expected.getNumElements())
      return emitOpError("binds ") << tensor << " to operand " << number << " of type " << memref;
  }
  return success();
}

//===-- Loops --------------------------------------------------------------===//

static void buildBody(OpBuilder &builder, OperationState &state) {
  OpBuilder::InsertionGuard guard(builder);
  Region *region = state.addRegion();
  builder.createBlock(region, {}, builder.getIndexType(), state.location);
  LoopOp::ensureTerminator(*region, builder, state.location);
}

void LoopOp::build(OpBuilder &builder, OperationState &state, int64_t count) {
  state.getOrAddProperties<Properties>().count = builder.getI64IntegerAttr(count);
  buildBody(builder, state);
}

void LoopOp::build(OpBuilder &builder, OperationState &state, Value counter) {
  state.addOperands(counter);
  buildBody(builder, state);
}

ParseResult LoopOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::Argument iv;
  iv.type = parser.getBuilder().getIndexType();
  if (parser.parseArgument(iv) || parser.parseKeyword("to"))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("counter"))) {
    OpAsmParser::UnresolvedOperand counter;
    if (parser.parseOperand(counter) ||
        parser.resolveOperand(counter, parser.getBuilder().getIndexType(), result.operands))
      return failure();
  } else {
    int64_t count;
    if (parser.parseInteger(count))
      return failure();
    result.getOrAddProperties<Properties>().count = parser.getBuilder().getI64IntegerAttr(count);
  }
  Region *body = result.addRegion();
  if (parser.parseRegion(*body, iv))
    return failure();
  ensureTerminator(*body, parser.getBuilder(), result.location);
  return parser.parseOptionalAttrDict(result.attributes);
}

void LoopOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getIv() << " to ";
  if (getCounter())
    printer << "counter " << getCounter();
  else
    printer << *getCount();
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/false);
  printer.printOptionalAttrDict((*this)->getAttrs(), getCountAttrName().getValue());
}

LogicalResult LoopOp::verify() {
  if (getCount().has_value() == bool(getCounter()))
    return emitOpError("needs either a constant trip count or a counter");
  if (getBody().getNumArguments() != 1 || !getIv().getType().isIndex())
    return emitOpError("needs one block argument of type index, the loop counter");
  unsigned depth = 1;
  for (Operation *around = (*this)->getParentOp(); isa_and_nonnull<LoopOp>(around);
       around = around->getParentOp())
    ++depth;
  if (depth > kMaxDepth)
    return emitOpError("is nested ")
           << depth << " deep; the command processor has " << kMaxDepth << " loop counters";
  return success();
}
