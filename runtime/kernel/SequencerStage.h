// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SequencerStage.h - decoded command words and their walk ------------===//
//
// `Isa` is the struct that sparsam-tblgen -gen-isa-model generates for a target:
//   Isa::Instruction           std::variant of the instruction structs
//   Isa::decode(words, out)    decodes and range-checks one word group, Status
//   Isa::operands(insn, f)     calls f(OperandKind, memory name, descriptor or register) for each operand
//   Isa::disassemble(insn)     one line of text
//
#ifndef SPARSAM_RUNTIME_KERNEL_SEQUENCERSTAGE_H
#define SPARSAM_RUNTIME_KERNEL_SEQUENCERSTAGE_H

#include "runtime/kernel/Sequencer.h"

namespace sparsam::runtime {

/// What an instruction's operand is encoded as.
enum class OperandKind { tile, index, counter, counterResult };

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_KERNEL_SEQUENCERSTAGE_H
