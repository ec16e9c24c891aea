// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SimulateRequestTest.cpp - options that a target does not take ------===//

#include "runtime/kernel/Machine.h"

#include <gtest/gtest.h>

namespace sparsam::runtime {
namespace {

TEST(SimulateRequest, AcceptsWhatTheTargetTakes) {
  SimulateRequest request;
  EXPECT_TRUE(request.expectOnly("toy", {}).ok());
  request.seqLen = 8;
  request.given["density"] = 0.5;
  EXPECT_TRUE(request.expectOnly("toy", {"density", "seq-len"}).ok());
}

TEST(SimulateRequest, NamesTheOptionThatIsNotTaken) {
  auto messageOf = [](const SimulateRequest &request) {
    Status status = request.expectOnly("toy", {"seq-len", "density"});
    return status ? "" : status.error().message;
  };
  const std::string takes = "; it takes --seq-len, --density";
  SimulateRequest request;
  request.given["window"] = 4;
  EXPECT_EQ(messageOf(request), "target 'toy' has no use for --window" + takes);
  request = {};
  request.workload = "w.csv";
  EXPECT_EQ(messageOf(request), "target 'toy' has no use for --workload" + takes);
  request = {};
  request.scores = Tensor(DType::f32, {1, 2, 2});
  EXPECT_EQ(messageOf(request), "target 'toy' has no use for --scores" + takes);
  request = {};
  MaskTrace masks;
  request.masks = &masks;
  EXPECT_EQ(messageOf(request), "target 'toy' has no use for --masks" + takes);
  request = {};
  request.validLengths = {4};
  EXPECT_EQ(messageOf(request), "target 'toy' has no use for --valid-len" + takes);
}

} // namespace
} // namespace sparsam::runtime
