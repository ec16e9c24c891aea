// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- InstructionFields.h - decode, encode and print instructions --------===//
//
// The header that sparsam-tblgen -gen-isa-model writes for a target lists the fields of each
// instruction struct; what can be done with fields is here, once for all targets.
//
#ifndef SPARSAM_RUNTIME_KERNEL_INSTRUCTIONFIELDS_H
#define SPARSAM_RUNTIME_KERNEL_INSTRUCTIONFIELDS_H

#include "runtime/kernel/Sequencer.h"

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace sparsam::runtime {

enum class FieldKind : uint8_t { uint, real, flag, choice, tile, index, counter, counterResult };

/// One field of an instruction, as its ODS definition declares it.
struct FieldInfo {
  const char *name;
  FieldKind kind;
  uint8_t bits;                       ///< width
  uint8_t word, bit;                  ///< place: bit `bit` of word `word` of the group
  uint32_t min = 0, max = 0xffffffff; ///< allowed values of a uint and of a choice
  const char *memory = "";            ///< of a tile
  bool isOptional = false;            ///< operand that may be absent
  std::span<const char *const> choices = {};
};

namespace detail {

template <typename T> uint32_t toBits(const T &value) {
  if constexpr (std::is_same_v<T, float>)
    return std::bit_cast<uint32_t>(value);
  else
    return uint32_t(value);
}
template <typename T> void fromBits(uint32_t bits, T &value) {
  if constexpr (std::is_same_v<T, float>)
    value = std::bit_cast<float>(bits);
  else
    value = T(bits);
}

/// Refuses a value that the instruction's definition does not allow.
Status checkField(const char *mnemonic, const FieldInfo &field, uint32_t value);
/// Refuses a group of another length than `expected`.
Status checkLength(const char *mnemonic, size_t words, size_t expected);
Error unknownOpcode(uint32_t opcode);
/// "name value" of a field.
std::string printField(const FieldInfo &field, uint32_t value);

} // namespace detail

/// Reads the fields of `insn` from its word group.
template <typename Insn> Status decodeFields(std::span<const uint32_t> words, Insn &insn) {
  Status status = detail::checkLength(Insn::kMnemonic, words.size(), Insn::kWords);
  Insn::visitFields(insn, [&](auto &member, const FieldInfo &field) {
    if (!status)
      return;
    uint32_t mask = field.bits == 32 ? ~uint32_t(0) : (uint32_t(1) << field.bits) - 1;
    uint32_t value = words[field.word] >> field.bit & mask;
    status = detail::checkField(Insn::kMnemonic, field, value);
    detail::fromBits(value, member);
  });
  return status;
}

/// Appends the word group of `insn`.
template <typename Insn> void encodeFields(const Insn &insn, std::vector<uint32_t> &words) {
  size_t start = words.size();
  words.resize(start + Insn::kWords);
  words[start] = Insn::kOpcode | uint32_t(Insn::kWords) << 8;
  Insn::visitFields(insn, [&](const auto &member, const FieldInfo &field) {
    words[start + field.word] |= detail::toBits(member) << field.bit;
  });
}

/// Calls f(OperandKind, memory name, descriptor or register) for each operand.
template <typename Insn, typename F> void visitOperands(const Insn &insn, F &&f) {
  Insn::visitFields(insn, [&](const auto &member, const FieldInfo &field) {
    if (field.kind >= FieldKind::tile)
      f(OperandKind(int(field.kind) - int(FieldKind::tile)), std::string_view(field.memory),
        detail::toBits(member));
  });
}

/// "load_query source @3 destination @4".
template <typename Insn> std::string disassembleFields(const Insn &insn) {
  std::string text = Insn::kMnemonic;
  Insn::visitFields(insn, [&](const auto &member, const FieldInfo &field) {
    text += ' ' + detail::printField(field, detail::toBits(member));
  });
  return text;
}

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_KERNEL_INSTRUCTIONFIELDS_H
