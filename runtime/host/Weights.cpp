// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Weights.cpp - N:M compressed weights -------------------------------===//
//
// The compiler compresses constants; these kernels do the same at run time, and expand compressed
// weights for layers that the host runs.
//

#include "runtime/host/Call.h"
#include "runtime/support/Parallel.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace sparsam::runtime::host {

namespace {

constexpr int64_t kMaxGroup = 16;

/// The encoding `n = 2, m = 8, bits = 16, fraction = 12`, and the matrix it is of.
struct Encoding {
  int64_t n = 0, m = 0, bits = 0, fraction = 0;
  int64_t outputs = 0, inputs = 0;
  bool isTransposed = false; ///< [outputs, inputs]

  int64_t groups() const { return inputs / m; }
  bool isDense() const { return n == m; }
  size_t place(int64_t output, int64_t input) const {
    return size_t(isTransposed ? output * inputs + input : input * outputs + output);
  }
  DType word() const { return bits == 8 ? DType::i8 : bits == 16 ? DType::i16 : DType::f32; }
  DType bitmap() const { return m <= 8 ? DType::u8 : DType::u16; }
};

int64_t numberOf(const std::string &text, const std::string &name) {
  size_t at = text.find(name + " = ");
  return at == text.npos ? 0 : std::strtoll(text.c_str() + at + name.size() + 3, nullptr, 10);
}

Result<Encoding> readEncoding(const Call &call, const TensorView &weight) {
  const std::string text = call.text("encoding", "");
  Encoding e{numberOf(text, "n"), numberOf(text, "m"), numberOf(text, "bits"),
             numberOf(text, "fraction")};
  const bool isGroup = e.m == 2 || e.m == 4 || e.m == 8 || e.m == 16;
  const bool isWord = e.bits == 8 || e.bits == 16 || e.bits == 32;
  if (!isGroup || e.n < 1 || e.n > e.m || !isWord || e.fraction < 0 || e.fraction > 31)
    return call.error("does not know the encoding '", text, "'");
  if (weight.shape.size() != 2)
    return call.error("expects a weight of two dimensions, got ", toString(weight.shape));
  e.isTransposed = call.integer("transpose_weight", 0) != 0;
  e.outputs = weight.shape[e.isTransposed ? 0 : 1];
  e.inputs = weight.shape[e.isTransposed ? 1 : 0];
  if (e.inputs % e.m != 0)
    return call.error("expects a multiple of m = ", e.m, " inputs per output, got ", e.inputs);
  return e;
}

/// Types and shapes of the compressed parts.
Status checkParts(const Call &call, const Encoding &e, const std::vector<TensorView> &parts) {
  if (Status status = call.expectType(parts[0], "values", e.word()); !status)
    return status;
  if (Status status = call.expectShape(parts[0], "values", {e.outputs, e.groups() * e.n}); !status)
    return status;
  if (parts.size() != (e.isDense() ? 1u : 2u))
    return call.error("expects ", e.isDense() ? "no " : "", "bitmaps for n = ", e.n,
                      " and m = ", e.m);
  if (e.isDense())
    return Status();
  if (Status status = call.expectType(parts[1], "bitmaps", e.bitmap()); !status)
    return status;
  return call.expectShape(parts[1], "bitmaps", {e.outputs, e.groups()});
}

uint32_t keptPositions(const Encoding &e, const float *group) {
  uint32_t kept = 0;
  for (int64_t i = 0; i < e.n; ++i) {
    int64_t best = -1;
    float magnitude = -1;
    for (int64_t position = 0; position < e.m; ++position) {
      const float candidate = std::isnan(group[position]) ? 0 : std::abs(group[position]);
      if (!(kept >> position & 1) && candidate > magnitude) {
        magnitude = candidate;
        best = position;
      }
    }
    kept |= uint32_t(1) << best;
  }
  return kept;
}

void storeWord(const Encoding &e, const TensorView &values, int64_t index, float value) {
  if (e.bits == 32) {
    values.as<float>()[index] = value;
    return;
  }
  const double largest = std::ldexp(1.0, int(e.bits - 1)) - 1;
  const double scaled = std::round(std::ldexp(double(value), int(e.fraction)));
  const auto word =
      int64_t(std::isnan(scaled) ? 0 : std::min(std::max(scaled, -largest - 1), largest));
  if (e.bits == 8)
    values.as<int8_t>()[index] = int8_t(word);
  else
    values.as<int16_t>()[index] = int16_t(word);
}

float loadWord(const Encoding &e, const TensorView &values, int64_t index) {
  if (e.bits == 32)
    return values.as<float>()[index];
  const double word =
      e.bits == 8 ? double(values.as<int8_t>()[index]) : double(values.as<int16_t>()[index]);
  return float(std::ldexp(word, -int(e.fraction)));
}

Made makeCompress(const Call &call) {
  if (Status status = call.expectOperands(1); !status)
    return status.error();
  if (Status status = call.expectType(call.inputs[0], "a weight", DType::f32); !status)
    return status.error();
  Result<Encoding> encoding = readEncoding(call, call.inputs[0]);
  if (!encoding)
    return encoding.error();
  if (Status status = checkParts(call, *encoding, call.outputs); !status)
    return status.error();
  return makeKernel(0, [e = *encoding](const auto &inputs, const auto &outputs) {
    parallelFor(e.outputs, [&](int64_t output) {
      std::array<float, kMaxGroup> group;
      int64_t index = output * e.groups() * e.n;
      for (int64_t g = 0; g < e.groups(); ++g) {
        for (int64_t i = 0; i < e.m; ++i)
          group[size_t(i)] = inputs[0].template as<float>()[e.place(output, g * e.m + i)];
        const uint32_t kept = keptPositions(e, group.data());
        for (int64_t i = 0; i < e.m; ++i)
          if (kept >> i & 1)
            storeWord(e, outputs[0], index++, group[size_t(i)]);
        if (!e.isDense() && e.m <= 8)
          outputs[1].template as<uint8_t>()[output * e.groups() + g] = uint8_t(kept);
        else if (!e.isDense())
          outputs[1].template as<uint16_t>()[output * e.groups() + g] = uint16_t(kept);
      }
    });
    return Status();
  });
}

/// Fails on a bitmap that does not keep n positions: what comes after it would be misplaced.
Status expandRow(const Encoding &e, int64_t output, const std::vector<TensorView> &inputs,
                 float *weight) {
  int64_t index = output * e.groups() * e.n;
  for (int64_t g = 0; g < e.groups(); ++g) {
    const int64_t at = output * e.groups() + g;
    const uint32_t kept = e.isDense() ? (uint32_t(1) << e.m) - 1
                          : e.m <= 8  ? inputs[1].as<uint8_t>()[at]
                                      : inputs[1].as<uint16_t>()[at];
    if (std::popcount(kept) != e.n || kept >> e.m != 0)
      return makeError("op 'sattn.nm_expand': the bitmap of output ", output, ", group ", g,
                       " keeps ", std::popcount(kept), " of ", e.m, " positions, not n = ", e.n);
    for (int64_t i = 0; i < e.m; ++i)
      weight[e.place(output, g * e.m + i)] = kept >> i & 1 ? loadWord(e, inputs[0], index++) : 0.0f;
  }
  return Status();
}

Made makeExpand(const Call &call) {
  if (Status status = call.expectOperands(1); !status)
    return status.error();
  if (Status status = call.expectType(call.outputs[0], "a weight", DType::f32); !status)
    return status.error();
  Result<Encoding> encoding = readEncoding(call, call.outputs[0]);
  if (!encoding)
    return encoding.error();
  std::vector<TensorView> parts = call.inputs;
  while (!parts.empty() && parts.back().isAbsent)
    parts.pop_back();
  if (Status status = checkParts(call, *encoding, parts); !status)
    return status.error();
  return makeKernel(0, [e = *encoding](const auto &inputs, const auto &outputs) {
    std::vector<Status> statuses{size_t(e.outputs)};
    parallelFor(e.outputs, [&](int64_t output) {
      statuses[size_t(output)] = expandRow(e, output, inputs, outputs[0].template as<float>());
    });
    for (const Status &status : statuses)
      if (!status)
        return status;
    return Status();
  });
}

} // namespace

void addWeights(Table &table) {
  table["sattn.nm_compress"] = makeCompress;
  table["sattn.nm_expand"] = makeExpand;
}

} // namespace sparsam::runtime::host
