// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CrashTest.cpp - what a pass that crashes leaves behind -------------===//

#include "tools/sparsam/Compiler.h"

#include "tools/common/Registry.h"

#include "mlir/Pass/Pass.h"

#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

using namespace mlir;
using namespace sparsam;

namespace {

constexpr const char *kReproducer = "sparsam-reproducer.mlir";

struct CrashingPass : PassWrapper<CrashingPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CrashingPass)
  StringRef getArgument() const override { return "crash"; }
  void runOnOperation() override { std::raise(SIGSEGV); }
};

struct FailingPass : PassWrapper<FailingPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FailingPass)
  StringRef getArgument() const override { return "fail"; }
  void runOnOperation() override {
    getOperation().emitError("the roof leaks");
    signalPassFailure();
  }
};

/// Runs in a folder of its own: the reproducer lies in the current one.
class Crash : public testing::Test {
protected:
  void SetUp() override {
    static const bool isRegistered = (registerTargets(), true);
    ASSERT_TRUE(isRegistered);
    std::filesystem::create_directories(folder_);
    std::filesystem::current_path(folder_);
    std::filesystem::remove(kReproducer);
    compilation_.buildAttention({1, 2, 4, 8}, 4, /*hasMask=*/false);
  }
  void TearDown() override {
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
    std::filesystem::current_path("/");
    std::filesystem::remove_all(folder_);
  }

  template <typename PassT> std::string errorOf() {
    auto status =
        compilation_.runPasses([](OpPassManager &pm) { pm.addPass(std::make_unique<PassT>()); });
    return status ? "no error" : status.error().message;
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("sparsam-crash-" + std::to_string(getpid()));
  driver::Compilation compilation_;
};

TEST_F(Crash, leaves_a_reproducer_and_says_how_to_run_it) {
  EXPECT_EQ(errorOf<CrashingPass>(),
            "the compiler crashed in a pass; this is a bug, please report it with "
            "sparsam-reproducer.mlir\n"
            "  note: to see it again: sparsam-opt --run-reproducer sparsam-reproducer.mlir");
  std::ifstream file(kReproducer);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(text.find("sattn.attention"), std::string::npos);
  EXPECT_NE(text.find("pipeline: \"builtin.module(crash)\""), std::string::npos);
}

TEST_F(Crash, is_an_error_where_no_reproducer_can_be_written) {
  std::filesystem::create_directory(kReproducer); // a folder of that name
  EXPECT_EQ(errorOf<CrashingPass>(),
            "the compiler crashed in a pass; this is a bug\n"
            "  note: cannot write sparsam-reproducer.mlir: Is a directory");
}

TEST_F(Crash, is_not_what_a_reported_error_is) {
  EXPECT_EQ(errorOf<FailingPass>(), "node 'attention_0': the roof leaks");
  EXPECT_FALSE(std::filesystem::exists(kReproducer));
}

} // namespace
