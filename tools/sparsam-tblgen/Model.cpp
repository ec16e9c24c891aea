// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Model.cpp - read instructions from their ODS definitions -----------===//

#include "Generators.h"

#include "mlir/TableGen/Operator.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/TableGen/Error.h"

#include <algorithm>
#include <map>

using namespace llvm;

namespace sparsam::tblgen {

std::string toCamel(StringRef name) {
  return convertToCamelFromSnakeCase(name, /*capitalizeFirst=*/true);
}

namespace {

constexpr unsigned kFirstTargetOpcode = 0x10;

class Reader {
public:
  Isa read(const RecordKeeper &records) {
    ArrayRef<const Record *> definitions = records.getAllDerivedDefinitions("ISA_Instruction");
    if (definitions.empty())
      PrintFatalError("the file defines no instruction (ISA_Instruction)");
    countEnums(records);
    mlir::tblgen::Dialect dialect = mlir::tblgen::Operator(definitions.front()).getDialect();
    isa.dialect = dialect.getName().str();
    isa.cppNamespace = dialect.getCppNamespace().ltrim(":").str();
    isa.summary = dialect.getSummary().str();
    isa.description = dialect.getDescription().str();
    for (const Record *definition : definitions)
      isa.instructions.push_back(readInstruction(definition));
    llvm::sort(isa.instructions,
               [](const Instruction &a, const Instruction &b) { return a.opcode < b.opcode; });
    for (size_t i = 1; i < isa.instructions.size(); ++i)
      if (isa.instructions[i].opcode == isa.instructions[i - 1].opcode)
        PrintFatalError(isa.instructions[i].record,
                        "opcode 0x" + utohexstr(isa.instructions[i].opcode) +
                            " is already that of '" + isa.instructions[i - 1].mnemonic + "'");
    return std::move(isa);
  }

private:
  /// Fields point into `enums`: it must not grow afterwards.
  void countEnums(const RecordKeeper &records) {
    isa.enums.reserve(records.getAllDerivedDefinitions("EnumAttr").size());
  }

  const EnumInfo *readEnum(const Record *attribute) {
    const Record *definition = attribute->getValueAsDef("enum");
    auto [known, isNew] = enums.try_emplace(definition, isa.enums.size());
    if (!isNew)
      return &isa.enums[known->second];
    EnumInfo info;
    info.name = definition->getValueAsString("className").str();
    info.summary = definition->getValueAsString("summary").str();
    info.mnemonic = attribute->getValueAsString("mnemonic").str();
    for (const Record *enumCase : definition->getValueAsListOfDefs("enumerants"))
      info.cases.push_back({enumCase->getValueAsString("symbol").str(),
                            enumCase->getValueAsString("str").str(),
                            uint64_t(enumCase->getValueAsInt("value"))});
    isa.enums.push_back(std::move(info));
    return &isa.enums.back();
  }

  /// The record that says how a constraint is encoded, behind Optional<> and the like.
  static const Record *findEncoding(const Record *constraint, bool &isOptional) {
    while (constraint->isSubClassOf("Optional")) {
      isOptional = true;
      constraint = constraint->getValueAsDef("baseType");
    }
    const RecordVal *kind = constraint->getValue("isaKind");
    return kind ? constraint : nullptr;
  }

  Field readField(const Record *definition, StringRef name, const Record *constraint,
                  bool isResult) {
    Field field;
    field.name = name.str();
    const Record *encoding = findEncoding(constraint, field.isOptional);
    if (!encoding)
      PrintFatalError(
          definition,
          "'" + name +
              "' has no binary form; declare it with one of the ISA_ classes of isa/IsaBase.td");
    static const std::map<StringRef, FieldKind> kinds = {
        {"uint", FieldKind::uint},      {"float", FieldKind::real}, {"flag", FieldKind::flag},
        {"choice", FieldKind::choice},  {"tile", FieldKind::tile},  {"index", FieldKind::index},
        {"counter", FieldKind::counter}};
    field.kind = kinds.at(encoding->getValueAsString("isaKind"));
    field.bits = unsigned(encoding->getValueAsInt("isaBits"));
    if (isResult) {
      if (field.kind != FieldKind::counter)
        PrintFatalError(definition, "result '" + name + "' must be an ISA_Counter");
      field.kind = FieldKind::counterResult;
    }
    if (field.kind == FieldKind::uint)
      readRange(definition, encoding, field);
    if (field.kind == FieldKind::choice)
      field.choices = readChoices(definition, encoding, field);
    if (field.kind == FieldKind::tile)
      field.memory = encoding->getValueAsString("isaMemory").str();
    if (field.isOperand())
      if (const RecordVal *summary = encoding->getValue("summary"))
        if (auto *text = dyn_cast<StringInit>(summary->getValue()))
          field.description = text->getValue().str();
    return field;
  }

