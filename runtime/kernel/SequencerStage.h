// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SequencerStage.h - decoded command words and their walk ------------===//
//
// `Isa` is the struct that sparsam-tblgen -gen-isa-model generates for a target:
//   using Instruction = std::variant<...>;   the instruction structs
//   static Status decode(std::span<const uint32_t> words, Instruction &out);
//       decodes and range-checks one word group (its length is that of `words`)
//   template <typename F> static void operands(const Instruction &insn, F f);
//       calls f(OperandKind, memory name, descriptor or register) for each operand; an absent one
//       is kAbsentOperand
//   static std::string disassemble(const Instruction &insn);   one line of text
//
#ifndef SPARSAM_RUNTIME_KERNEL_SEQUENCERSTAGE_H
#define SPARSAM_RUNTIME_KERNEL_SEQUENCERSTAGE_H

#include "runtime/kernel/Sequencer.h"

#include <type_traits>
#include <variant>

namespace sparsam::runtime {

/// What an instruction's operand is encoded as.
enum class OperandKind { tile, index, counter, counterResult };

/// Opcodes of the command processor itself.
enum class CommandOpcode : uint8_t {
  end = 0x00,
  loopConst = 0x01,
  loopCounter = 0x02,
  loopEnd = 0x03
};

/// The descriptor field of an absent optional operand.
constexpr uint16_t kAbsentOperand = 0xffff;

/// One step of the walk. Jump targets are indices of steps.
struct Command {
  enum class Kind : uint8_t { instruction, loopConst, loopCounter, loopEnd, end };
  Kind kind = Kind::end;
  uint8_t level = 0;   ///< of the loop
  uint32_t value = 0;  ///< index of the instruction; trip count; counter register
  uint32_t target = 0; ///< loop begin: step after the loop; loop end: first step of the body
};

/// The part of Stage that does not depend on the instruction set: word groups, loops, and checks of
/// operands.
class StageLoader {
public:
  explicit StageLoader(const program::AcceleratorStage &stage);
  ~StageLoader();

  /// Checks memories and descriptors.
  Status begin();
  /// Splits off the next word group; the commands of loops and of the end are handled here, for an
  /// instruction of the target its words are returned. Empty after the end.
  Result<std::span<const uint32_t>> nextInstruction();
  /// Checks one operand of the instruction just returned, for all values of the loops around it.
  Status checkOperand(OperandKind kind, std::string_view memory, uint32_t value);
  /// Puts the place of the current word group before a message.
  Error atWord(const Error &error) const;

  /// Results, once nextInstruction has returned nothing.
  StageInfo info;
  std::vector<AddressGenerator> generators;
  std::vector<Command> commands;

private:
  struct Loop {
    uint32_t command; ///< index of its begin
    uint32_t count;   ///< trips
    bool isCounter;
  };

  struct Reach;
  Reach reach(const AddressGenerator &generator) const;
  Status checkReach(const Reach &reach, uint32_t index) const;
  /// The end command; `isLast`: it is one word, and nothing follows.
  Status end(bool isLast);
  Status openLoop(Command::Kind kind, uint32_t value);
  Status closeLoop();
  Status checkTile(std::string_view memory, uint32_t index);
  Status checkTerms(const AddressGenerator &generator, uint32_t index) const;
  Status checkExtent(const AddressGenerator &generator, uint32_t index);

