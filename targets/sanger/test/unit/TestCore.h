// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TestCore.h - one attention core, assembled by hand -----------------===//
//
// Builds the program that lower-to-sanger makes for an attention core, without the compiler:
// prediction of head h + 1 is issued before the sparse part of head h.
//
#ifndef SPARSAM_TARGETS_SANGER_TEST_UNIT_TESTCORE_H
#define SPARSAM_TARGETS_SANGER_TEST_UNIT_TESTCORE_H

#include "runtime/kernel/Machine.h"
#include "runtime/program/Program_generated.h"
#include "targets/sanger/SangerIsa.h"
#include "targets/sanger/SangerYaml.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace sparsam::sanger {

void registerSangerModel(runtime::ModelRegistry &registry);

namespace test {

/// An address generator under construction.
struct Address {
  int64_t base = 0;
  uint32_t rows = 1, cols = 1;
  uint64_t rowStride = 0;
  int32_t rowBase = 0;
  uint32_t rowLimit = 1;
  uint16_t memory = 0, binding = 0;
  std::array<program::Term, 8> terms{};

  Address &term(unsigned level, int64_t stride, int32_t rowStep = 0, uint32_t modulus = 0) {
    terms[level] = program::Term(stride, rowStep, modulus);
    return *this;
  }
};

struct CoreShape {
  int64_t heads = 2, queries = 128, keys = 128, dims = 64;
  bool predicts = true, isCausal = false;
  int64_t biasRows = 0; ///< 0: no bias; 1; or queries
  float scale = 0.125f;
};

/// Command words, descriptors and memories of a core; tests may change them before build().
class CoreProgram {
public:
  CoreProgram(const CoreShape &shape, const runtime::Arch &arch);

  const program::AcceleratorStage &build();

  insn::Config config;
  std::vector<Address> addresses;
  bool loadsQueries = true, loadsKeys = true; ///< false: for tests of errors
  std::vector<Isa::Instruction> prologue;     ///< appended behind config, for tests of errors
  std::string without; ///< mnemonic of an instruction that is left out, for tests of errors
  /// Changes the instructions of the block loop (sddmm, exp, spmm, accumulate).
  std::function<void(std::vector<Isa::Instruction> &)> changeBlock;
  std::vector<std::tuple<std::string, unsigned, uint64_t>> memories; ///< name, bits, elements

private:
  uint16_t address(const Address &a) {
    addresses.push_back(a);
    return uint16_t(addresses.size() - 1);
  }
  uint16_t memory(const char *name) const;
  Address onChip(const char *name, int64_t rows, int64_t cols, int64_t rowStride) const;
  Address dram(unsigned binding, int64_t rows, int64_t cols, int64_t limit) const;
  /// Adds head `ahead` + (counter of loop 0), with slots in on-chip memories.
  Address &atHead(Address &a, int64_t elements, int64_t ahead) const;
  Address &atSlot(Address &a, int64_t elements, int64_t ahead) const;

  void emit(const Isa::Instruction &insn) {
    if (without != std::visit([](const auto &i) { return i.kMnemonic; }, insn))
      Isa::encode(insn, words_);
  }
  void loop(int64_t count) { words_.insert(words_.end(), {0x0201, uint32_t(count)}); }
  void loopCounter(unsigned reg) { words_.push_back(0x0102 | reg << 16); }
  void endLoop() { words_.push_back(0x0103); }

  /// `level`: of the loop that is opened next.
  void predict(unsigned level, int64_t ahead);
  void predictTile(unsigned level, int64_t ahead);
  void sparse(unsigned level, int64_t ahead);
  void sparseLast();
  const program::AcceleratorStage &table();
  void sparseStripe(unsigned level, int64_t ahead);

  CoreShape shape_;
  int64_t paddedQueries_, paddedKeys_, stripe_, tile_;
  std::vector<uint32_t> words_;
  flatbuffers::FlatBufferBuilder builder_;
};

/// Tensors of a core with seeded values, [heads, tokens, dims].
struct CoreData {
  explicit CoreData(const CoreShape &shape, unsigned seed = 1, float spread = 1);
  std::vector<runtime::TensorView> bindings(const CoreShape &shape);
  std::vector<float> query, key, value, bias, output;
};

/// The architecture with settings "name=value".
runtime::Arch makeArch(const std::vector<std::string> &settings = {});

/// A machine with one core loaded.
struct Core {
  Core(const CoreShape &shape, const std::vector<std::string> &settings);
  /// Runs and expects success.
  runtime::LaunchReport run(runtime::RunMode mode = runtime::RunMode::full);
  /// Result of loading the program.
  runtime::Status load();

  CoreShape shape;
  runtime::Arch arch;
  CoreProgram program;
  CoreData data;
  runtime::MaskTrace masks;
  bool recordPredicted = false;
  std::unique_ptr<runtime::Machine> machine;

  const runtime::BitTensor &mask() const { return masks.kernels.at("attention_0"); }
};

/// Attention of the kept pairs in double.
std::vector<float> referenceAttention(const Core &core, const runtime::BitTensor &mask);
/// The largest absolute difference.
double maxError(const std::vector<float> &a, const std::vector<float> &b);

} // namespace test
} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_TEST_UNIT_TESTCORE_H
