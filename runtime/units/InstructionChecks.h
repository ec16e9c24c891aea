// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- InstructionChecks.h - what instructions are checked for ------------===//
//
// A program file may come from anywhere: what the compiler's verifiers guarantee is checked again
// when it is loaded. Addresses are inside of their memories already, Stage has seen to that.
//
#ifndef SPARSAM_RUNTIME_UNITS_INSTRUCTIONCHECKS_H
#define SPARSAM_RUNTIME_UNITS_INSTRUCTIONCHECKS_H

#include "runtime/kernel/Sequencer.h"

#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>

namespace sparsam::runtime {

/// Base of the checkers of targets: comparisons of tiles and numbers, with one wording.
class InstructionChecks {
protected:
  template <typename Isa>
  explicit InstructionChecks(const Stage<Isa> &stage)
      : generators_(stage.generators()), inputs_(stage.info().inputs) {}

  const AddressGenerator &tile(uint16_t descriptor) const { return generators_[descriptor]; }
  static bool isAbsent(uint16_t descriptor) { return descriptor == kAbsentOperand; }

  /// The first failure of several checks.
  static Status all(std::initializer_list<Status> statuses);
  /// "expects `what` = `limit` (`limitName`), got `got`".
  static Status expect(const char *what, int64_t got, const char *limitName, int64_t limit);
  /// "expects at most `limit` `what` (`limitName`), got `got`".
  static Status expectAtMost(const char *what, int64_t got, const char *limitName, int64_t limit);
  Status expectShape(uint16_t descriptor, int64_t rows, int64_t cols, const char *what) const;
  Status expectSameShape(uint16_t a, uint16_t b) const;
  /// Refuses to store to a tensor that the stage reads.
  Status expectResult(uint16_t destination) const;

private:
  std::span<const AddressGenerator> generators_;
  unsigned inputs_;
};

/// Sends each instruction of `kernel` to `checker.check(instruction)`. Where the instruction set
/// has a `Config` (else void), it comes first and once, and is kept in `kernel.config`. The checker
/// may have `before(instruction)`, called before check, and `atEnd()`: whether the program may end
/// there, in words that follow the kernel's name.
template <typename Config, typename Kernel, typename Checker>
Status checkInstructions(Kernel &kernel, Checker &&checker) {
  const std::string &name = kernel.stage.info().name;
  bool hasConfig = std::is_void_v<Config>;
  auto check = [&](const auto &instruction) -> Status {
    if constexpr (!std::is_void_v<Config>)
      if constexpr (std::is_same_v<std::decay_t<decltype(instruction)>, Config>) {
        if (std::exchange(hasConfig, true))
          return makeError("'config' is there twice");
        kernel.config = instruction;
      }
    if (!hasConfig)
      return makeError("'config' must be the first instruction");
    if constexpr (requires { checker.before(instruction); })
      if (Status status = checker.before(instruction); !status)
        return status;
    return checker.check(instruction);
  };
  size_t index = 0;
  for (const auto &instruction : kernel.stage.instructions()) {
    if (Status status = std::visit(check, instruction); !status)
      return makeError("kernel '", name, "', instruction ", index, ": ", status.error().message);
    ++index;
  }
  if (!hasConfig)
    return makeError("kernel '", name, "' has no instruction 'config'; it must be the first one");
  if constexpr (requires { checker.atEnd(); })
    if (Status status = checker.atEnd(); !status)
      return makeError("kernel '", name, "' ", status.error().message);
  return Status();
}

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_UNITS_INSTRUCTIONCHECKS_H
