// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Elementwise.cpp - operators that work on each element --------------===//

#include "runtime/host/Broadcast.h"
#include "runtime/host/Call.h"
#include "runtime/host/Convert.h"

#include <cmath>
#include <limits>

namespace sparsam::runtime::host {

namespace {

//===-- Two operands -------------------------------------------------------===//

template <typename In, typename Out, typename F> Made makeBinary(const Call &call, F f) {
  auto plan = Broadcast<2>::make(call);
  if (!plan)
    return plan.error();
  return makeKernel(double(call.outputs[0].elements()),
                    [plan = plan.take(), f](const auto &inputs, const auto &outputs) {
                      const In *a = inputs[0].template as<In>(), *b = inputs[1].template as<In>();
                      Out *y = outputs[0].template as<Out>();
                      const int64_t sa = plan.step(0), sb = plan.step(1);
                      plan.forRuns([&](int64_t first, const auto &from, int64_t n) {
                        const In *pa = a + from[0], *pb = b + from[1];
                        Out *py = y + first;
                        if (sa == 1 && sb == 1)
                          for (int64_t i = 0; i < n; ++i)
                            py[i] = f(pa[i], pb[i]);
                        else if (sa == 1)
                          for (int64_t i = 0; i < n; ++i)
                            py[i] = f(pa[i], *pb);
                        else
                          for (int64_t i = 0; i < n; ++i)
                            py[i] = f(*pa, pb[i * sb]);
                      });
                      return Status();
                    });
}

/// Two operands of one type; the result has the type `isCompare` says.
Status checkBinary(const Call &call, bool isCompare) {
  if (Status status = call.expectOperands(2); !status)
    return status;
  if (call.inputs.size() != 2)
    return call.error("expects 2 operands, got ", call.inputs.size());
  if (Status status = call.expectType(call.inputs[1], "its second operand", call.inputs[0].dtype);
      !status)
    return status;
  return call.expectType(call.outputs[0], "a result",
                         isCompare ? DType::boolean : call.inputs[0].dtype);
}

Error noKernel(const Call &call, DType dtype) {
  return call.error("does not work on ", name(dtype));
}

/// f is a functor for numbers.
template <typename F> Made makeArithmetic(const Call &call) {
  if (Status status = checkBinary(call, false); !status)
    return status.error();
  switch (call.inputs[0].dtype) {
  case DType::f32:
    return makeBinary<float, float>(call, F());
  case DType::i64:
    return makeBinary<int64_t, int64_t>(call, F());
  case DType::i32:
    return makeBinary<int32_t, int32_t>(call, F());
  default:
    return noKernel(call, call.inputs[0].dtype);
  }
}

template <typename F> Made makeCompare(const Call &call) {
  if (Status status = checkBinary(call, true); !status)
    return status.error();
  switch (call.inputs[0].dtype) {
  case DType::f32:
    return makeBinary<float, bool>(call, F());
  case DType::i64:
    return makeBinary<int64_t, bool>(call, F());
  case DType::i32:
    return makeBinary<int32_t, bool>(call, F());
  case DType::boolean:
    return makeBinary<bool, bool>(call, F());
  default:
    return noKernel(call, call.inputs[0].dtype);
  }
}

template <typename F> Made makeLogical(const Call &call) {
  if (Status status = checkBinary(call, true); !status)
    return status.error();
  if (Status status = call.expectType(call.inputs[0], "operands", DType::boolean); !status)
    return status.error();
  return makeBinary<bool, bool>(call, F());
}

// Integers wrap around like everywhere, without undefined behaviour.
template <typename T> T wrap(uint64_t value) { return T(value); }
struct Add {
  float operator()(float a, float b) const { return a + b; }
  template <typename T> T operator()(T a, T b) const { return wrap<T>(uint64_t(a) + uint64_t(b)); }
};
struct Sub {
  float operator()(float a, float b) const { return a - b; }
  template <typename T> T operator()(T a, T b) const { return wrap<T>(uint64_t(a) - uint64_t(b)); }
};
struct Mul {
  float operator()(float a, float b) const { return a * b; }
  template <typename T> T operator()(T a, T b) const { return wrap<T>(uint64_t(a) * uint64_t(b)); }
};
struct Div {
  float operator()(float a, float b) const { return a / b; }
  /// Towards zero; by zero it is 0, as ONNX leaves it open.
  template <typename T> T operator()(T a, T b) const {
    return b == 0 ? T(0) : b == T(-1) ? wrap<T>(-uint64_t(a)) : T(a / b);
  }
};
struct Pow {
  float operator()(float a, float b) const {
    return b == 2.0f ? a * a : b == 3.0f ? a * a * a : std::pow(a, b);
  }
  template <typename T> T operator()(T a, T b) const {
    return convert<T>(std::pow(double(a), double(b)));
  }
};
// Not-a-number wins on either side, as in NumPy.
struct Min {
  template <typename T> T operator()(T a, T b) const { return b < a || b != b ? b : a; }
};
struct Max {
  template <typename T> T operator()(T a, T b) const { return a < b || b != b ? b : a; }
};
struct Equal {
  template <typename T> bool operator()(T a, T b) const { return a == b; }
};
struct Less {
  template <typename T> bool operator()(T a, T b) const { return a < b; }
};
struct LessOrEqual {
  template <typename T> bool operator()(T a, T b) const { return a <= b; }
};
struct Greater {
  template <typename T> bool operator()(T a, T b) const { return a > b; }
};
struct GreaterOrEqual {
  template <typename T> bool operator()(T a, T b) const { return a >= b; }
};
struct And {
  bool operator()(bool a, bool b) const { return a && b; }
};
struct Or {
  bool operator()(bool a, bool b) const { return a || b; }
};

//===-- One operand --------------------------------------------------------===//

template <typename In, typename Out, typename F>
Made makeUnary(const Call &call, F f, double flopsEach = 1) {
  const int64_t count = call.outputs[0].elements();
  return makeKernel(flopsEach * double(count), [count, f](const auto &inputs, const auto &outputs) {
    const In *x = inputs[0].template as<In>();
    Out *y = outputs[0].template as<Out>();
    forChunks(count, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i)
        y[i] = f(x[i]);
    });
    return Status();
  });
}

