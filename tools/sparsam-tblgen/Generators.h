// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Generators.h - instructions as the generators see them -------------===//
#ifndef SPARSAM_TOOLS_TBLGEN_GENERATORS_H
#define SPARSAM_TOOLS_TBLGEN_GENERATORS_H

#include "llvm/Support/raw_ostream.h"
#include "llvm/TableGen/Record.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sparsam::tblgen {

/// A case of an enumeration.
struct EnumCase {
  std::string symbol, text;
  uint64_t value = 0;
};

/// An enumeration that a field chooses from.
struct EnumInfo {
  std::string name, summary;
  std::string mnemonic; ///< of the attribute that holds a case
  std::vector<EnumCase> cases;
};

enum class FieldKind { uint, real, flag, choice, tile, index, counter, counterResult };

/// One field of an instruction, in encoding order: operands, results, attributes.
struct Field {
  std::string name;
  FieldKind kind = FieldKind::uint;
  unsigned bits = 0;
  int64_t min = 0, max = 0; ///< uint
  std::string memory;       ///< tile
  std::string description;  ///< sentence about an operand
  const EnumInfo *choices = nullptr;
  bool isOptional = false; ///< operand that may be absent

  bool isOperand() const { return kind >= FieldKind::tile; }
};

/// Where a field lies in the instruction's words.
struct Place {
  unsigned word = 0, bit = 0;
};

struct Instruction {
  const llvm::Record *record = nullptr;
  std::string mnemonic;   ///< "load_query"
  std::string structName; ///< "LoadQuery"
  std::string opClass;    ///< "LoadQueryOp"
  std::string summary, description, group;
  uint8_t opcode = 0;
  std::vector<Field> fields;
  std::vector<Place> places; ///< of the fields
  unsigned words = 1;
};

struct Isa {
  std::string dialect;      ///< "sanger"
  std::string cppNamespace; ///< "sparsam::sanger"
  std::string summary, description;
  std::vector<EnumInfo> enums;
  std::vector<Instruction> instructions; ///< by opcode
};

/// Reads every instruction of the file. Ill-formed definitions are fatal errors at their location.
Isa readIsa(const llvm::RecordKeeper &records);

/// Generators; return true on failure, as TableGen expects.
bool emitEncoder(const Isa &isa, llvm::raw_ostream &os);
bool emitModel(const Isa &isa, llvm::raw_ostream &os);
bool emitSelfTest(const Isa &isa, llvm::raw_ostream &os);
bool emitDoc(const Isa &isa, llvm::raw_ostream &os);

/// "query_norms" -> "QueryNorms".
std::string toCamel(llvm::StringRef name);

} // namespace sparsam::tblgen

#endif // SPARSAM_TOOLS_TBLGEN_GENERATORS_H