  static void readRange(const Record *definition, const Record *encoding, Field &field) {
    field.min = encoding->getValueAsInt("isaMin");
    field.max = encoding->getValueAsInt("isaMax");
    if (field.bits < 1 || field.bits > 32 || field.min < 0 || field.max < field.min ||
        uint64_t(field.max) >= (uint64_t(1) << field.bits))
      PrintFatalError(definition, "range [" + Twine(field.min) + ", " + Twine(field.max) +
                                      "] of '" + field.name + "' does not fit into " +
                                      Twine(field.bits) + " bits");
  }

  const EnumInfo *readChoices(const Record *definition, const Record *encoding,
                              const Field &field) {
    const EnumInfo *choices = readEnum(encoding->getValueAsDef("isaEnum"));
    for (const EnumCase &choice : choices->cases)
      if (choice.value >= (uint64_t(1) << field.bits))
        PrintFatalError(definition, "case '" + choice.text + "' of '" + field.name +
                                        "' does not fit into " + Twine(field.bits) + " bits");
    return choices;
  }

  /// Gives every field its place: from bit 16 of word 0, a field never crosses a word.
  static void place(Instruction &instruction) {
    Place next{0, 16};
    for (const Field &field : instruction.fields) {
      if (next.bit + field.bits > 32)
        next = {next.word + 1, 0};
      instruction.places.push_back(next);
      next.bit += field.bits;
    }
    instruction.words = next.word + 1;
    if (instruction.words > 255)
      PrintFatalError(instruction.record,
                      "'" + instruction.mnemonic + "' needs more than 255 words");
  }

  Instruction readInstruction(const Record *definition) {
    mlir::tblgen::Operator op(definition);
    Instruction instruction;
    instruction.record = definition;
    instruction.mnemonic = definition->getValueAsString("opName").str();
    instruction.structName = toCamel(instruction.mnemonic);
    instruction.opClass = op.getCppClassName().str();
    instruction.summary = op.getSummary().str();
    instruction.description = op.hasDescription() ? op.getDescription().str() : "";
    if (auto *group = dyn_cast<DefInit>(definition->getValueInit("opDocGroup")))
      instruction.group = group->getDef()->getValueAsString("summary").str();
    int64_t opcode = definition->getValueAsInt("isaOpcode");
    if (opcode < kFirstTargetOpcode || opcode > 0xff)
      PrintFatalError(
          definition,
          "opcode " + Twine(opcode) + " of '" + instruction.mnemonic +
              "' is not in [16, 255]; opcodes below 16 belong to the command processor");
    instruction.opcode = uint8_t(opcode);
    for (const auto &operand : op.getOperands()) {
      if (operand.isVariadic() && !operand.isOptional())
        PrintFatalError(definition,
                        "'" + operand.name +
                            "' is variadic; instructions have a fixed number of operands");
      instruction.fields.push_back(
          readField(definition, operand.name, &operand.constraint.getDef(), false));
    }
    for (const auto &result : op.getResults())
      instruction.fields.push_back(
          readField(definition, result.name, &result.constraint.getDef(), true));
    for (const auto &attribute : op.getAttributes())
      instruction.fields.push_back(
          readField(definition, attribute.name, &attribute.attr.getDef(), false));
    place(instruction);
    return instruction;
  }

  Isa isa;
  std::map<const Record *, size_t> enums;
};

} // namespace

Isa readIsa(const RecordKeeper &records) { return Reader().read(records); }

} // namespace sparsam::tblgen
