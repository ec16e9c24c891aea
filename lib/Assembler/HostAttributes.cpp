// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- HostAttributes.cpp - attributes of ops as settings -----------------===//

#include "Assembler/ProgramImage.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;

namespace sparsam {

/// Text of an attribute of a dialect without what every attribute of its kind has: "gelu" of
/// #sattn.activation<gelu>, "dense" of #sattn.dense.
static std::string readText(Attribute attribute) {
  std::string text;
  llvm::raw_string_ostream(text) << attribute;
  StringRef inner = text;
  if (inner.ends_with(">") && inner.contains('<'))
    return inner.drop_back().split('<').second.str();
  return inner.starts_with("#") ? inner.split('.').second.str() : text;
}

template <typename Number, typename Read> static Setting readList(ArrayAttr array, Read read) {
  std::vector<Number> numbers;
  for (Attribute element : array)
    numbers.push_back(read(element));
  return numbers;
}

Setting readAttribute(Attribute attribute) {
  if (auto flag = dyn_cast<BoolAttr>(attribute))
    return flag.getValue();
  if (auto integer = dyn_cast<IntegerAttr>(attribute))
    return integer.getType().isUnsignedInteger() ? int64_t(integer.getValue().getZExtValue())
                                                 : integer.getValue().getSExtValue();
  if (auto real = dyn_cast<FloatAttr>(attribute))
    return real.getValueAsDouble();
  if (auto text = dyn_cast<StringAttr>(attribute))
    return text.str();
  if (llvm::isa<UnitAttr>(attribute))
    return int64_t(1);
  if (auto list = dyn_cast<DenseI64ArrayAttr>(attribute))
    return std::vector<int64_t>(list.asArrayRef());
  if (auto list = dyn_cast<DenseF32ArrayAttr>(attribute))
    return std::vector<double>(list.asArrayRef().begin(), list.asArrayRef().end());
  if (auto list = dyn_cast<ArrayAttr>(attribute)) {
    if (llvm::all_of(list, llvm::IsaPred<IntegerAttr>))
      return readList<int64_t>(list, [](Attribute e) { return cast<IntegerAttr>(e).getInt(); });
    if (llvm::all_of(list, llvm::IsaPred<FloatAttr>))
      return readList<double>(list,
                              [](Attribute e) { return cast<FloatAttr>(e).getValueAsDouble(); });
  }
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute); dense && dense.isSplat())
    return readAttribute(dense.getSplatValue<Attribute>());
  return readText(attribute);
}

Settings readAttributes(Operation *op) {
  Settings settings;
  auto add = [&](StringRef name, Attribute attribute) {
    Setting setting = readAttribute(attribute);
    if (auto *flag = std::get_if<bool>(&setting))
      setting = int64_t(*flag); // ONNX has no other flags than 0 and 1
    settings.emplace_back(name.str(), std::move(setting));
  };
  std::optional<RegisteredOperationName> registered = op->getRegisteredInfo();
  for (StringAttr name : registered ? registered->getAttributeNames() : ArrayRef<StringAttr>())
    if (!name.getValue().ends_with("SegmentSizes"))
      if (Attribute value = op->getInherentAttr(name).value_or(Attribute()))
        add(name, value);
  for (NamedAttribute attribute : op->getDiscardableAttrs())
    if (llvm::isa<StringAttr>(attribute.getValue()))
      add(attribute.getName(), attribute.getValue());
  return settings;
}

} // namespace sparsam
