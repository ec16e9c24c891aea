// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- IsaTable.h - the instructions of all targets, for tests ------------===//
//
// sparsam-tblgen -gen-isa-self-test writes one table per target; CMake makes a source file of each,
// and allIsas() of them all.
//
#ifndef SPARSAM_TEST_CONFORMANCE_ISATABLE_H
#define SPARSAM_TEST_CONFORMANCE_ISATABLE_H

#include "runtime/kernel/InstructionFields.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sparsam::conformance {

using runtime::FieldKind;

/// A field as the ODS definition declares it.
struct Field {
  const char *name;
  FieldKind kind;
  unsigned bits;
  int64_t min, max;   ///< of a uint
  const char *memory; ///< of a tile
  bool isOptional;
  std::vector<std::pair<const char *, uint64_t>> choices;
  const char *attribute; ///< mnemonic of the attribute of a choice
};

struct Instruction {
  const char *mnemonic;
  unsigned opcode;
  std::vector<Field> fields;
};

using Words = std::vector<uint32_t>;

/// What the model makes of a word group.
struct Decoded {
  std::string mnemonic, text;
  std::vector<std::pair<std::string, uint32_t>> fields;
  Words encoded; ///< by the model's own encoder
};

/// A target's table, and its model's half of the binary form.
struct TargetIsa {
  const char *name;
  const std::vector<Instruction> *instructions;
  runtime::Result<Decoded> (*decode)(const Words &words);
  /// The same words with another value in one field.
  Words (*change)(const Words &words, const std::string &field, uint32_t value);
};

/// One entry per target that was built.
const std::vector<TargetIsa> &allIsas();

template <typename Isa> runtime::Result<Decoded> decode(const Words &words) {
  typename Isa::Instruction instruction;
  if (runtime::Status status = Isa::decode(words, instruction); !status)
    return status.error();
  Decoded decoded;
  decoded.text = Isa::disassemble(instruction);
  Isa::encode(instruction, decoded.encoded);
  std::visit(
      [&](const auto &concrete) {
        decoded.mnemonic = concrete.kMnemonic;
        concrete.visitFields(concrete, [&](const auto &member, const runtime::FieldInfo &field) {
          decoded.fields.emplace_back(field.name, runtime::detail::toBits(member));
        });
      },
      instruction);
  return decoded;
}

template <typename Isa> Words change(const Words &words, const std::string &name, uint32_t value) {
  Words changed = words;
  typename Isa::Instruction instruction;
  (void)Isa::decode(words, instruction);
  std::visit(
      [&](const auto &concrete) {
        concrete.visitFields(concrete, [&](const auto &, const runtime::FieldInfo &field) {
          if (name != field.name)
            return;
          uint32_t mask = field.bits == 32 ? ~uint32_t(0) : (uint32_t(1) << field.bits) - 1;
          uint32_t &word = changed[field.word];
          word = (word & ~(mask << field.bit)) | value << field.bit;
        });
      },
      instruction);
  return changed;
}

} // namespace sparsam::conformance

#endif // SPARSAM_TEST_CONFORMANCE_ISATABLE_H
