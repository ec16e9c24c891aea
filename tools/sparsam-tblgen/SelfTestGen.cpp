// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SelfTestGen.cpp - the table that the conformance suite walks -------===//

#include "Generators.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace sparsam::tblgen {

static const char *kindName(FieldKind kind) {
  static const char *const names[] = {"uint", "real",  "flag",    "choice",
                                      "tile", "index", "counter", "counterResult"};
  return names[int(kind)];
}

static void emitField(const Field &field, raw_ostream &os) {
  os << "        {\"" << field.name << "\", FieldKind::" << kindName(field.kind) << ", "
     << field.bits << ", " << field.min << ", " << field.max << ", \"" << field.memory << "\", "
     << (field.isOptional ? "true" : "false") << ", {";
  ListSeparator comma;
  if (field.choices)
    for (const EnumCase &choice : field.choices->cases)
      os << comma << "{\"" << choice.text << "\", " << choice.value << "}";
  os << "}, \"" << (field.choices ? field.choices->mnemonic : "") << "\"},\n";
}

bool emitSelfTest(const Isa &isa, raw_ostream &os) {
  os << "// Generated from the instructions of the " << isa.dialect << " dialect.\n\n";
  os << "static const std::vector<Instruction> kInstructions = {\n";
  for (const Instruction &instruction : isa.instructions) {
    os << "    {\"" << instruction.mnemonic << "\", " << unsigned(instruction.opcode) << ", {\n";
    for (const Field &field : instruction.fields)
      emitField(field, os);
    os << "    }},\n";
  }
  os << "};\n";
  return false;
}

} // namespace sparsam::tblgen
