// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Reductions.cpp - operators along an axis ---------------------------===//

#include "runtime/host/Call.h"
#include "runtime/host/Vector.h"
#include "runtime/support/Parallel.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sparsam::runtime::host {

namespace {

/// Calls body(row) for rows of `width` elements, several at a time.
void forRows(int64_t rows, int64_t width, const std::function<void(int64_t)> &body) {
  int64_t group = std::max<int64_t>(1, kChunk / std::max<int64_t>(width, 1));
  parallelFor((rows + group - 1) / group, [&](int64_t task) {
    for (int64_t row = task * group; row < std::min(rows, (task + 1) * group); ++row)
      body(row);
  });
}

//===-- Reduce -------------------------------------------------------------===//

struct Mean {
  static double start() { return 0; }
  static double add(double a, float x) { return a + double(x); }
  static float finish(double a, int64_t n) { return float(a / double(n)); }
};
struct Sum : Mean {
  static float finish(double a, int64_t) { return float(a); }
};
/// Wraps around.
struct IntegerSum {
  static uint64_t start() { return 0; }
  static uint64_t add(uint64_t a, int64_t x) { return a + uint64_t(x); }
  static int64_t finish(uint64_t a, int64_t) { return int64_t(a); }
};
struct Largest {
  static float start() { return -std::numeric_limits<float>::infinity(); }
  static float add(float a, float x) { return x > a || x != x ? x : a; }
  static float finish(float a, int64_t) { return a; }
};

/// Which dimensions are reduced: operand 1 or the attribute `axes`; none means all, or nothing
/// with `noop_with_empty_axes`.
Result<std::vector<bool>> reducedDims(const Call &call) {
  std::vector<int64_t> axes = call.integers("axes");
  if (call.hasInput(1)) {
    auto given = call.constant(1, "axes");
    if (!given)
      return given.error();
    axes = given.take();
  }
  const size_t rank = call.inputs[0].shape.size();
  std::vector<bool> reduced(rank, axes.empty() && call.integer("noop_with_empty_axes", 0) == 0);
  for (int64_t value : axes) {
    auto axis = call.axis(value, rank);
    if (!axis)
      return axis.error();
    reduced[size_t(*axis)] = true;
  }
  return reduced;
}

/// Where the elements of a reduction lie.
struct ReducedShape {
  std::vector<int64_t> keptDims, keptStrides; ///< from the innermost on
  std::vector<int64_t> offsets = {0};         ///< of everything that becomes one element
  int64_t rows = 1;                           ///< elements of the result

