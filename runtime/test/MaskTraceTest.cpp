// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MaskTraceTest.cpp - mask files -------------------------------------===//

#include "runtime/kernel/MaskTrace.h"

#include "runtime/io/Npy.h"
#include "runtime/test/TestFiles.h"

using namespace sparsam::runtime;

using Masks = FileTest;

static BitTensor diagonal(int64_t batch, int64_t heads, int64_t n) {
  BitTensor bits(batch, heads, n, n);
  for (int64_t head = 0; head < batch * heads; ++head)
    for (int64_t i = 0; i < n; ++i)
      bits.set(head, i, (i + head) % n);
  return bits;
}

TEST_F(Masks, round_trip_for_rows_of_any_length) {
  for (int64_t n : {1, 7, 8, 63, 64, 65, 130}) {
    MaskTrace trace;
    trace.kernels["attention_0"] = diagonal(2, 3, n);
    trace.kernels["attention_1"] = diagonal(1, 1, n);
    ASSERT_TRUE(writeMasks(path("m.npz"), trace).ok());
    auto again = readMasks(path("m.npz"));
    ASSERT_TRUE(again.ok()) << message(again);
    EXPECT_EQ(again->kernels, trace.kernels);
    EXPECT_EQ(again->kernels["attention_0"].count(), 6 * n);
  }
}

TEST_F(Masks, are_packed_as_numpy_packs_bits) {
  MaskTrace trace;
  trace.kernels["k"] = BitTensor(1, 1, 2, 10);
  trace.kernels["k"].set(0, 0, 0);
  trace.kernels["k"].set(0, 0, 9);
  trace.kernels["k"].set(0, 1, 3);
  ASSERT_TRUE(writeMasks(path("m.npz"), trace).ok());
  auto tensors = readNpz(path("m.npz"));
  ASSERT_TRUE(tensors.ok());
  const Tensor &packed = tensors->at("k");
  EXPECT_EQ(packed.shape(), (Shape{1, 1, 2, 2}));
  // Rows 1000000001 and 0001000000, most significant bit first, padded to bytes.
  const uint8_t expected[] = {0x80, 0x40, 0x10, 0x00};
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(packed.as<uint8_t>()[i], expected[i]);
  EXPECT_EQ(tensors->at("k.shape").as<int64_t>()[3], 10);
}

TEST_F(Masks, are_read_from_bool_arrays) {
  Tensor flags(DType::boolean, {2, 3, 3});
  flags.as<uint8_t>()[9 + 5] = 1; // head 1, query 1, key 2
  ASSERT_TRUE(writeNpy(path("m.npy"), flags).ok());
  auto trace = readMasks(path("m.npy"));
  ASSERT_TRUE(trace.ok()) << message(trace);
  const BitTensor &bits = trace->kernels.at("masks");
  EXPECT_EQ(bits.heads(), 2);
  EXPECT_EQ(bits.count(), 1);
  EXPECT_TRUE(bits.get(1, 1, 2));
}

TEST_F(Masks, are_read_from_packed_arrays) {
  Tensor packed(DType::u8, {2});
  packed.as<uint8_t>()[0] = 0x81; // pairs 0 and 7 of 9
  packed.as<uint8_t>()[1] = 0x80; // pair 8
  ASSERT_TRUE(writeNpy(path("m.npy"), packed).ok());
  auto trace = readMasks(path("m.npy"), {1, 1, 3, 3});
  ASSERT_TRUE(trace.ok()) << message(trace);
  const BitTensor &bits = trace->kernels.at("masks");
  EXPECT_EQ(bits.count(), 3);
  EXPECT_TRUE(bits.get(0, 0, 0) && bits.get(0, 2, 1) && bits.get(0, 2, 2));
}

