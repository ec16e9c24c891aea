// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Program.h - a loaded, validated program file -----------------------===//
#ifndef SPARSAM_RUNTIME_PROGRAM_PROGRAM_H
#define SPARSAM_RUNTIME_PROGRAM_PROGRAM_H

#include "runtime/io/File.h"
#include "runtime/program/ProgramHeader.h"
#include "runtime/program/Tensor.h"
#include "runtime/support/Result.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparsam::program {
struct Program; // generated: Program_generated.h
} // namespace sparsam::program

namespace sparsam::runtime {

/// A program file mapped into memory. Loading checks the frame, the FlatBuffers table, every index,
/// offset, shape and name in it; what a machine must check of its command words it checks in
/// Machine::load.
class Program {
public:
  static Result<std::shared_ptr<const Program>> load(const std::string &path);
  /// From bytes in memory, laid out as in a file; `owner` keeps them alive.
  static Result<std::shared_ptr<const Program>>
  fromBytes(std::span<const uint8_t> bytes, std::shared_ptr<void> owner, const std::string &name);

  /// The FlatBuffers table (include runtime/program/Program_generated.h to use it).
  const program::Program &table() const { return *table_; }
  /// Bytes of constant tensor `index`.
  std::span<const uint8_t> constant(unsigned index) const;
  const std::string &name() const { return name_; }

private:
  Program() = default;
  const program::Program *table_ = nullptr;
  std::span<const uint8_t> data_;
  std::shared_ptr<void> owner_;
  std::string name_;
};

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_PROGRAM_PROGRAM_H
