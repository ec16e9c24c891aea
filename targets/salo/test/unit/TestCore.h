// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TestCore.h - one attention core, assembled by hand -----------------===//
//
// Builds a program for one window and one global token, without the compiler.
//
#ifndef SPARSAM_TARGETS_SALO_TEST_UNIT_TESTCORE_H
#define SPARSAM_TARGETS_SALO_TEST_UNIT_TESTCORE_H

#include "runtime/kernel/Machine.h"
#include "runtime/program/Program_generated.h"
#include "targets/salo/SaloIsa.h"
#include "targets/salo/SaloYaml.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace sparsam::salo {

void registerSaloModel(runtime::ModelRegistry &registry);

namespace test {

/// The architecture with settings "name=value".
runtime::Arch makeArch(const std::vector<std::string> &settings = {});

/// An address generator under construction.
struct Address {
  int64_t base = 0;
  uint32_t rows = 1, cols = 1;
  uint64_t rowStride = 0;
  int32_t rowBase = 0;
  uint32_t rowLimit = 1u << 20;
  uint16_t memory = 0, binding = 0;
  std::array<program::Term, 8> terms{};

  Address &term(unsigned level, int64_t stride, int32_t rowStep = 0) {
    terms[level] = program::Term(stride, rowStep, 0);
    return *this;
  }
};

struct CoreShape {
  int64_t heads = 1, tokens = 8, dims = 4;
  int64_t first = -4, passes = 2; ///< of the window, passes of pe_cols keys
  int64_t global = -1;            ///< token, -1: none
  float factor = 1;
};

/// Command words, descriptors and memories; tests may change them before build().
class CoreProgram {
public:
  CoreProgram(const CoreShape &shape, const runtime::Arch &arch);

  const program::AcceleratorStage &build();

  insn::Config config;
  std::vector<Address> addresses;
  std::vector<Isa::Instruction> prologue; ///< appended behind config, for tests of errors
  std::vector<Isa::Instruction> epilogue; ///< appended at the end, for tests of errors
  std::function<void(insn::LoadValue &)> changeValues;
  std::function<void(insn::TileAttn &)> changePass;
  std::function<void(insn::Merge &)> changeMerge;
  bool hasQueries = true, hasMerge = true;
  std::vector<std::tuple<std::string, unsigned, uint64_t>> memories; ///< name, bits, elements

  enum Memory : uint16_t { query = 2, key, value, output };
  uint16_t address(const Address &a) {
    addresses.push_back(a);
    return uint16_t(addresses.size() - 1);
  }
  Address onChip(Memory memory, int64_t rows, int64_t firstRow = 0) const;
  /// Rows of the head that loop 0 counts.
  Address dram(unsigned binding, int64_t rows, int64_t firstRow = 0) const;

private:
  void emit(const Isa::Instruction &insn) { Isa::encode(insn, words_); }
  void loop(int64_t count) { words_.insert(words_.end(), {0x0201, uint32_t(count)}); }
  void endLoop() { words_.push_back(0x0103); }
  void loadGlobals();
  void pass();
  /// The tiles of a head: their passes, and the outputs stored.
  void tiles();
  /// The table around what was emitted.
  const program::AcceleratorStage &finish();

  CoreShape shape_;
  int64_t rows_, cols_, slice_;
  std::vector<uint32_t> words_;
  flatbuffers::FlatBufferBuilder builder_;
};

/// A machine with one core loaded.
struct Core {
  Core(const CoreShape &shape, const std::vector<std::string> &settings);
  /// Runs and expects success.
  runtime::LaunchReport run(runtime::RunMode mode = runtime::RunMode::full);
  runtime::Result<runtime::LaunchReport> launch(runtime::RunMode mode);
  /// Result of loading the program.
  runtime::Status load();

  CoreShape shape;
  runtime::Arch arch;
  CoreProgram program;
  std::vector<float> query, key, value, result;
  runtime::DType dtype = runtime::DType::f32;
  runtime::MaskTrace masks;
  std::unique_ptr<runtime::Machine> machine;
};

} // namespace test
} // namespace sparsam::salo

#endif // SPARSAM_TARGETS_SALO_TEST_UNIT_TESTCORE_H