TEST_F(Masks, explain_what_is_wrong) {
  std::string file = path("m.npy"), archive = path("m.npz");
  auto wrong = [&](const Tensor &tensor, const std::vector<int64_t> &shape = {}) {
    EXPECT_TRUE(writeNpy(file, tensor).ok());
    return message(readMasks(file, shape));
  };
  std::string prefix = "cannot read masks of " + file + ": ";
  EXPECT_EQ(wrong(Tensor(DType::u8, {4})),
            prefix + "masks must be bool, got uint8; bit-packed uint8 masks need their "
                     "shape (--packed-shape batch,heads,queries,keys)");
  EXPECT_EQ(wrong(Tensor(DType::boolean, {4, 4})),
            prefix +
                "masks must be [batch, heads, queries, keys] or [heads, queries, keys], got 4x4");
  EXPECT_EQ(wrong(Tensor(DType::boolean, {1, 0, 4})),
            prefix + "shape 1x1x0x4 is not that of a mask [batch, heads, queries, keys]");
  EXPECT_EQ(wrong(Tensor(DType::u8, {4}), {1, 2}),
            prefix +
                "the packed shape must have four dimensions [batch, heads, queries, keys], got 2");
  EXPECT_EQ(wrong(Tensor(DType::u8, {3}), {1, 1, 4, 4}),
            prefix + "packed masks of shape 1x1x4x4 need 2 uint8, got 3 uint8");
  EXPECT_EQ(wrong(Tensor(DType::u8, {3}), {1, 1000, 1000, 1000}),
            prefix + "shape 1x1000x1000x1000 has more pairs than the 3 bytes of the array");
  EXPECT_EQ(wrong(Tensor(DType::u8, {3}), {1 << 30, 1 << 30, 1 << 30, 1 << 30}),
            prefix + "shape 1073741824x1073741824x1073741824x1073741824 is not that of a mask "
                     "[batch, heads, queries, keys]");
  ASSERT_TRUE(writeNpz(archive, {{"k", Tensor(DType::u8, {4})}}).ok());
  EXPECT_EQ(message(readMasks(archive)),
            "cannot read masks 'k' of " + archive + ": the archive has no array 'k.shape'");
  ASSERT_TRUE(writeNpz(archive, {{"k.shape", Tensor(DType::i64, {4})}}).ok());
  EXPECT_EQ(message(readMasks(archive)), "cannot read masks 'k.shape' of " + archive +
                                             ": the archive has no array 'k', whose shape this is");
  ASSERT_TRUE(
      writeNpz(archive, {{"k", Tensor(DType::u8, {4})}, {"k.shape", Tensor(DType::i64, {3})}})
          .ok());
  EXPECT_EQ(message(readMasks(archive)),
            "cannot read masks 'k' of " + archive + ": array 'k.shape' must hold four int64");
  Tensor shape(DType::i64, {4});
  std::fill_n(shape.as<int64_t>(), 4, 2);
  ASSERT_TRUE(writeNpz(archive, {{"k", Tensor(DType::u8, {4})}, {"k.shape", shape}}).ok());
  EXPECT_EQ(message(readMasks(archive)),
            "cannot read masks 'k' of " + archive +
                ": a mask of shape 2x2x2x2 needs 8 packed uint8, got 4 uint8");
}
TEST_F(Masks, of_attention_is_read_without_its_output) {
  const std::string archive = path("attention.npz");
  Tensor mask(DType::boolean, {1, 2, 2, 3});
  mask.as<bool>()[4] = true;
  ASSERT_TRUE(writeNpz(archive, {{"mask", mask}, {"out", Tensor(DType::f32, {1, 2, 2, 8})}}).ok());
  auto trace = readMasks(archive);
  ASSERT_TRUE(trace.ok());
  ASSERT_EQ(trace->kernels.size(), 1u);
  EXPECT_EQ(trace->kernels.at("mask").row(0, 1)[0], 2u);
}

TEST(MaskTrace, knows_masks_from_what_is_recorded_beside_them) {
  MaskTrace trace;
  for (const char *name : {"layer.0", "layer.0.valid", "layer.1", "attention_0"})
    trace.kernels[name] = BitTensor(1, 1, 1, 1);
  EXPECT_TRUE(trace.isMask("layer.0")); // no 'layer': the point is of its name
  EXPECT_TRUE(trace.isMask("layer.1"));
  EXPECT_TRUE(trace.isMask("attention_0"));
  EXPECT_FALSE(trace.isMask("layer.0.valid"));
}
