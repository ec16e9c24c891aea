// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Selections.cpp - operators that pick, join and cut tensors ---------===//

#include "runtime/host/Call.h"
#include "runtime/support/Parallel.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace sparsam::runtime::host {

namespace {

//===-- Gather -------------------------------------------------------------===//

/// Reads index `i` of an int32 or int64 tensor.
int64_t indexAt(const TensorView &view, int64_t i) {
  return view.dtype == DType::i64 ? view.as<int64_t>()[i] : view.as<int32_t>()[i];
}

Made makeGather(const Call &call) {
  if (Status status = call.expectOperands(2); !status)
    return status.error();
  if (Status status = call.expectType(call.outputs[0], "a result", call.inputs[0].dtype); !status)
    return status.error();
  if (call.inputs[1].dtype != DType::i64 && call.inputs[1].dtype != DType::i32)
    return call.error("expects indices of type int64 or int32, got ", name(call.inputs[1].dtype));
  const Shape &shape = call.inputs[0].shape, &indices = call.inputs[1].shape;
  auto axis = call.axis(call.integer("axis", 0), shape.size());
  if (!axis)
    return axis.error();
  Shape expected(shape.begin(), shape.begin() + *axis);
  expected.insert(expected.end(), indices.begin(), indices.end());
  expected.insert(expected.end(), shape.begin() + *axis + 1, shape.end());
  if (Status status = call.expectShape(call.outputs[0], "a result", expected); !status)
    return status.error();
  const int64_t outer = product(shape, 0, size_t(*axis)), size = shape[size_t(*axis)];
  const int64_t count = call.inputs[1].elements();
  const int64_t rowBytes =
      product(shape, size_t(*axis) + 1, shape.size()) * byteWidth(call.inputs[0].dtype);
  const std::string op = call.op;
  return makeKernel(0, [=](const auto &inputs, const auto &outputs) -> Status {
    for (int64_t i = 0; i < count; ++i)
      if (int64_t index = indexAt(inputs[1], i); index < -size || index >= size)
        return makeError("op '", op, "': index ", index, " is out of range for the ", size,
                         " entries of the table");
    const char *from = inputs[0].template as<char>();
    char *to = outputs[0].template as<char>();
    const int64_t group = std::max<int64_t>(1, kChunk / std::max<int64_t>(rowBytes, 1));
    parallelFor((outer * count + group - 1) / group, [&](int64_t task) {
      for (int64_t i = task * group; i < std::min(outer * count, (task + 1) * group); ++i) {
        int64_t index = indexAt(inputs[1], i % count);
        index += index < 0 ? size : 0;
        std::memcpy(to + i * rowBytes, from + (i / count * size + index) * rowBytes,
                    size_t(rowBytes));
      }
    });
    return Status();
  });
}

//===-- Concat, Split ------------------------------------------------------===//

/// Bytes of one step along the outer dimensions, of each part.
struct Parts {
  int64_t outer = 1;
  std::vector<int64_t> bytes;
};

Result<Parts> partsOf(const Call &call, const TensorView &whole,
                      const std::vector<TensorView> &parts) {
  auto axis = call.axis(call.integer("axis", 0), whole.shape.size());
  if (!axis)
    return axis.error();
  Parts result;
  result.outer = product(whole.shape, 0, size_t(*axis));
  int64_t size = 0;
  for (const TensorView &part : parts) {
    Shape expected = whole.shape;
    if (part.shape.size() == expected.size())
      expected[size_t(*axis)] = part.shape[size_t(*axis)];
    if (part.isAbsent || part.dtype != whole.dtype || part.shape != expected)
      return call.error("a part of type ", name(part.dtype), " and shape ", toString(part.shape),
                        " does not fit a tensor of type ", name(whole.dtype), " and shape ",
                        toString(whole.shape), " along axis ", *axis);
    size += part.shape[size_t(*axis)];
    result.bytes.push_back(product(part.shape, size_t(*axis), part.shape.size()) *
                           byteWidth(part.dtype));
  }
  if (size != whole.shape[size_t(*axis)])
    return call.error("parts of ", size, " along axis ", *axis, " do not make a tensor of shape ",
                      toString(whole.shape));
  return result;
}

/// Copies between a tensor and its parts.
template <typename Views>
void copyParts(const Parts &parts, const TensorView &whole, const Views &views, bool joins) {
  int64_t step = 0;
  for (int64_t bytes : parts.bytes)
    step += bytes;
  parallelFor(parts.outer, [&](int64_t row) {
    char *at = whole.as<char>() + row * step;
    for (size_t i = 0; i < parts.bytes.size(); ++i) {
      char *part = views[i].template as<char>() + row * parts.bytes[i];
      if (parts.bytes[i] > 0)
        std::memcpy(joins ? at : part, joins ? part : at, size_t(parts.bytes[i]));
      at += parts.bytes[i];
    }
  });
}

Made makeConcat(const Call &call) {
  if (Status status = call.expectOperands(1); !status)
    return status.error();
  auto parts = partsOf(call, call.outputs[0], call.inputs);
  if (!parts)
    return parts.error();
  return makeKernel(0, [parts = parts.take()](const auto &inputs, const auto &outputs) {
    copyParts(parts, outputs[0], inputs, true);
    return Status();
  });
}

/// The sizes are those of the results.
Made makeSplit(const Call &call) {
  if (Status status = call.expectOperands(1); !status)
    return status.error();
  auto parts = partsOf(call, call.inputs[0], call.outputs);
  if (!parts)
    return parts.error();
  return makeKernel(0, [parts = parts.take()](const auto &inputs, const auto &outputs) {
    copyParts(parts, inputs[0], outputs, false);
    return Status();
  });
}

//===-- Trilu --------------------------------------------------------------===//

template <typename T> Made makeTriluOf(const Call &call, int64_t diagonal) {
  const Shape &shape = call.inputs[0].shape;
  const int64_t rows = shape[shape.size() - 2], cols = shape[shape.size() - 1];
  const int64_t count = product(shape, 0, shape.size() - 1);
  const bool upper = call.integer("upper", 1) != 0;
  return makeKernel(0, [=](const auto &inputs, const auto &outputs) {
    const T *x = inputs[0].template as<T>();
    T *y = outputs[0].template as<T>();
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = 0; j < cols; ++j) {
        bool kept = upper ? j - i % rows >= diagonal : j - i % rows <= diagonal;
        y[i * cols + j] = kept ? x[i * cols + j] : T(0);
      }
    return Status();
  });
}

