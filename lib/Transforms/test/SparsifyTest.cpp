// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SparsifyTest.cpp - sattn-sparsify with a made-up target ------------===//

#include "sparsam/Target.h"
#include "sparsam/Transforms.h"

#include "sattn/Sattn.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace sparsam;

namespace {

/// Selects by a low-bit threshold; its ranges are the parameters `tx` and `ty`.
class MadeUpTarget : public Target {
public:
  StringRef getName() const override { return "made_up"; }
  void registerDialects(DialectRegistry &) const override {}
  FailureOr<Attribute> getPolicy(isa::ArchAttr arch, Operation *attention) const override {
    if (arch.getInteger("bits") > 8)
      return attention->emitError() << "too many bits";
    return Attribute(sattn::LowBitThresholdAttr::get(
        arch.getContext(), arch.getInteger("bits"), 0.02, arch.getFlag("normalize"),
        arch.getReal("tx"), arch.getReal("ty"), sattn::EmptyRow::Zero));
  }
  void addLoweringPasses(OpPassManager &) const override {}
  std::map<std::string, MemoryInfo> getMemories(isa::ArchAttr) const override { return {}; }
};

constexpr const char *kModule = R"mlir(
module attributes {isa.arch = #isa.arch<"made_up", {bits = 4 : i64, normalize = true, tx = 0.0 : f64, ty = 0.0 : f64}>} {
  func.func @main(%x: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
    %a = sattn.attention %x, %x, %x {scale = 0.5 : f32, policy = #sattn.dense, sattn.name = "attention_0"}
        : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> -> tensor<1x2x8x4xf32>
    %b = sattn.attention %a, %a, %a {scale = 0.5 : f32, sattn.name = "attention_1",
        policy = #sattn.low_bit_threshold<bits = 8, threshold = 0.5, normalize = false, q_range = 3.0, k_range = 4.0, empty_row = dense>}
        : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32> -> tensor<1x2x8x4xf32>
    return %b : tensor<1x2x8x4xf32>
  }
})mlir";

class SparsifyTest : public ::testing::Test {
protected:
  static void SetUpTestSuite() { TargetRegistry::instance().add(std::make_unique<MadeUpTarget>()); }

  SparsifyTest()
      : handler(&context, [this](Diagnostic &diagnostic) { message = diagnostic.str(); }) {
    context.loadDialect<sattn::SattnDialect, isa::IsaDialect, func::FuncDialect>();
    module = parseSourceString<ModuleOp>(kModule, &context);
  }

  LogicalResult run(SparsifyMode mode, const std::string &calibration = "") {
    PassManager pm(&context);
    SparsifyOptions options;
    options.mode = mode;
    options.calibration = calibration;
    pm.addPass(createSparsify(options));
    return pm.run(*module);
  }

  /// The attention cores in program order.
  SmallVector<sattn::AttentionOp> cores() {
    SmallVector<sattn::AttentionOp> result;
    module->walk([&](sattn::AttentionOp op) { result.push_back(op); });
    return result;
  }
  sattn::LowBitThresholdAttr policy(unsigned core) {
    return dyn_cast<sattn::LowBitThresholdAttr>(cores()[core].getPolicy());
  }

  MLIRContext context;
  std::string message;
  ScopedDiagnosticHandler handler;
  OwningOpRef<ModuleOp> module;
};

TEST_F(SparsifyTest, GivesThePolicyOfTheTarget) {
  ASSERT_TRUE(succeeded(run(SparsifyMode::sparse)));
  ASSERT_TRUE(policy(0));
  EXPECT_EQ(policy(0).getBits(), 4);
  EXPECT_EQ(policy(0).missingCalibration(), "q_range");
  for (sattn::AttentionOp core : cores())
    EXPECT_EQ(core->getAttrOfType<StringAttr>(kTargetAttr).getValue(), "made_up");
}

TEST_F(SparsifyTest, KeepsAPolicyChosenByHand) {
  ASSERT_TRUE(succeeded(run(SparsifyMode::sparse)));
  EXPECT_EQ(policy(1).getBits(), 8);
  EXPECT_EQ(double(policy(1).getKRange()), 4.0);
}

TEST_F(SparsifyTest, CalibrationOverridesParametersOfOneCore) {
  ASSERT_TRUE(
      succeeded(run(SparsifyMode::sparse, "attention_0:tx=1.25,ty=0.5,bits=6,normalize=0")));
  EXPECT_EQ(double(policy(0).getQRange()), 1.25);
  EXPECT_EQ(double(policy(0).getKRange()), 0.5);
  EXPECT_EQ(policy(0).getBits(), 6);
  EXPECT_FALSE(policy(0).getNormalize());
}

TEST_F(SparsifyTest, CalibrationSurvivesItsTextForm) {
  const double third = 1.0 / 3;
  ASSERT_TRUE(succeeded(run(SparsifyMode::sparse,
                            formatCalibration({{"attention_0", {{"tx", third}, {"ty", 1e-9}}}}))));
  EXPECT_EQ(double(policy(0).getQRange()), third);
  EXPECT_EQ(double(policy(0).getKRange()), 1e-9);
}

TEST_F(SparsifyTest, DenseModeKeepsEveryPairOnTheTarget) {
  ASSERT_TRUE(succeeded(run(SparsifyMode::dense)));
  for (sattn::AttentionOp core : cores()) {
    EXPECT_TRUE(core.getPolicy().isDense());
    EXPECT_TRUE(core->hasAttr(kTargetAttr));
  }
}

TEST_F(SparsifyTest, HostModeTakesCoresOffTheTarget) {
  ASSERT_TRUE(succeeded(run(SparsifyMode::dense)));
  ASSERT_TRUE(succeeded(run(SparsifyMode::host)));
  for (sattn::AttentionOp core : cores())
    EXPECT_FALSE(core->hasAttr(kTargetAttr));
}

TEST_F(SparsifyTest, RejectsCalibrationOfAnUnknownCore) {
  EXPECT_TRUE(failed(run(SparsifyMode::sparse, "attention_7:tx=1.0")));
  EXPECT_EQ(message,
            "calibration names 'attention_7', but no attention core of this module is called that");
}

TEST_F(SparsifyTest, RejectsAnUnknownParameter) {
  EXPECT_TRUE(failed(run(SparsifyMode::sparse, "attention_0:tz=1.0")));
  EXPECT_EQ(message,
            "calibration of 'attention_0' sets 'tz', which is no parameter of target 'made_up'");
}

TEST_F(SparsifyTest, RejectsAFractionForAnInteger) {
  EXPECT_TRUE(failed(run(SparsifyMode::sparse, "attention_0:bits=4.5")));
  EXPECT_NE(message.find("sets 'bits' to 4.5"), std::string::npos) << message;
}

TEST_F(SparsifyTest, RejectsMalformedCalibration) {
  EXPECT_TRUE(failed(run(SparsifyMode::sparse, "attention_0")));
  EXPECT_EQ(message, "expects calibration as core:name=value,..., got 'attention_0'");
  EXPECT_TRUE(failed(run(SparsifyMode::sparse, "attention_0:tx=wide")));
  EXPECT_EQ(message,
            "expects calibration settings as name=number, got 'tx=wide' for 'attention_0'");
}

TEST_F(SparsifyTest, PassesOnWhatTheTargetRejects) {
  EXPECT_TRUE(failed(run(SparsifyMode::sparse, "attention_0:bits=9")));
  EXPECT_EQ(message, "too many bits");
}

} // namespace