  const program::AcceleratorStage &stage_;
  size_t position_ = 0, groupStart_ = 0;
  uint32_t instructions_ = 0;
  double executed_ =
      0; ///< instructions executed with constant trip counts, counter loops taken as one trip
  double trips_ = 1; ///< product of the constant trip counts around the current position
  std::vector<Loop> loops_;
};

/// "loop 12", "loop counter 3", "end" for a command that is not an instruction.
std::string disassembleLoop(const Command &command);
/// Table of the address generators, one line each.
std::string disassembleGenerators(const StageInfo &info,
                                  std::span<const AddressGenerator> generators);
/// Refuses bindings that are smaller than what the stage addresses.
Status checkBindings(const StageInfo &info, std::span<const TensorView> bindings);

/// The decoded program of one accelerator stage.
template <typename Isa> class Stage {
public:
  using Instruction = typename Isa::Instruction;

  /// Decodes all word groups and checks opcodes, fields, loops, registers, descriptors and, over
  /// all loop values, addresses. The stage keeps nothing of `table`.
  static Result<Stage> load(const program::AcceleratorStage &table) {
    StageLoader loader(table);
    if (Status status = loader.begin(); !status)
      return status.error();
    Stage stage;
    while (true) {
      Result<std::span<const uint32_t>> words = loader.nextInstruction();
      if (!words)
        return words.error();
      if (words->empty())
        break;
      Instruction instruction;
      if (Status status = Isa::decode(*words, instruction); !status)
        return loader.atWord(status.error());
      Status status;
      Isa::operands(instruction, [&](OperandKind kind, std::string_view memory, uint32_t value) {
        if (status)
          status = loader.checkOperand(kind, memory, value);
      });
      if (!status)
        return loader.atWord(status.error());
      stage.instructions_.push_back(std::move(instruction));
    }
    stage.info_ = std::move(loader.info);
    stage.generators_ = std::move(loader.generators);
    stage.commands_ = std::move(loader.commands);
    return stage;
  }

  const StageInfo &info() const { return info_; }
  std::span<const AddressGenerator> generators() const { return generators_; }
  std::span<const Instruction> instructions() const { return instructions_; }

  /// Runs the program: calls visitor(instruction struct, Addressing &) for each instruction in
  /// order. The visitor returns nothing, or a Status that ends the walk. `bindings` are those of
  /// the launch; data may be null.
  template <typename Visitor>
  Status walk(std::span<const TensorView> bindings, Visitor &&visitor) const {
    if (Status status = checkBindings(info_, bindings); !status)
      return status;
    Addressing addressing(generators_);
    std::array<uint32_t, Addressing::kMaxLoops> trips{};
    for (const Command *command = commands_.data();;) {
      switch (command->kind) {
      case Command::Kind::instruction:
        if (Status status = visit(instructions_[command->value], addressing, visitor); !status)
          return status;
        ++command;
        break;
      case Command::Kind::loopConst:
      case Command::Kind::loopCounter: {
        int64_t count = command->kind == Command::Kind::loopConst
                            ? int64_t(command->value)
                            : addressing.counter(uint8_t(command->value));
        if (count > int64_t(UINT32_MAX))
          return makeError("counter register ", command->value, " of kernel '", info_.name,
                           "' holds the impossible count ", count);
        trips[command->level] = count < 0 ? 0 : uint32_t(count);
        addressing.setLoop(command->level, 0);
        command = count > 0 ? command + 1 : commands_.data() + command->target;
        break;
      }
      case Command::Kind::loopEnd: {
        uint32_t next = addressing.loop(command->level) + 1;
        bool isDone = next >= trips[command->level];
        addressing.setLoop(command->level, isDone ? 0 : next);
        command = isDone ? command + 1 : commands_.data() + command->target;
        break;
      }
      case Command::Kind::end:
        return Status();
      }
    }
  }

  /// One line per word group, loops indented, then one line per address generator.
  std::string disassemble() const {
    std::string text;
    unsigned depth = 0;
    for (const Command &command : commands_) {
      depth -= command.kind == Command::Kind::loopEnd;
      text.append(2 * depth, ' ');
      text += command.kind == Command::Kind::instruction
                  ? std::string(Isa::disassemble(instructions_[command.value]))
                  : disassembleLoop(command);
      text += '\n';
      depth +=
          command.kind == Command::Kind::loopConst || command.kind == Command::Kind::loopCounter;
    }
    return text + disassembleGenerators(info_, generators_);
  }

private:
  template <typename Visitor>
  static Status visit(const Instruction &instruction, Addressing &addressing, Visitor &visitor) {
    return std::visit(
        [&](const auto &concrete) -> Status {
          if constexpr (std::is_void_v<decltype(visitor(concrete, addressing))>) {
            visitor(concrete, addressing);
            return Status();
          } else {
            return visitor(concrete, addressing);
          }
        },
        instruction);
  }

  StageInfo info_;
  std::vector<AddressGenerator> generators_;
  std::vector<Command> commands_;
  std::vector<Instruction> instructions_;
};

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_KERNEL_SEQUENCERSTAGE_H
