// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- EncoderGen.cpp - methods of InstructionOpInterface -----------------===//

#include "Generators.h"

using namespace llvm;

namespace sparsam::tblgen {

/// The statement that encodes one field.
static void emitField(const Field &field, raw_ostream &os) {
  std::string getter = "get" + toCamel(field.name) + "()";
  switch (field.kind) {
  case FieldKind::uint:
    os << "  encoder.field(uint64_t(" << getter << "), " << field.bits << ");\n";
    break;
  case FieldKind::real:
    os << "  encoder.real(" << getter << ".convertToFloat());\n";
    break;
  case FieldKind::flag:
    os << "  encoder.field(" << getter << " ? 1 : 0, 1);\n";
    break;
  case FieldKind::choice:
    os << "  encoder.field(uint64_t(" << getter << "), " << field.bits << ");\n";
    break;
  case FieldKind::tile:
  case FieldKind::index:
    os << "  if (::mlir::failed(encoder.descriptor(" << getter
       << ")))\n    return ::mlir::failure();\n";
    break;
  case FieldKind::counter:
  case FieldKind::counterResult:
    os << "  if (::mlir::failed(encoder.counter(" << getter
       << ")))\n    return ::mlir::failure();\n";
    break;
  }
}

bool emitEncoder(const Isa &isa, raw_ostream &os) {
  os << "// Generated from the instructions of the " << isa.dialect << " dialect.\n\n";
  os << "namespace " << isa.cppNamespace << " {\n\n";
  for (const Instruction &instruction : isa.instructions) {
    os << "uint8_t " << instruction.opClass << "::getOpcode() { return "
       << unsigned(instruction.opcode) << "; }\n\n";
    os << "::llvm::LogicalResult " << instruction.opClass
       << "::encode(::sparsam::isa::Encoder &encoder) {\n";
    os << "  encoder.begin(" << unsigned(instruction.opcode) << ");\n";
    for (const Field &field : instruction.fields)
      emitField(field, os);
    os << "  encoder.end();\n  return ::mlir::success();\n}\n\n";
  }
  os << "} // namespace " << isa.cppNamespace << "\n";
  return false;
}

} // namespace sparsam::tblgen