  /// Offset of the first element of result `row`.
  int64_t base(int64_t row) const {
    int64_t offset = 0;
    for (size_t d = 0; d < keptDims.size(); ++d) {
      offset += row % keptDims[d] * keptStrides[d];
      row /= keptDims[d];
    }
    return offset;
  }
};

ReducedShape reducedShape(const TensorView &operand, const std::vector<bool> &reduced) {
  ReducedShape result;
  const bool isEmpty = operand.elements() == 0; // other dimensions may then be huge
  int64_t stride = 1;
  for (size_t d = operand.shape.size(); d-- > 0; stride *= operand.shape[d]) {
    const int64_t size = operand.shape[d];
    if (!reduced[d]) {
      result.keptDims.push_back(size);
      result.keptStrides.push_back(stride);
      result.rows *= size;
      continue;
    }
    std::vector<int64_t> next;
    for (int64_t i = 0; i < size && !isEmpty; ++i)
      for (int64_t offset : result.offsets)
        next.push_back(offset + i * stride);
    result.offsets = std::move(next);
  }
  return result;
}

template <typename Op, typename T> Made makeReduceOf(const Call &call, DType dtype) {
  if (Status status = call.expectOperands(1); !status)
    return status.error();
  for (const TensorView *view : {&call.inputs[0], &call.outputs[0]})
    if (Status status = call.expectType(*view, "tensors", dtype); !status)
      return status.error();
  auto reduced = reducedDims(call);
  if (!reduced)
    return reduced.error();
  ReducedShape shape = reducedShape(call.inputs[0], *reduced);
  if (call.outputs[0].elements() != shape.rows)
    return call.error("a result of shape ", toString(call.outputs[0].shape),
                      " does not fit an operand of shape ", toString(call.inputs[0].shape));
  return makeKernel(double(call.inputs[0].elements()),
                    [shape = std::move(shape)](const auto &inputs, const auto &outputs) {
                      const T *x = inputs[0].template as<T>();
                      T *y = outputs[0].template as<T>();
                      const int64_t width = int64_t(shape.offsets.size());
                      forRows(shape.rows, width, [&](int64_t row) {
                        const T *first = x + shape.base(row);
                        auto sum = Op::start();
                        for (int64_t offset : shape.offsets)
                          sum = Op::add(sum, first[offset]);
                        y[row] = T(Op::finish(sum, width));
                      });
                      return Status();
                    });
}

template <typename Op> Made makeReduce(const Call &call) {
  return makeReduceOf<Op, float>(call, DType::f32);
}

Made makeReduceSum(const Call &call) {
  if (Status status = call.expectOperands(1); !status)
    return status.error();
  switch (call.inputs[0].dtype) {
  case DType::i64:
    return makeReduceOf<IntegerSum, int64_t>(call, DType::i64);
  case DType::i32:
    return makeReduceOf<IntegerSum, int32_t>(call, DType::i32);
  default:
    return makeReduce<Sum>(call);
  }
}

//===-- Softmax ------------------------------------------------------------===//

/// Outer, axis and inner sizes of an operator along one axis.
struct AxisShape {
  int64_t outer, axis, inner;
};
Result<AxisShape> axisShape(const Call &call, int64_t otherwise) {
  const Shape &shape = call.inputs[0].shape;
  auto axis = call.axis(call.integer("axis", otherwise), shape.size());
  if (!axis)
    return axis.error();
  size_t a = size_t(*axis);
  return AxisShape{product(shape, 0, a), shape[a], product(shape, a + 1, shape.size())};
}

template <bool isLog> Made makeSoftmax(const Call &call) {
  if (Status status = call.expectOperands(1); !status)
    return status.error();
  if (Status status = call.expectFloats(); !status)
    return status.error();
  if (Status status = call.expectShape(call.outputs[0], "a result", call.inputs[0].shape); !status)
    return status.error();
  auto sizes = axisShape(call, -1);
  if (!sizes)
    return sizes.error();
  return makeKernel(5 * double(call.outputs[0].elements()),
                    [s = *sizes](const auto &inputs, const auto &outputs) {
                      forRows(s.outer * s.inner, s.axis, [&](int64_t row) {
                        const int64_t base = row / s.inner * s.axis * s.inner + row % s.inner;
                        const float *x = inputs[0].template as<float>() + base;
                        float *y = outputs[0].template as<float>() + base;
                        if (!isLog && s.inner == 1)
                          return softmaxRow(x, s.axis, false, y);
                        float largest = -std::numeric_limits<float>::infinity();
                        for (int64_t i = 0; i < s.axis; ++i)
                          largest = std::max(largest, x[i * s.inner]);
                        double sum = 0;
                        for (int64_t i = 0; i < s.axis; ++i) {
                          y[i * s.inner] = x[i * s.inner] - largest;
                          float e = std::exp(y[i * s.inner]);
                          sum += e;
                          if (!isLog)
                            y[i * s.inner] = e;
                        }
                        const float scale = float(1 / sum), shift = float(std::log(sum));
                        for (int64_t i = 0; i < s.axis; ++i)
                          y[i * s.inner] = isLog ? y[i * s.inner] - shift : y[i * s.inner] * scale;
                      });
                      return Status();
                    });
}

//===-- Layer normalisation ------------------------------------------------===//

Made makeLayerNormalization(const Call &call) {
  if (Status status = call.expectOperands(2); !status)
    return status.error();
  if (Status status = call.expectFloats(); !status)
    return status.error();
  if (call.outputs.size() > 1)
    return call.error("has no second and third result here");
  if (Status status = call.expectShape(call.outputs[0], "a result", call.inputs[0].shape); !status)
    return status.error();
  const Shape &shape = call.inputs[0].shape;
  auto axis = call.axis(call.integer("axis", -1), shape.size());
  if (!axis)
    return axis.error();
  const int64_t rows = product(shape, 0, size_t(*axis));
  const int64_t width = product(shape, size_t(*axis), shape.size());
  const bool hasBias = call.hasInput(2);
  for (size_t i = 1; i < (hasBias ? 3u : 2u); ++i)
    if (call.inputs[i].elements() != width)
      return call.error("expects ", i == 1 ? "a scale" : "a bias", " of ", width,
                        " elements, got shape ", toString(call.inputs[i].shape));
  const float epsilon = float(call.real("epsilon", 1e-5));
  return makeKernel(8.0 * double(rows) * double(width),
                    [=](const auto &inputs, const auto &outputs) {
                      const float *scale = inputs[1].template as<float>();
                      const float *bias = hasBias ? inputs[2].template as<float>() : nullptr;
                      forRows(rows, width, [&](int64_t row) {
                        const float *x = inputs[0].template as<float>() + row * width;
                        float *y = outputs[0].template as<float>() + row * width;
                        normalizeRow(x, scale, bias, width, epsilon, y);
                      });
                      return Status();
                    });
}

//===-- ArgMax, CumSum -----------------------------------------------------===//

Made makeArgMax(const Call &call) {
  if (Status status = call.expectOperands(1); !status)
    return status.error();
  if (Status status = call.expectType(call.inputs[0], "an operand", DType::f32); !status)
    return status.error();
  if (Status status = call.expectType(call.outputs[0], "a result", DType::i64); !status)
    return status.error();
  auto sizes = axisShape(call, 0);
  if (!sizes)
    return sizes.error();
  if (sizes->axis == 0 || call.outputs[0].elements() != sizes->outer * sizes->inner)
    return call.error("a result of shape ", toString(call.outputs[0].shape),
                      " does not fit an operand of shape ", toString(call.inputs[0].shape));
  const bool takesLast = call.integer("select_last_index", 0) != 0;
  return makeKernel(0, [s = *sizes, takesLast](const auto &inputs, const auto &outputs) {
    int64_t *y = outputs[0].template as<int64_t>();
    forRows(s.outer * s.inner, s.axis, [&](int64_t row) {
      const float *x =
          inputs[0].template as<float>() + row / s.inner * s.axis * s.inner + row % s.inner;
      int64_t best = 0;
      for (int64_t i = 1; i < s.axis; ++i)
        if (x[i * s.inner] > x[best * s.inner] ||
            (takesLast && x[i * s.inner] == x[best * s.inner]))
          best = i;
      y[row] = best;
    });
    return Status();
  });
}

/// Integers wrap around.
template <typename T> T wrappingSum(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return T(uint64_t(a) + uint64_t(b));
  else
    return a + b;
}

template <typename T> Made makeCumSumOf(const Call &call, AxisShape s) {
  const bool isExclusive = call.integer("exclusive", 0) != 0;
  const bool isReverse = call.integer("reverse", 0) != 0;
  return makeKernel(double(call.outputs[0].elements()),
                    [=](const auto &inputs, const auto &outputs) {
                      forRows(s.outer * s.inner, s.axis, [&](int64_t row) {
                        const int64_t base = row / s.inner * s.axis * s.inner + row % s.inner;
                        const T *x = inputs[0].template as<T>() + base;
                        T *y = outputs[0].template as<T>() + base, sum = 0;
                        for (int64_t i = 0; i < s.axis; ++i) {
                          const int64_t at = (isReverse ? s.axis - 1 - i : i) * s.inner;
                          const T before = sum;
                          sum = wrappingSum(sum, x[at]);
                          y[at] = isExclusive ? before : sum;
                        }
                      });
                      return Status();
                    });
}

/// The axis is operand 1.
Made makeCumSum(const Call &call) {
  if (Status status = call.expectOperands(2); !status)
    return status.error();
  if (Status status = call.expectShape(call.outputs[0], "a result", call.inputs[0].shape); !status)
    return status.error();
  if (Status status = call.expectType(call.outputs[0], "a result", call.inputs[0].dtype); !status)
    return status.error();
  auto given = call.constant(1, "axis");
  if (!given)
    return given.error();
  const Shape &shape = call.inputs[0].shape;
  auto axis = call.axis(given->size() == 1 ? given->front() : -1, shape.size());
  if (!axis)
    return axis.error();
  size_t a = size_t(*axis);
  AxisShape sizes{product(shape, 0, a), shape[a], product(shape, a + 1, shape.size())};
  switch (call.inputs[0].dtype) {
  case DType::f32:
    return makeCumSumOf<float>(call, sizes);
  case DType::i64:
    return makeCumSumOf<int64_t>(call, sizes);
  case DType::i32:
    return makeCumSumOf<int32_t>(call, sizes);
  default:
    return call.error("does not work on ", name(call.inputs[0].dtype));
  }
}

} // namespace

void addReductions(Table &table) {
  table["onnx.ReduceMean"] = makeReduce<Mean>;
  table["onnx.ReduceSum"] = makeReduceSum;
  table["onnx.ReduceMax"] = makeReduce<Largest>;
  table["onnx.Softmax"] = makeSoftmax<false>;
  table["onnx.LogSoftmax"] = makeSoftmax<true>;
  table["onnx.LayerNormalization"] = makeLayerNormalization;
  table["onnx.ArgMax"] = makeArgMax;
  table["onnx.CumSum"] = makeCumSum;
}

} // namespace sparsam::runtime::host
