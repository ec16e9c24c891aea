// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NpzTest.cpp - NumPy archives, whole and damaged --------------------===//

#include "runtime/io/Npy.h"

#include "runtime/test/TestFiles.h"

#include <cstring>
#include <random>

using namespace sparsam::runtime;

using Npz = FileTest;

/// zip of one deflated array "x" = float32 [1, 2], as `numpy.savez_compressed` writes it (made by
/// hand from RFC 1951 and the zip application note: local header, deflate "stored" block, central
/// directory, end record).
static std::string zipOf(const std::string &name, const std::string &data, uint32_t crc,
                         uint32_t claimedSize) {
  auto u16 = [](uint32_t v) { return std::string{char(v & 0xff), char(v >> 8 & 0xff)}; };
  auto u32 = [&](uint32_t v) { return u16(v & 0xffff) + u16(v >> 16); };
  uint32_t n = uint32_t(data.size());
  std::string packed =
      std::string(1, '\1') + u16(n) + u16(~n & 0xffff) + data; // one final stored block
  std::string common = u16(20) + u16(0) + u16(8) + u16(0) + u16(0x21) + u32(crc) +
                       u32(uint32_t(packed.size())) + u32(claimedSize) +
                       u16(uint32_t(name.size())) + u16(0);
  std::string local = "PK\3\4" + common + name + packed;
  std::string central =
      std::string("PK\1\2") + u16(20) + common + u16(0) + u16(0) + u16(0) + u32(0) + u32(0) + name;
  return local + central + std::string("PK\5\6") + u16(0) + u16(0) + u16(1) + u16(1) +
         u32(uint32_t(central.size())) + u32(uint32_t(local.size())) + u16(0);
}

static uint32_t crc32(const std::string &data) {
  uint32_t crc = ~0u;
  for (unsigned char byte : data) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

/// The .npy file of float32 [1, 2].
static std::string smallArray() {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";
  float values[] = {1, 2};
  return std::string("\x93NUMPY") + std::string{1, 0, char(header.size()), 0} + header +
         std::string(reinterpret_cast<char *>(values), sizeof values);
}

TEST_F(Npz, reads_deflated_archives) {
  std::string array = smallArray();
  auto tensors =
      readNpz(write("a.npz", zipOf("x.npy", array, crc32(array), uint32_t(array.size()))));
  ASSERT_TRUE(tensors.ok()) << message(tensors);
  ASSERT_EQ(tensors->count("x"), 1u);
  EXPECT_EQ(tensors->at("x").as<float>()[1], 2.0f);
}

TEST_F(Npz, round_trips_names_with_slashes) {
  TensorMap tensors;
  tensors["/encoder/out:0"] = Tensor(DType::i64, {2, 3});
  tensors["/encoder/out:0"].as<int64_t>()[5] = -7;
  tensors["empty"] = Tensor(DType::f32, {0});
  ASSERT_TRUE(writeNpz(path("a.npz"), tensors).ok());
  EXPECT_EQ(list(), std::vector<std::string>{"a.npz"});
  auto again = readNpz(path("a.npz"));
  ASSERT_TRUE(again.ok()) << message(again);
  ASSERT_EQ(again->size(), 2u);
  EXPECT_EQ(again->at("/encoder/out:0").as<int64_t>()[5], -7);
  EXPECT_EQ(again->at("empty").shape(), Shape{0});
}

TEST_F(Npz, writes_equal_bytes_for_equal_tensors) {
  TensorMap tensors{{"a", Tensor(DType::f32, {4})}};
  ASSERT_TRUE(writeNpz(path("a.npz"), tensors).ok());
  ASSERT_TRUE(writeNpz(path("b.npz"), tensors).ok());
  EXPECT_EQ(read("a.npz"), read("b.npz"));
}

TEST_F(Npz, writes_archives_without_arrays) {
  ASSERT_TRUE(writeNpz(path("a.npz"), {}).ok());
  auto again = readNpz(path("a.npz"));
  ASSERT_TRUE(again.ok()) << message(again);
  EXPECT_TRUE(again->empty());
}

TEST_F(Npz, refuses_damaged_archives) {
  std::string array = smallArray(), file = path("a.npz");
  auto wrong = [&](const std::string &bytes) { return message(readNpz(write("a.npz", bytes))); };
  EXPECT_EQ(wrong("no zip at all"), "cannot read archive " + file + ": Not a zip archive");
  EXPECT_EQ(wrong(zipOf("x.txt", array, crc32(array), uint32_t(array.size()))),
            "cannot read archive " + file + ": entry 'x.txt' is not a .npy array");
  EXPECT_EQ(wrong(zipOf("x.npy", array, crc32(array) ^ 1, uint32_t(array.size()))),
            "cannot read array 'x' of " + file + ": its data is damaged: CRC error");
  EXPECT_EQ(wrong(zipOf("x.npy", array, crc32(array), 0x7fffffff)),
            "cannot read array 'x' of " + file + ": its size in the archive is impossible");
  EXPECT_EQ(wrong(zipOf("x.npy", "tiny", crc32("tiny"), 4)),
            "cannot read array 'x' of " + file + ": it ends inside of the header");
  std::string cut = array.substr(0, array.size() - 4);
  EXPECT_EQ(wrong(zipOf("x.npy", cut, crc32(cut), uint32_t(cut.size()))),
            "cannot read array 'x' of " + file +
                ": shape 2 of float32 needs 8 bytes of data, the archive has 4");
}

TEST_F(Npz, does_not_write_over_folders) {
  std::filesystem::create_directory(path("folder"));
  EXPECT_EQ(message(writeNpz(path("folder"), {})),
            "cannot write " + path("folder") + ": it is not a regular file");
}

TEST_F(Npz, survives_mutations) {
  std::string array = smallArray();
  std::string whole = zipOf("x.npy", array, crc32(array), uint32_t(array.size()));
  std::mt19937 random(1);
  unsigned readable = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = whole;
    for (unsigned n = random() % 3 + 1; n-- > 0;)
      bytes[random() % bytes.size()] = char(random());
    if (round % 5 == 0)
      bytes.resize(random() % bytes.size());
    readable += readNpz(write("a.npz", bytes)).ok();
  }
  EXPECT_LT(readable, 3000u);
}
