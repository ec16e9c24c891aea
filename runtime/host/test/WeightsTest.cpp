// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- WeightsTest.cpp - N:M compression on the host ----------------------===//

#include "runtime/host/test/HostTest.h"

namespace sparsam::runtime::host {
namespace {

HostAttributes encodingOf(const std::string &text, bool isTransposed = true) {
  HostAttributes attributes = {{"encoding", text}};
  if (isTransposed)
    attributes["transpose_weight"] = int64_t(1);
  return attributes;
}

const std::string kTwoOfEight = "n = 2, m = 8, bits = 16, fraction = 1";
const std::vector<float> kRow = {3, -1, 0, 5, 2, -4, 1, 0};

TEST(WeightsTest, CompressesAsTheWorkedExample) {
  Op op{"sattn.nm_compress", {in({1, 8}, kRow)}, encodingOf(kTwoOfEight)};
  auto parts = op.runAll({{DType::i16, {1, 2}}, {DType::u8, {1, 1}}});
  ASSERT_TRUE(parts) << parts.error().message;
  EXPECT_EQ((*parts)[0].as<int16_t>()[0], 10);
  EXPECT_EQ((*parts)[0].as<int16_t>()[1], -8);
  EXPECT_EQ((*parts)[1].as<uint8_t>()[0], 0x28);
}

TEST(WeightsTest, ExpandsToThePrunedMatrix) {
  for (bool isTransposed : {true, false}) {
    const Shape shape = isTransposed ? Shape{1, 8} : Shape{8, 1};
    Op op{"sattn.nm_expand",
          {in<int16_t>({1, 2}, {10, -8}), in<uint8_t>({1, 1}, {0x28})},
          encodingOf(kTwoOfEight, isTransposed)};
    auto weight = op.runAll({{DType::f32, shape}});
    ASSERT_TRUE(weight) << weight.error().message;
    const float *values = (*weight)[0].as<float>();
    EXPECT_EQ(std::vector<float>(values, values + 8),
              (std::vector<float>{0, 0, 0, 5, 0, -4, 0, 0}));
  }
}

TEST(WeightsTest, SixteenPositionsNeedWiderBitmaps) {
  std::vector<float> row(16, 0.25f);
  row[15] = -2;
  Op op{"sattn.nm_compress",
        {in({1, 16}, row)},
        encodingOf("n = 1, m = 16, bits = 32, fraction = 0")};
  auto parts = op.runAll({{DType::f32, {1, 1}}, {DType::u16, {1, 1}}});
  ASSERT_TRUE(parts) << parts.error().message;
  EXPECT_EQ((*parts)[0].as<float>()[0], -2);
  EXPECT_EQ((*parts)[1].as<uint16_t>()[0], 0x8000);
}

TEST(WeightsTest, KeepingAllHasNoBitmaps) {
  Op op{"sattn.nm_compress",
        {in({1, 2}, {0.5f, -1.0f})},
        encodingOf("n = 2, m = 2, bits = 8, fraction = 4")};
  auto parts = op.runAll({{DType::i8, {1, 2}}});
  ASSERT_TRUE(parts) << parts.error().message;
  EXPECT_EQ((*parts)[0].as<int8_t>()[1], -16);
  Op back{"sattn.nm_expand",
          {{(*parts)[0]}, absent()},
          encodingOf("n = 2, m = 2, bits = 8, fraction = 4")};
  auto weight = back.runAll({{DType::f32, {1, 2}}});
  ASSERT_TRUE(weight) << weight.error().message;
  EXPECT_EQ((*weight)[0].as<float>()[0], 0.5f);
}

TEST(WeightsTest, RefusesADamagedBitmap) {
  Op op{"sattn.nm_expand",
        {in<int16_t>({1, 2}, {10, -8}), in<uint8_t>({1, 1}, {0x29})},
        encodingOf(kTwoOfEight)};
  auto weight = op.runAll({{DType::f32, {1, 8}}});
  ASSERT_FALSE(weight);
  EXPECT_EQ(weight.error().message, "op 'sattn.nm_expand': the bitmap of output 0, group 0 keeps 3 "
                                    "of 8 positions, not n = 2");
}

TEST(WeightsTest, RefusesWhatDoesNotFit) {
  auto errorOf = [](const Op &op, const std::vector<TensorView> &types) {
    auto result = op.runAll(types);
    return result ? std::string() : result.error().message;
  };
  EXPECT_EQ(
      errorOf({"sattn.nm_compress", {in({1, 8}, kRow)}, encodingOf("n = 9, m = 8, bits = 16")},
              {{DType::i16, {1, 2}}, {DType::u8, {1, 1}}}),
      "op 'sattn.nm_compress': does not know the encoding 'n = 9, m = 8, bits = 16'");
  EXPECT_EQ(errorOf({"sattn.nm_compress", {in({1, 4}, {1, 2, 3, 4})}, encodingOf(kTwoOfEight)},
                    {{DType::i16, {1, 2}}, {DType::u8, {1, 1}}}),
            "op 'sattn.nm_compress': expects a multiple of m = 8 inputs per output, got 4");
  EXPECT_EQ(errorOf({"sattn.nm_compress", {in({1, 8}, kRow)}, encodingOf(kTwoOfEight)},
                    {{DType::i16, {1, 2}}}),
            "op 'sattn.nm_compress': expects bitmaps for n = 2 and m = 8");
}

} // namespace
} // namespace sparsam::runtime::host
