// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Data.cpp - print and compare the interpreter's values --------------===//

#include "Reference/Data.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <limits>

using namespace sparsam::sattn::semantics;

namespace sparsam::reference {

/// int32, which models use for token numbers.
static std::optional<Data> toWideIntegers(mlir::Attribute constant) {
  auto elements = llvm::dyn_cast_if_present<mlir::ElementsAttr>(constant);
  auto values = elements ? toSubrows(constant) : std::nullopt;
  if (!values)
    return std::nullopt;
  llvm::SmallVector<int64_t, 4> shape(4 - elements.getShapedType().getRank(), 1);
  llvm::append_range(shape, elements.getShapedType().getShape());
  Integers integers(shape);
  integers.data = std::move(*values);
  return integers;
}

std::optional<Data> toData(mlir::Attribute constant) {
  if (auto floats = toFloats(constant, kLimit))
    return std::move(*floats);
  if (auto codes = toCodes(constant, kLimit))
    return std::move(*codes);
  if (auto mask = toMask(constant, kLimit))
    return std::move(*mask);
  if (auto indices = toIndices(constant, kLimit))
    return std::move(*indices);
  if (auto integers = toIntegers(constant, kLimit))
    return std::move(*integers);
  return toWideIntegers(constant);
}

//===-- Printing -----------------------------------------------------------===//

static void printElement(float value, llvm::raw_ostream &out) {
  out << ' ' << llvm::format("%.4f", value);
}
static void printElement(int64_t value, llvm::raw_ostream &out) { out << ' ' << value; }
static void printElement(int8_t value, llvm::raw_ostream &out) { out << ' ' << int(value); }
static void printElement(int32_t value, llvm::raw_ostream &out) { out << ' ' << value; }
static void printElement(uint8_t value, llvm::raw_ostream &out) { out << (value ? '1' : '0'); }

/// A blank line separates the matrices of different heads.
template <typename T> static void printRows(const Array4<T> &array, llvm::raw_ostream &out) {
  const auto &shape = array.shape;
  for (int64_t b = 0; b < shape[0]; ++b) {
    for (int64_t h = 0; h < shape[1]; ++h) {
      if (b + h > 0)
        out << '\n';
      for (int64_t i = 0; i < shape[2]; ++i) {
        out << ' ';
        for (int64_t j = 0; j < shape[3]; ++j)
          printElement(array(b, h, i, j), out);
        out << '\n';
      }
    }
  }
}

static void printRows(const Packed &packed, llvm::raw_ostream &out) {
  int64_t width = 4 + packed.type.getPes();
  for (llvm::ArrayRef<int32_t> rest = packed.subrows; !rest.empty();
       rest = rest.drop_front(width)) {
    out << "  head " << rest[0] << " stripe " << rest[1] << " block " << rest[2] << " query "
        << rest[3] << " columns";
    for (int32_t column : rest.slice(4, packed.type.getPes()))
      if (column >= 0)
        out << ' ' << column;
    out << '\n';
  }
}

void print(const Data &data, mlir::Type type, llvm::StringRef label, llvm::raw_ostream &out) {
  out << label << ": " << type << '\n';
  std::visit([&](const auto &values) { printRows(values, out); }, data);
}

//===-- Comparing ----------------------------------------------------------===//

namespace {

/// "[0, 1, 2, 3]" of the element at `index` of an array of `shape`.
std::string coordinates(size_t index, const std::array<int64_t, 4> &shape) {
  std::array<int64_t, 4> at{};
  for (int dim = 3; dim >= 0; --dim) {
    at[dim] = int64_t(index) % shape[dim];
    index /= shape[dim];
  }
  return llvm::formatv("[{0}, {1}, {2}, {3}]", at[0], at[1], at[2], at[3]);
}

template <typename T> std::string describe(const Array4<T> &actual, const Array4<T> &expected) {
  size_t different = 0, first = 0;
  for (size_t index = 0; index < actual.data.size(); ++index)
    if (actual.data[index] != expected.data[index] && different++ == 0)
      first = index;
  if (!different)
    return {};
  std::string text;
  llvm::raw_string_ostream(text) << different << " of " << actual.data.size()
                                 << " elements differ, the first at "
                                 << coordinates(first, actual.shape) << ": got "
                                 << +actual.data[first] << ", expected " << +expected.data[first];
  return text;
}

std::string describe(const Packed &actual, const Packed &expected) {
  if (actual.subrows == expected.subrows)
    return {};
  int64_t width = 4 + actual.type.getPes();
  auto row = [&](const Packed &packed, int64_t index) -> std::string {
    if (index * width >= int64_t(packed.subrows.size()))
      return "nothing";
    return "[" +
           llvm::join(llvm::map_range(llvm::ArrayRef(packed.subrows).slice(index * width, width),
                                      [](int32_t field) { return std::to_string(field); }),
                      ", ") +
           "]";
  };
  int64_t index = 0;
  while (row(actual, index) == row(expected, index))
    ++index;
  return "sub-row " + std::to_string(index) + " differs: got " + row(actual, index) +
         ", expected " + row(expected, index);
}

} // namespace

std::string describeDifference(const Data &actual, const Data &expected) {
  return std::visit(
      [&](const auto &values) -> std::string {
        auto *others = std::get_if<std::decay_t<decltype(values)>>(&expected);
        return others ? describe(values, *others) : "they hold different kinds of data";
      },
      actual);
}

std::string describeDistance(const Floats &actual, const Floats &expected, double bound) {
  size_t outside = 0, worst = 0;
  double largest = -1;
  for (size_t index = 0; index < actual.data.size(); ++index) {
    float a = actual.data[index], e = expected.data[index];
    double distance = a == e ? 0 : std::abs(double(a) - e);
    if (distance <= bound)
      continue;
    ++outside;
    if (std::isnan(distance) || distance > largest) {
      largest = std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance;
      worst = index;
    }
  }
  if (!outside)
    return {};
  std::string text;
  llvm::raw_string_ostream(text) << outside << " of " << actual.data.size()
                                 << " elements differ by more than " << llvm::format("%g", bound)
                                 << ", the worst at " << coordinates(worst, actual.shape)
                                 << ": got " << llvm::format("%g", actual.data[worst])
                                 << ", expected " << llvm::format("%g", expected.data[worst]);
  return text;
}

} // namespace sparsam::reference
