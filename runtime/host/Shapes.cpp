// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Shapes.cpp - operators that move elements around -------------------===//

#include "runtime/host/Call.h"
#include "runtime/support/Parallel.h"

#include <algorithm>
#include <cstring>

namespace sparsam::runtime::host {

namespace {

/// Reads elements of `bytes` bytes at `base + sum of index * stride` for every index of `dims`, in
/// order: transposes, slices, expansions.
struct StridedCopy {
  Shape dims;
  std::vector<int64_t> strides; ///< elements
  int64_t base = 0;
  unsigned bytes = 4;

  /// Merges neighbouring dimensions that lie one after the other.
  void simplify() {
    for (size_t d = dims.size(); d-- > 0;)
      if (dims[d] == 1 && dims.size() > 1)
        erase(d);
    for (size_t d = dims.size(); d-- > 1;)
      if (strides[d - 1] == strides[d] * dims[d]) {
        dims[d] *= dims[d - 1];
        erase(d - 1);
      }
  }

  void run(const void *from, void *to) const {
    const int64_t inner = dims.empty() ? 1 : dims.back();
    const int64_t step = dims.empty() ? 1 : strides.back();
    const int64_t runs = dims.empty() ? 1 : product(dims, 0, dims.size() - 1);
    if (inner == 0 || runs == 0)
      return;
    const int64_t group = std::max<int64_t>(1, kChunk / inner);
    parallelFor((runs + group - 1) / group, [&](int64_t task) {
      for (int64_t r = task * group; r < std::min(runs, (task + 1) * group); ++r) {
        int64_t offset = base, rest = r;
        for (size_t d = dims.empty() ? 0 : dims.size() - 1; d-- > 0;) {
          offset += rest % dims[d] * strides[d];
          rest /= dims[d];
        }
        copyRun(static_cast<const char *>(from) + offset * bytes,
                static_cast<char *>(to) + r * inner * bytes, inner, step);
      }
    });
  }

private:
  void erase(size_t d) {
    dims.erase(dims.begin() + int64_t(d));
    strides.erase(strides.begin() + int64_t(d));
  }
  template <typename T> static void copyAs(const char *from, char *to, int64_t n, int64_t step) {
    const T *source = reinterpret_cast<const T *>(from);
    T *target = reinterpret_cast<T *>(to);
    for (int64_t i = 0; i < n; ++i)
      target[i] = source[i * step];
  }
  void copyRun(const char *from, char *to, int64_t n, int64_t step) const {
    if (step == 1)
      std::memcpy(to, from, size_t(n) * bytes);
    else if (bytes == 1)
      copyAs<uint8_t>(from, to, n, step);
    else if (bytes == 2)
      copyAs<uint16_t>(from, to, n, step);
    else if (bytes == 4)
      copyAs<uint32_t>(from, to, n, step);
    else
      copyAs<uint64_t>(from, to, n, step);
  }
};

Made makeCopy(StridedCopy copy) {
  copy.simplify();
  return makeKernel(0, [copy](const auto &inputs, const auto &outputs) {
    copy.run(inputs[0].data, outputs[0].data);
    return Status();
  });
}

std::vector<int64_t> rowMajorStrides(const Shape &shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;)
    strides[d - 1] = strides[d] * shape[d];
  return strides;
}

Status checkMoved(const Call &call, size_t minInputs) {
  if (Status status = call.expectOperands(minInputs); !status)
    return status;
  return call.expectType(call.outputs[0], "a result", call.inputs[0].dtype);
}

//===-- The same elements --------------------------------------------------===//

/// Reshape and everything else that only names dimensions anew.
Made makeSame(const Call &call) {
  if (Status status = checkMoved(call, 1); !status)
    return status.error();
  if (call.inputs[0].elements() != call.outputs[0].elements())
    return call.error("cannot turn ", toString(call.inputs[0].shape), " into ",
                      toString(call.outputs[0].shape));
  const uint64_t bytes = call.outputs[0].bytes();
  return makeKernel(0, [bytes](const auto &inputs, const auto &outputs) {
    if (bytes > 0)
      std::memcpy(outputs[0].data, inputs[0].data, bytes);
    return Status();
  });
}

Made makeTranspose(const Call &call) {
  if (Status status = checkMoved(call, 1); !status)
    return status.error();
  const Shape &shape = call.inputs[0].shape;
  std::vector<int64_t> perm = call.integers("perm");
  if (perm.empty())
    for (size_t d = shape.size(); d-- > 0;)
      perm.push_back(int64_t(d));
  std::vector<int64_t> sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  for (size_t d = 0; d < sorted.size(); ++d)
    if (sorted.size() != shape.size() || sorted[d] != int64_t(d))
      return call.error("perm is no permutation of ", shape.size(), " dimensions");
  StridedCopy copy;
  copy.bytes = byteWidth(call.inputs[0].dtype);
  std::vector<int64_t> strides = rowMajorStrides(shape);
  for (int64_t d : perm) {
    copy.dims.push_back(shape[size_t(d)]);
    copy.strides.push_back(strides[size_t(d)]);
  }
  if (Status status = call.expectShape(call.outputs[0], "a result", copy.dims); !status)
    return status.error();
  return makeCopy(std::move(copy));
}

//===-- Repeated elements --------------------------------------------------===//

/// Expand: an operand broadcast to the result's shape.
Made makeExpand(const Call &call) {
  if (Status status = checkMoved(call, 1); !status)
    return status.error();
  const Shape &in = call.inputs[0].shape, &out = call.outputs[0].shape;
  if (in.size() > out.size())
    return call.error("cannot expand ", toString(in), " to ", toString(out));
  StridedCopy copy;
  copy.bytes = byteWidth(call.inputs[0].dtype);
  copy.dims = out;
  copy.strides.assign(out.size(), 0);
  std::vector<int64_t> strides = rowMajorStrides(in);
  for (size_t i = 0; i < in.size(); ++i) {
    size_t d = out.size() - in.size() + i;
    if (in[i] != 1 && in[i] != out[d])
      return call.error("cannot expand ", toString(in), " to ", toString(out));
    copy.strides[d] = in[i] == 1 ? 0 : strides[i];
  }
  return makeCopy(std::move(copy));
}

/// Tile: each dimension as [repeats, size] with stride 0 for the repeats.
Made makeTile(const Call &call) {
  if (Status status = checkMoved(call, 2); !status)
    return status.error();
  const Shape &in = call.inputs[0].shape, &out = call.outputs[0].shape;
  if (in.size() != out.size())
    return call.error("cannot tile ", toString(in), " to ", toString(out));
  StridedCopy copy;
  copy.bytes = byteWidth(call.inputs[0].dtype);
  std::vector<int64_t> strides = rowMajorStrides(in);
  for (size_t d = 0; d < in.size(); ++d) {
    if (in[d] == 0 ? out[d] != 0 : out[d] % in[d] != 0)
      return call.error("cannot tile ", toString(in), " to ", toString(out));
    copy.dims.insert(copy.dims.end(), {in[d] == 0 ? 0 : out[d] / in[d], in[d]});
    copy.strides.insert(copy.strides.end(), {0, strides[d]});
  }
  return makeCopy(std::move(copy));
}

//===-- Slice --------------------------------------------------------------===//

/// Constant operands of Slice.
struct SliceBounds {
  std::vector<int64_t> starts, ends, axes, steps;
};

Result<SliceBounds> sliceBounds(const Call &call) {
  auto starts = call.constant(1, "starts"), ends = call.constant(2, "ends");
  if (!starts || !ends)
    return starts ? ends.error() : starts.error();
  const size_t count = starts->size();
  SliceBounds bounds{starts.take(), ends.take(), {}, std::vector<int64_t>(count, 1)};
  for (size_t i = 0; i < count; ++i)
    bounds.axes.push_back(int64_t(i));
  for (auto [input, what, list] :
       {std::tuple(size_t(3), "axes", &bounds.axes), std::tuple(size_t(4), "steps", &bounds.steps)})
    if (call.hasInput(input)) {
      auto given = call.constant(input, what);
      if (!given)
        return given.error();
      *list = given.take();
    }
  if (bounds.ends.size() != count || bounds.axes.size() != count || bounds.steps.size() != count)
    return call.error("expects as many starts as ends, axes and steps");
  return bounds;
}

/// Narrows dimension `d` of a copy to every `step`th element from `start` on, before `end`.
void sliceDimension(StridedCopy &copy, size_t d, int64_t start, int64_t end, int64_t step) {
  const int64_t size = copy.dims[d];
  // A step beyond the end is as good as one to the end.
  step = std::clamp<int64_t>(step, -size - 1, size + 1);
  auto clamp = [&](int64_t bound) {
    int64_t wrapped = bound < 0 ? bound + size : bound;
    return step > 0 ? std::clamp<int64_t>(wrapped, 0, size)
                    : std::clamp<int64_t>(wrapped, -1, size - 1);
  };
  const int64_t first = clamp(start);
  const int64_t last = end < -size ? (step > 0 ? 0 : -1) : clamp(end);
  const int64_t span = step > 0 ? last - first : first - last;
  const int64_t width = step > 0 ? step : -step;
  copy.dims[d] = span <= 0 ? 0 : (span + width - 1) / width;
  copy.base += first * copy.strides[d];
  copy.strides[d] *= step;
}

Made makeSlice(const Call &call) {
  if (Status status = checkMoved(call, 3); !status)
    return status.error();
  auto bounds = sliceBounds(call);
  if (!bounds)
    return bounds.error();
  StridedCopy copy;
  copy.bytes = byteWidth(call.inputs[0].dtype);
  copy.dims = call.inputs[0].shape;
  copy.strides = rowMajorStrides(copy.dims);
  for (size_t i = 0; i < bounds->axes.size(); ++i) {
    auto axis = call.axis(bounds->axes[i], copy.dims.size());
    if (!axis)
      return axis.error();
    if (bounds->steps[i] == 0)
      return call.error("a step must not be 0");
    sliceDimension(copy, size_t(*axis), bounds->starts[i], bounds->ends[i], bounds->steps[i]);
  }
  if (Status status = call.expectShape(call.outputs[0], "a result", copy.dims); !status)
    return status.error();
  return makeCopy(std::move(copy));
}

//===-- Constants of a shape -----------------------------------------------===//

Made makeShape(const Call &call) {
  if (Status status = call.expectOperands(1); !status)
    return status.error();
  if (Status status = call.expectType(call.outputs[0], "a result", DType::i64); !status)
    return status.error();
  const Shape shape = call.inputs[0].shape;
  const int64_t rank = int64_t(shape.size());
  auto clamp = [rank](int64_t v) { return std::clamp<int64_t>(v < 0 ? v + rank : v, 0, rank); };
  const int64_t first = clamp(call.integer("start", 0)), last = clamp(call.integer("end", rank));
  if (call.outputs[0].elements() != std::max<int64_t>(0, last - first))
    return call.error("a result of shape ", toString(call.outputs[0].shape),
                      " does not hold the shape ", toString(shape));
  return makeKernel(0, [=](const auto &, const auto &outputs) {
    for (int64_t i = first; i < last; ++i)
      outputs[0].template as<int64_t>()[i - first] = shape[size_t(i)];
    return Status();
  });
}

Made makeSize(const Call &call) {
  if (Status status = call.expectOperands(1); !status)
    return status.error();
  if (Status status = call.expectType(call.outputs[0], "a result", DType::i64); !status)
    return status.error();
  if (call.outputs[0].elements() != 1)
    return call.error("expects a scalar result");
  return makeKernel(0, [count = call.inputs[0].elements()](const auto &, const auto &outputs) {
    *outputs[0].template as<int64_t>() = count;
    return Status();
  });
}

} // namespace

void addShapes(Table &table) {
  for (const char *op : {"Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Dropout"})
    table[std::string("onnx.") + op] = makeSame;
  table["onnx.Transpose"] = makeTranspose;
  table["onnx.Expand"] = makeExpand;
  table["onnx.Tile"] = makeTile;
  table["onnx.Slice"] = makeSlice;
  table["onnx.Shape"] = makeShape;
  table["onnx.Size"] = makeSize;
}

} // namespace sparsam::runtime::host