Made makeTrilu(const Call &call) {
  if (Status status = call.expectOperands(1); !status)
    return status.error();
  if (Status status = call.expectType(call.outputs[0], "a result", call.inputs[0].dtype); !status)
    return status.error();
  if (Status status = call.expectShape(call.outputs[0], "a result", call.inputs[0].shape); !status)
    return status.error();
  if (call.inputs[0].shape.size() < 2)
    return call.error("expects at least two dimensions, got shape ",
                      toString(call.inputs[0].shape));
  int64_t diagonal = 0;
  if (call.hasInput(1)) {
    auto given = call.constant(1, "k");
    if (!given)
      return given.error();
    if (given->size() != 1)
      return call.error("expects one k, got ", given->size());
    diagonal = given->front();
  }
  switch (byteWidth(call.inputs[0].dtype)) {
  case 1:
    return makeTriluOf<uint8_t>(call, diagonal);
  case 2:
    return makeTriluOf<uint16_t>(call, diagonal);
  case 4:
    return makeTriluOf<uint32_t>(call, diagonal);
  default:
    return makeTriluOf<uint64_t>(call, diagonal);
  }
}

} // namespace

void addSelections(Table &table) {
  table["onnx.Gather"] = makeGather;
  table["onnx.Concat"] = makeConcat;
  table["onnx.Split"] = makeSplit;
  table["onnx.Trilu"] = makeTrilu;
}

} // namespace sparsam::runtime::host
