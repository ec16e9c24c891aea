// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Constants.cpp - operators that change types or make values ---------===//

#include "runtime/host/Call.h"
#include "runtime/host/Convert.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace sparsam::runtime::host {

namespace {

//===-- Cast ---------------------------------------------------------------===//

template <typename In, typename Out> Made makeConversion(const Call &call) {
  const int64_t count = call.outputs[0].elements();
  return makeKernel(double(count), [count](const auto &inputs, const auto &outputs) {
    const In *x = inputs[0].template as<In>();
    Out *y = outputs[0].template as<Out>();
    forChunks(count, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i)
        y[i] = convert<Out>(x[i]);
    });
    return Status();
  });
}

template <typename In> Made makeCastFrom(const Call &call) {
  auto to = [&]<typename Out>(Out) -> Made { return makeConversion<In, Out>(call); };
  switch (call.outputs[0].dtype) {
  case DType::f32:
    return to(float());
  case DType::f64:
    return to(double());
  case DType::f16:
    return to(Half());
  case DType::i64:
    return to(int64_t());
  case DType::i32:
    return to(int32_t());
  case DType::i8:
    return to(int8_t());
  case DType::u8:
    return to(uint8_t());
  case DType::boolean:
    return to(bool());
  default:
    return call.error("cannot convert to ", name(call.outputs[0].dtype));
  }
}

Made makeCast(const Call &call) {
  if (Status status = call.expectOperands(1); !status)
    return status.error();
  if (Status status = call.expectShape(call.outputs[0], "a result", call.inputs[0].shape); !status)
    return status.error();
  switch (call.inputs[0].dtype) {
  case DType::f32:
    return makeCastFrom<float>(call);
  case DType::f64:
    return makeCastFrom<double>(call);
  case DType::f16:
    return makeCastFrom<Half>(call);
  case DType::i64:
    return makeCastFrom<int64_t>(call);
  case DType::i32:
    return makeCastFrom<int32_t>(call);
  case DType::i8:
    return makeCastFrom<int8_t>(call);
  case DType::u8:
    return makeCastFrom<uint8_t>(call);
  case DType::boolean:
    return makeCastFrom<bool>(call);
  default:
    return call.error("cannot convert from ", name(call.inputs[0].dtype));
  }
}

//===-- ConstantOfShape, Range ---------------------------------------------===//

template <typename T> Made makeFill(const Call &call) {
  const int64_t count = call.outputs[0].elements();
  const T value =
      std::is_floating_point_v<T> ? T(call.real("value", 0)) : convert<T>(call.integer("value", 0));
  return makeKernel(0, [=](const auto &, const auto &outputs) {
    std::fill_n(outputs[0].template as<T>(), count, value);
    return Status();
  });
}

/// The shape is that of the result; `value` is 0 where it is not given.
Made makeConstantOfShape(const Call &call) {
  if (Status status = call.expectOperands(1); !status)
    return status.error();
  switch (call.outputs[0].dtype) {
  case DType::f32:
    return makeFill<float>(call);
  case DType::f64:
    return makeFill<double>(call);
  case DType::i64:
    return makeFill<int64_t>(call);
  case DType::i32:
    return makeFill<int32_t>(call);
  case DType::i8:
    return makeFill<int8_t>(call);
  case DType::u8:
    return makeFill<uint8_t>(call);
  case DType::boolean:
    return makeFill<bool>(call);
  default:
    return call.error("cannot make ", name(call.outputs[0].dtype));
  }
}

/// The i-th number of a range; integers wrap around.
template <typename T> T rangeAt(T start, T delta, int64_t i) {
  if constexpr (std::is_integral_v<T>)
    return T(uint64_t(start) + uint64_t(i) * uint64_t(delta));
  else
    return start + T(i) * delta;
}

template <typename T> Made makeRangeOf(const Call &call) {
  const int64_t count = call.outputs[0].elements();
  return makeKernel(0, [count, op = call.op](const auto &inputs, const auto &outputs) -> Status {
    const T start = *inputs[0].template as<T>(), limit = *inputs[1].template as<T>();
    const T delta = *inputs[2].template as<T>();
    if (delta == T(0))
      return makeError("op '", op, "': a step must not be 0");
    const double steps = std::max(std::ceil((double(limit) - double(start)) / double(delta)), 0.0);
    if (!(steps == double(count)))
      return makeError("op '", op, "': ", start, " to ", limit, " in steps of ", delta, " are ",
                       steps, " numbers, but the program is compiled for ", count);
    for (int64_t i = 0; i < count; ++i)
      outputs[0].template as<T>()[i] = rangeAt(start, delta, i);
    return Status();
  });
}

Made makeRange(const Call &call) {
  if (Status status = call.expectOperands(3); !status)
    return status.error();
  for (size_t i = 0; i < 3; ++i) {
    if (Status status = call.expectType(call.inputs[i], "operands", call.outputs[0].dtype); !status)
      return status.error();
    if (call.inputs[i].elements() != 1)
      return call.error("expects scalars, got shape ", toString(call.inputs[i].shape));
  }
  switch (call.outputs[0].dtype) {
  case DType::f32:
    return makeRangeOf<float>(call);
  case DType::i64:
    return makeRangeOf<int64_t>(call);
  case DType::i32:
    return makeRangeOf<int32_t>(call);
  default:
    return call.error("does not work on ", name(call.outputs[0].dtype));
  }
}

} // namespace

void addConstants(Table &table) {
  table["onnx.Cast"] = makeCast;
  table["onnx.CastLike"] = makeCast;
  table["onnx.ConstantOfShape"] = makeConstantOfShape;
  table["onnx.Range"] = makeRange;
}

} // namespace sparsam::runtime::host
