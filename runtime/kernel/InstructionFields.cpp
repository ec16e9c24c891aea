// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- InstructionFields.cpp - check and print instruction fields ---------===//

#include "runtime/kernel/InstructionFields.h"

namespace sparsam::runtime::detail {

Status checkField(const char *mnemonic, const FieldInfo &field, uint32_t value) {
  switch (field.kind) {
  case FieldKind::uint:
    if (value < field.min || value > field.max)
      return makeError("field '", field.name, "' of '", mnemonic, "' is ", value, ", allowed is ",
                       field.min, " to ", field.max);
    return Status();
  case FieldKind::choice:
    if (value >= field.choices.size())
      return makeError("field '", field.name, "' of '", mnemonic, "' is ", value, ", there are ",
                       field.choices.size(), " choices");
    return Status();
  case FieldKind::tile:
  case FieldKind::index:
    if (value == kAbsentOperand && !field.isOptional)
      return makeError("operand '", field.name, "' of '", mnemonic, "' is absent");
    return Status();
  default:
    return Status();
  }
}

Status checkLength(const char *mnemonic, size_t words, size_t expected) {
  if (words == expected)
    return Status();
  return makeError("'", mnemonic, "' has ", expected, " words, got ", words);
}

Error unknownOpcode(uint32_t opcode) {
  std::ostringstream text;
  text << "there is no instruction with opcode 0x" << std::hex << opcode;
  return Error{text.str()};
}

std::string printField(const FieldInfo &field, uint32_t value) {
  std::ostringstream text;
  text << field.name << ' ';
  switch (field.kind) {
  case FieldKind::real:
    text << std::bit_cast<float>(value);
    break;
  case FieldKind::flag:
    text << (value ? "true" : "false");
    break;
  case FieldKind::choice:
    text << (value < field.choices.size() ? field.choices[value] : "?");
    break;
  case FieldKind::tile:
  case FieldKind::index:
    if (value == kAbsentOperand)
      text << '-';
    else
      text << '@' << value;
    break;
  case FieldKind::counter:
  case FieldKind::counterResult:
    text << 'c' << value;
    break;
  case FieldKind::uint:
    text << value;
    break;
  }
  return text.str();
}

} // namespace sparsam::runtime::detail