Status checkUnary(const Call &call) {
  if (Status status = call.expectOperands(1); !status)
    return status;
  return call.expectShape(call.outputs[0], "a result", call.inputs[0].shape);
}

/// A function of reals.
template <float (*f)(float)> Made makeReal(const Call &call) {
  if (Status status = checkUnary(call); !status)
    return status.error();
  for (const TensorView *view : {&call.inputs[0], &call.outputs[0]})
    if (Status status = call.expectType(*view, "tensors", DType::f32); !status)
      return status.error();
  return makeUnary<float, float>(call, [](float x) { return f(x); });
}

float reciprocal(float x) { return 1.0f / x; }
float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }
float relu(float x) { return x > 0 ? x : x == x ? 0.0f : x; }
float geluErf(float x) { return 0.5f * x * (1.0f + std::erf(x * 0.70710678118654752f)); }
float geluTanh(float x) {
  return 0.5f * x * (1.0f + std::tanh(0.79788456080286536f * (x + 0.044715f * x * x * x)));
}

Made makeGelu(const Call &call) {
  std::string form = call.text("approximate", "none");
  if (form != "none" && form != "tanh")
    return call.error("approximate must be none or tanh, got '", form, "'");
  return form == "tanh" ? makeReal<geluTanh>(call) : makeReal<geluErf>(call);
}

/// Neg and Abs work on integers as well.
template <typename F> Made makeSigned(const Call &call) {
  if (Status status = checkUnary(call); !status)
    return status.error();
  if (Status status = call.expectType(call.outputs[0], "a result", call.inputs[0].dtype); !status)
    return status.error();
  switch (call.inputs[0].dtype) {
  case DType::f32:
    return makeUnary<float, float>(call, F());
  case DType::i64:
    return makeUnary<int64_t, int64_t>(call, F());
  case DType::i32:
    return makeUnary<int32_t, int32_t>(call, F());
  default:
    return noKernel(call, call.inputs[0].dtype);
  }
}
struct Neg {
  float operator()(float x) const { return -x; }
  template <typename T> T operator()(T x) const { return wrap<T>(-uint64_t(x)); }
};
struct Abs {
  float operator()(float x) const { return std::fabs(x); }
  template <typename T> T operator()(T x) const { return x < 0 ? wrap<T>(-uint64_t(x)) : x; }
};

Made makeNot(const Call &call) {
  if (Status status = checkUnary(call); !status)
    return status.error();
  for (const TensorView *view : {&call.inputs[0], &call.outputs[0]})
    if (Status status = call.expectType(*view, "tensors", DType::boolean); !status)
      return status.error();
  return makeUnary<bool, bool>(call, [](bool x) { return !x; });
}

Made makeIsNaN(const Call &call) {
  if (Status status = checkUnary(call); !status)
    return status.error();
  if (Status status = call.expectType(call.inputs[0], "an operand", DType::f32); !status)
    return status.error();
  if (Status status = call.expectType(call.outputs[0], "a result", DType::boolean); !status)
    return status.error();
  return makeUnary<float, bool>(call, [](float x) { return std::isnan(x); });
}

//===-- More operands ------------------------------------------------------===//

