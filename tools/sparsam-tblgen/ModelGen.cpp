// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ModelGen.cpp - instruction structs for the model -------------------===//

#include "Generators.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace sparsam::tblgen {

static const char *kindName(FieldKind kind) {
  static const char *const names[] = {"uint", "real",  "flag",    "choice",
                                      "tile", "index", "counter", "counterResult"};
  return names[int(kind)];
}

static std::string memberType(const Field &field) {
  switch (field.kind) {
  case FieldKind::uint:
    return "uint32_t";
  case FieldKind::real:
    return "float";
  case FieldKind::flag:
    return "bool";
  case FieldKind::choice:
    return field.choices->name;
  case FieldKind::tile:
  case FieldKind::index:
    return "uint16_t";
  case FieldKind::counter:
  case FieldKind::counterResult:
    return "uint8_t";
  }
  return "";
}

static void emitEnum(const EnumInfo &info, raw_ostream &os) {
  os << "/// " << info.summary << ".\nenum class " << info.name << " : uint8_t {";
  ListSeparator comma;
  for (const EnumCase &enumCase : info.cases)
    os << comma << " " << enumCase.symbol << " = " << enumCase.value;
  os << " };\ninline constexpr const char *k" << info.name << "Names[] = {";
  ListSeparator nameComma;
  for (const EnumCase &enumCase : info.cases)
    os << nameComma << '"' << enumCase.text << '"';
  os << "};\n\n";
}

static void emitMember(const Field &field, raw_ostream &os) {
  os << "  " << memberType(field) << " " << field.name;
  os << (field.kind == FieldKind::tile || field.kind == FieldKind::index
             ? " = runtime::kAbsentOperand;"
             : "{};");
  if (!field.description.empty())
    os << " ///< " << field.description;
  os << "\n";
}

static void emitFieldInfo(const Field &field, const Place &place, raw_ostream &os) {
  os << "{\"" << field.name << "\", runtime::FieldKind::" << kindName(field.kind) << ", "
     << field.bits << ", " << place.word << ", " << place.bit;
  if (field.kind == FieldKind::uint)
    os << ", " << field.min << "u, " << field.max << "u";
  else if (field.kind == FieldKind::choice)
    os << ", 0, " << field.choices->cases.size() - 1 << "u";
  else
    os << ", 0, 0xffffffffu";
  os << ", \"" << field.memory << "\", " << (field.isOptional ? "true" : "false") << ", ";
  if (field.choices)
    os << "k" << field.choices->name << "Names";
  else
    os << "{}";
  os << "}";
}

static void emitStruct(const Instruction &instruction, raw_ostream &os) {
  os << "/// " << instruction.summary << ".\nstruct " << instruction.structName << " {\n";
  os << "  static constexpr uint8_t kOpcode = " << unsigned(instruction.opcode) << ";\n";
  os << "  static constexpr const char *kMnemonic = \"" << instruction.mnemonic << "\";\n";
  os << "  static constexpr uint8_t kWords = " << instruction.words << ";\n";
  for (const Field &field : instruction.fields)
    emitMember(field, os);
  os << "\n  template <typename Self, typename F> static void visitFields(Self &self, F &&visit) "
        "{\n";
  os << "    (void)self, (void)visit;\n";
  for (auto [field, place] : llvm::zip_equal(instruction.fields, instruction.places)) {
    os << "    visit(self." << field.name << ", runtime::FieldInfo";
    emitFieldInfo(field, place, os);
    os << ");\n";
  }
  os << "  }\n};\n\n";
}

static void emitIsaStruct(const Isa &isa, raw_ostream &os) {
  os << "/// The instruction set, as runtime::Stage wants it.\nstruct Isa {\n  using Instruction = "
        "std::variant<";
  ListSeparator comma;
  for (const Instruction &instruction : isa.instructions)
    os << comma << "insn::" << instruction.structName;
  os << ">;\n\n";
  os << "  /// Decodes one word group and checks every field against its definition.\n"
     << "  static runtime::Status decode(std::span<const uint32_t> words, Instruction &out) {\n"
     << "    switch (words[0] & 0xff) {\n";
  for (const Instruction &instruction : isa.instructions)
    os << "    case " << unsigned(instruction.opcode)
       << ":\n      return runtime::decodeFields(words, out.emplace<insn::"
       << instruction.structName << ">());\n";
  os << "    default:\n      return runtime::detail::unknownOpcode(words[0] & 0xff);\n    }\n  "
        "}\n\n";
  os << "  /// Appends the word group of an instruction.\n"
     << "  static void encode(const Instruction &insn, std::vector<uint32_t> &words) {\n"
     << "    std::visit([&](const auto &concrete) { runtime::encodeFields(concrete, words); }, "
        "insn);\n  }\n\n";
  os << "  /// Calls f(OperandKind, memory, descriptor or register) for each operand.\n"
     << "  template <typename F> static void operands(const Instruction &insn, F f) {\n"
     << "    std::visit([&](const auto &concrete) { runtime::visitOperands(concrete, f); }, "
        "insn);\n  }\n\n";
  os << "  /// One line of text.\n"
     << "  static std::string disassemble(const Instruction &insn) {\n"
     << "    return std::visit([](const auto &concrete) { return "
        "runtime::disassembleFields(concrete); }, insn);\n  }\n};\n";
}

bool emitModel(const Isa &isa, raw_ostream &os) {
  std::string guard = "SPARSAM_GENERATED_" + StringRef(isa.dialect).upper() + "_ISA_H";
  os << "// Generated from the instructions of the " << isa.dialect << " dialect.\n";
  os << "#ifndef " << guard << "\n#define " << guard << "\n\n";
  os << "#include \"runtime/kernel/InstructionFields.h\"\n\n#include <variant>\n\n";
  os << "namespace " << isa.cppNamespace << " {\nnamespace insn {\n\n";
  for (const EnumInfo &info : isa.enums)
    emitEnum(info, os);
  for (const Instruction &instruction : isa.instructions)
    emitStruct(instruction, os);
  os << "} // namespace insn\n\n";
  emitIsaStruct(isa, os);
  os << "\n} // namespace " << isa.cppNamespace << "\n\n#endif // " << guard << "\n";
  return false;
}

} // namespace sparsam::tblgen
