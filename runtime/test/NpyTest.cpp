// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NpyTest.cpp - NumPy arrays, against bytes written by hand ----------===//

#include "runtime/io/Npy.h"

#include "runtime/test/TestFiles.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace sparsam::runtime;

using Npy = FileTest;

/// A .npy file of the given version around a header text.
static std::string npy(const std::string &header, const std::string &data, char major = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += {major, char(0), char(header.size() & 0xff), char(header.size() >> 8)};
  if (major > 1)
    bytes += std::string(2, '\0');
  return bytes + header + data;
}

static std::string bytesOf(std::initializer_list<float> values) {
  return std::string(reinterpret_cast<const char *>(std::data(values)),
                     values.size() * sizeof(float));
}

static std::string header(const std::string &descr, const std::string &shape,
                          const std::string &order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

TEST_F(Npy, reads_every_version) {
  for (char major : {1, 2, 3}) {
    auto tensor =
        readNpy(write("a.npy", npy(header("<f4", "(2, 1)"), bytesOf({1.5f, -2.0f}), major)));
    ASSERT_TRUE(tensor.ok()) << message(tensor);
    EXPECT_EQ(tensor->shape(), (Shape{2, 1}));
    EXPECT_EQ(tensor->as<float>()[1], -2.0f);
  }
}

TEST_F(Npy, reads_scalars_vectors_and_empty_arrays) {
  auto scalar = readNpy(write("a.npy", npy(header("<f4", "()"), bytesOf({3}))));
  ASSERT_TRUE(scalar.ok()) << message(scalar);
  EXPECT_TRUE(scalar->shape().empty());
  auto vector = readNpy(write("a.npy", npy(header("|b1", "(3,)"), std::string("\1\0\1", 3))));
  ASSERT_TRUE(vector.ok()) << message(vector);
  EXPECT_EQ(vector->dtype(), DType::boolean);
  auto empty = readNpy(write("a.npy", npy(header("<i8", "(0, 4)"), "")));
  ASSERT_TRUE(empty.ok()) << message(empty);
  EXPECT_EQ(empty->elements(), 0);
}

TEST_F(Npy, turns_fortran_order_into_c_order) {
  // [[1, 2, 3], [4, 5, 6]] column by column.
  auto tensor =
      readNpy(write("a.npy", npy(header("<f4", "(2, 3)", "True"), bytesOf({1, 4, 2, 5, 3, 6}))));
  ASSERT_TRUE(tensor.ok()) << message(tensor);
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(tensor->as<float>()[i], float(i + 1));
}

TEST_F(Npy, writes_what_numpy_writes) {
  Tensor tensor(DType::f32, {2});
  tensor.as<float>()[0] = 1.5f;
  ASSERT_TRUE(writeNpy(path("a.npy"), tensor).ok());
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  std::string expected =
      npy(text + std::string(128 - 10 - text.size() - 1, ' ') + "\n", bytesOf({1.5f, 0}));
  EXPECT_EQ(read("a.npy"), expected);
}

TEST_F(Npy, round_trips_every_dtype) {
  for (DType dtype : {DType::f32, DType::i64, DType::i32, DType::i8, DType::u8, DType::boolean,
                      DType::f16, DType::f64}) {
    Tensor tensor(dtype, {3, 5});
    for (uint64_t i = 0; i < tensor.bytes(); ++i)
      tensor.as<uint8_t>()[i] = uint8_t(i % 2);
    ASSERT_TRUE(writeNpy(path("a.npy"), tensor).ok());
    auto again = readNpy(path("a.npy"));
    ASSERT_TRUE(again.ok()) << message(again);
    EXPECT_EQ(again->dtype(), dtype);
    EXPECT_EQ(again->shape(), tensor.shape());
    EXPECT_EQ(std::memcmp(again->as<void>(), tensor.as<void>(), tensor.bytes()), 0);
  }
}

/// Reads files that are wrong.
struct WrongNpy : Npy {
  std::string wrong(const std::string &bytes) { return message(readNpy(write("a.npy", bytes))); }
  void SetUp() override {
    Npy::SetUp();
    prefix = "cannot read array " + path("a.npy") + ": ";
  }
  std::string prefix;
};

TEST_F(WrongNpy, is_refused_with_unknown_types) {
  EXPECT_EQ(wrong("hello, this is not numpy"), prefix + "it does not start as a .npy array");
  EXPECT_EQ(wrong(""), prefix + "it does not start as a .npy array");
  EXPECT_EQ(wrong(npy("", "", 9)),
            prefix + "format version 9 is not supported; versions 1 to 3 are");
  EXPECT_EQ(wrong(npy(header("<f4", "(4,)"), "").substr(0, 30)),
            prefix + "it ends inside of the header");
  EXPECT_EQ(
      wrong(npy(header("|O", "(1,)"), "")),
      prefix +
          "it holds pickled Python objects, which are never loaded; save a plain numeric array");
  EXPECT_EQ(wrong(npy(header(">f4", "(1,)"), "")),
            prefix + "big-endian dtype '>f4' is not supported; convert it to little-endian");
  EXPECT_EQ(wrong(npy(header("<u8", "(1,)"), "")),
            prefix + "dtype '<u8' is not supported; use float32, float64, float16, int64, int32, "
                     "int16, int8, uint16, uint8 or bool");
  EXPECT_EQ(wrong(npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }", "")),
            prefix + "structured arrays are not supported; save one plain array per field");
}

TEST_F(WrongNpy, is_refused_with_a_broken_header) {
  EXPECT_EQ(wrong(npy("[1, 2]", "")), prefix + "its header is not a dictionary literal");
  EXPECT_EQ(wrong(npy("{'descr': '<f4'}", "")),
            prefix + "its header lacks 'descr', 'fortran_order' or 'shape'");
  EXPECT_EQ(wrong(npy("{'descr': '<f4', 'descr': '<f4'}", "")),
            prefix + "its header has the unexpected key 'descr'");
  EXPECT_EQ(wrong(npy("{'x': 1}", "")), prefix + "its header has the unexpected key 'x'");
  EXPECT_EQ(wrong(npy("{'descr': 4}", "")), prefix + "its header has no readable 'descr'");
  EXPECT_EQ(wrong(npy(header("<f4", "(1,)", "Maybe"), "")),
            prefix + "its header has no readable 'fortran_order'");
  EXPECT_EQ(wrong(npy(header("<f4", "(1, x)"), "")), prefix + "its header has no readable 'shape'");
  EXPECT_EQ(wrong(npy(header("<f4", "(1,)") + "junk", bytesOf({1}))),
            prefix + "its header has text after the dictionary");
  std::string longHeader = npy("", "", 2);
  longHeader[10] = 1; // 65536 bytes, and with [8] one more
  longHeader[8] = 1;
  EXPECT_EQ(wrong(longHeader),
            prefix + "its header of 65537 bytes is longer than the limit of 65536");
}

TEST_F(WrongNpy, is_refused_with_impossible_shapes) {
  EXPECT_EQ(wrong(npy(header("<f4", "(-1,)"), "")),
            prefix + "its shape has the negative dimension -1");
  EXPECT_EQ(wrong(npy(header("<f4", "(4294967296, 4294967296)"), "")),
            prefix + "its shape 4294967296x4294967296 is too large");
  EXPECT_EQ(wrong(npy(header("<f4", "(1000000000000,)"), "abcd")),
            prefix +
                "shape 1000000000000 of float32 needs 4000000000000 bytes of data, the file has 4");
  EXPECT_EQ(wrong(npy(header("<f4", "(1,)"), bytesOf({1, 2}))),
            prefix + "shape 1 of float32 needs 4 bytes of data, the file has 8");
  std::string many = "(";
  for (int i = 0; i < 40; ++i)
    many += "1, ";
  EXPECT_EQ(wrong(npy(header("<f4", many + ")"), bytesOf({1}))),
            prefix + "its shape has more than 32 dimensions");
}

TEST_F(Npy, converts_to_float32) {
  Tensor half(DType::f16, {7});
  // 1, -2, smallest subnormal, largest subnormal, largest normal, infinity, -0
  uint16_t codes[] = {0x3c00, 0xc000, 0x0001, 0x03ff, 0x7bff, 0x7c00, 0x8000};
  std::memcpy(half.as<void>(), codes, sizeof codes);
  float expected[] = {1,
                      -2,
                      std::ldexp(1.0f, -24),
                      std::ldexp(1023.0f, -24),
                      65504,
                      std::numeric_limits<float>::infinity(),
                      -0.0f};
  Tensor single = toFloat32(half);
  EXPECT_EQ(std::memcmp(single.as<void>(), expected, sizeof expected), 0);
  Tensor wide(DType::f64, {1});
  wide.as<double>()[0] = 0.1;
  EXPECT_EQ(toFloat32(wide).as<float>()[0], 0.1f);
  Tensor flags(DType::boolean, {1});
  flags.as<uint8_t>()[0] = 1;
  EXPECT_EQ(toFloat32(flags).as<float>()[0], 1.0f);
}