/// Bounds are scalars; an absent one does not bound.
Made makeClip(const Call &call) {
  if (Status status = checkUnary(call); !status)
    return status.error();
  if (Status status = call.expectType(call.outputs[0], "a result", DType::f32); !status)
    return status.error();
  const bool hasLow = call.hasInput(1), hasHigh = call.hasInput(2);
  for (size_t i = 0; i < call.inputs.size(); ++i)
    if (call.hasInput(i))
      if (Status status = call.expectType(call.inputs[i], "operands", DType::f32); !status)
        return status.error();
  for (size_t i = 1; i < call.inputs.size(); ++i)
    if (call.hasInput(i) && call.inputs[i].elements() != 1)
      return call.error("expects bounds of one element");
  const int64_t count = call.outputs[0].elements();
  return makeKernel(double(count), [=](const auto &inputs, const auto &outputs) {
    const float infinity = std::numeric_limits<float>::infinity();
    const float low = hasLow ? *inputs[1].template as<float>() : -infinity;
    const float high = hasHigh ? *inputs[2].template as<float>() : infinity;
    const float *x = inputs[0].template as<float>();
    float *y = outputs[0].template as<float>();
    forChunks(count, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i)
        y[i] = std::min(std::max(x[i], low), high);
    });
    return Status();
  });
}

template <typename T> Made makeWhereOf(const Call &call) {
  auto plan = Broadcast<3>::make(call);
  if (!plan)
    return plan.error();
  return makeKernel(0, [plan = plan.take()](const auto &inputs, const auto &outputs) {
    const bool *condition = inputs[0].template as<bool>();
    const T *a = inputs[1].template as<T>(), *b = inputs[2].template as<T>();
    T *y = outputs[0].template as<T>();
    plan.forRuns([&](int64_t first, const auto &from, int64_t n) {
      for (int64_t i = 0; i < n; ++i)
        y[first + i] = condition[from[0] + i * plan.step(0)] ? a[from[1] + i * plan.step(1)]
                                                             : b[from[2] + i * plan.step(2)];
    });
    return Status();
  });
}

Made makeWhere(const Call &call) {
  if (Status status = call.expectOperands(3); !status)
    return status.error();
  if (Status status = call.expectType(call.inputs[0], "a condition", DType::boolean); !status)
    return status.error();
  for (const TensorView *view : {&call.inputs[2], &call.outputs[0]})
    if (Status status = call.expectType(*view, "tensors", call.inputs[1].dtype); !status)
      return status.error();
  switch (byteWidth(call.outputs[0].dtype)) {
  case 1:
    return makeWhereOf<uint8_t>(call);
  case 2:
    return makeWhereOf<uint16_t>(call);
  case 4:
    return makeWhereOf<uint32_t>(call);
  default:
    return makeWhereOf<uint64_t>(call);
  }
}

} // namespace

void addElementwise(Table &table) {
  table["onnx.Add"] = makeArithmetic<Add>;
  table["onnx.Sub"] = makeArithmetic<Sub>;
  table["onnx.Mul"] = makeArithmetic<Mul>;
  table["onnx.Div"] = makeArithmetic<Div>;
  table["onnx.Pow"] = makeArithmetic<Pow>;
  table["onnx.Min"] = makeArithmetic<Min>;
  table["onnx.Max"] = makeArithmetic<Max>;
  table["onnx.Equal"] = makeCompare<Equal>;
  table["onnx.Less"] = makeCompare<Less>;
  table["onnx.LessOrEqual"] = makeCompare<LessOrEqual>;
  table["onnx.Greater"] = makeCompare<Greater>;
  table["onnx.GreaterOrEqual"] = makeCompare<GreaterOrEqual>;
  table["onnx.And"] = makeLogical<And>;
  table["onnx.Or"] = makeLogical<Or>;
  table["onnx.Not"] = makeNot;
  table["onnx.IsNaN"] = makeIsNaN;
  table["onnx.Neg"] = makeSigned<Neg>;
  table["onnx.Abs"] = makeSigned<Abs>;
  table["onnx.Sqrt"] = makeReal<std::sqrt>;
  table["onnx.Exp"] = makeReal<std::exp>;
  table["onnx.Log"] = makeReal<std::log>;
  table["onnx.Erf"] = makeReal<std::erf>;
  table["onnx.Tanh"] = makeReal<std::tanh>;
  table["onnx.Reciprocal"] = makeReal<reciprocal>;
  table["onnx.Sigmoid"] = makeReal<sigmoid>;
  table["onnx.Relu"] = makeReal<relu>;
  table["onnx.Gelu"] = makeGelu;
  table["onnx.Clip"] = makeClip;
  table["onnx.Where"] = makeWhere;
}

} // namespace sparsam::runtime::host
