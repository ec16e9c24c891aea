// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Verifiers.cpp - what the verifiers of targets check ----------------===//

#include "isa/Verifiers.h"

using namespace mlir;

namespace sparsam::isa {

//===-- Machines -----------------------------------------------------------===//

ArchAttr findArch(Operation *op) {
  const StringRef target = op->getName().getDialectNamespace();
  for (; op; op = op->getParentOp())
    if (auto arch = op->getAttrOfType<ArchAttr>(kArchAttr))
      return arch.getTarget() == target ? arch : ArchAttr();
  return {};
}

static bool isInteger(Attribute value) {
  auto integer = dyn_cast<IntegerAttr>(value);
  return integer && integer.getType().isInteger(64) && integer.getInt() >= 0;
}
static bool isReal(Attribute value) { return llvm::isa<FloatAttr>(value) || isInteger(value); }

LogicalResult checkArch(ArchAttr arch, StringRef target, const NeededParameters &needed,
                        Location loc) {
  if (arch.getTarget() != target)
    return emitError(loc) << "is for target " << target << ", but `isa.arch` is for '"
                          << arch.getTarget() << "'";
  auto check = [&](auto hasType, ArrayRef<StringRef> names) -> LogicalResult {
    for (StringRef name : names)
      if (Attribute value = arch.getParameters().get(name); !value || !hasType(value))
        return emitError(loc) << "needs parameter `" << name
                              << "` in `isa.arch`; run isa-set-target";
    return success();
  };
  return success(succeeded(check(isInteger, needed.integers)) &&
                 succeeded(check(isReal, needed.reals)) &&
                 succeeded(check(llvm::IsaPred<BoolAttr>, needed.flags)) &&
                 succeeded(check(llvm::IsaPred<StringAttr>, needed.texts)));
}

//===-- Tiles --------------------------------------------------------------===//

int64_t getRows(Value tile) { return cast<MemRefType>(tile.getType()).getDimSize(0); }
int64_t getCols(Value tile) { return cast<MemRefType>(tile.getType()).getDimSize(1); }

LogicalResult verifyTiles(Operation *op) {
  for (Value operand : op->getOperands())
    if (auto type = dyn_cast<MemRefType>(operand.getType()))
      if (type.getRank() != 2 || !type.hasStaticShape())
        return op->emitOpError("works on tiles of two static dimensions, got ") << type;
  return success();
}

LogicalResult verifySameShape(Operation *op, Value a, Value b) {
  if (failed(verifyTiles(op)))
    return failure();
  if (getRows(a) != getRows(b) || getCols(a) != getCols(b))
    return op->emitOpError("works on tiles of one shape, got ")
           << a.getType() << " and " << b.getType();
  return success();
}

LogicalResult verifyAtMost(Operation *op, StringRef what, int64_t value, StringRef parameter) {
  ArchAttr arch = findArch(op);
  auto limit = arch ? arch.getParameters().getAs<IntegerAttr>(parameter) : IntegerAttr();
  if (!limit || value <= limit.getInt())
    return success();
  return op->emitOpError("has ") << value << " " << what << "; the machine has " << limit.getInt()
                                 << " (parameter `" << parameter << "`)";
}

} // namespace sparsam::isa
