// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- HostTest.h - host kernels called in one line -----------------------===//
#ifndef SPARSAM_RUNTIME_HOST_TEST_HOSTTEST_H
#define SPARSAM_RUNTIME_HOST_TEST_HOSTTEST_H

#include "runtime/host/HostKernel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

namespace sparsam::runtime::host {

template <typename T> struct TypeOf;
template <> struct TypeOf<float> {
  static constexpr DType value = DType::f32;
};
template <> struct TypeOf<double> {
  static constexpr DType value = DType::f64;
};
template <> struct TypeOf<int64_t> {
  static constexpr DType value = DType::i64;
};
template <> struct TypeOf<int32_t> {
  static constexpr DType value = DType::i32;
};
template <> struct TypeOf<int16_t> {
  static constexpr DType value = DType::i16;
};
template <> struct TypeOf<int8_t> {
  static constexpr DType value = DType::i8;
};
template <> struct TypeOf<uint8_t> {
  static constexpr DType value = DType::u8;
};
template <> struct TypeOf<bool> {
  static constexpr DType value = DType::boolean;
};

/// A tensor that the kernel sees when it is prepared (a constant), or only when it runs; or none.
struct Operand {
  Tensor tensor;
  bool isConstant = false, isAbsent = false;
};

template <typename T> Tensor tensorOf(Shape shape, const std::vector<T> &values) {
  Tensor tensor(TypeOf<T>::value, std::move(shape));
  EXPECT_EQ(size_t(tensor.elements()), values.size());
  std::copy(values.begin(), values.end(), tensor.as<T>());
  return tensor;
}
template <typename T = float> Operand in(Shape shape, const std::vector<T> &values) {
  return {tensorOf<T>(std::move(shape), values)};
}
template <typename T = float> Operand constant(Shape shape, const std::vector<T> &values) {
  return {tensorOf<T>(std::move(shape), values), true};
}
inline Operand list(const std::vector<int64_t> &values) {
  return constant<int64_t>({int64_t(values.size())}, values);
}
inline Operand absent() { return {Tensor(), false, true}; }

/// Numbers in [-1, 1) that depend on the seed alone.
inline Operand randomOperand(Shape shape, unsigned seed, bool isConstant = false) {
  Tensor tensor(DType::f32, std::move(shape));
  std::mt19937 generator(seed);
  for (int64_t i = 0; i < tensor.elements(); ++i)
    tensor.as<float>()[i] = float(generator() >> 8) / float(1 << 23) - 1.0f;
  return {tensor, isConstant};
}

/// One op; `run` prepares and runs it.
struct Op {
  std::string name;
  std::vector<Operand> inputs;
  HostAttributes attributes = {};

  Result<std::vector<Tensor>> runAll(const std::vector<TensorView> &types) const {
    std::vector<TensorView> known, views, wanted, results;
    std::vector<Tensor> tensors;
    for (const Operand &operand : inputs) {
      TensorView view = operand.isAbsent ? TensorView() : operand.tensor.view();
      view.isAbsent = operand.isAbsent;
      views.push_back(view);
      view.data = operand.isConstant ? view.data : nullptr;
      known.push_back(view);
    }
    for (const TensorView &type : types) {
      wanted.push_back({type.dtype, type.shape});
      tensors.emplace_back(type.dtype, type.shape);
      std::memset(tensors.back().as<char>(), 0x5a, tensors.back().bytes());
      results.push_back(tensors.back().view());
    }
    auto kernel = createHostKernel(name, attributes, known, wanted);
    if (!kernel)
      return kernel.error();
    if (Status status = (*kernel)->run(views, results); !status)
      return status.error();
    return tensors;
  }
  Result<Tensor> run(DType dtype, Shape shape) const {
    auto tensors = runAll({{dtype, std::move(shape)}});
    if (!tensors)
      return tensors.error();
    return tensors->front();
  }

  /// The result's elements; a failed test if there is none.
  template <typename T = float> std::vector<T> values(Shape shape) const {
    auto tensor = run(TypeOf<T>::value, std::move(shape));
    EXPECT_TRUE(tensor.ok()) << (tensor.ok() ? "" : tensor.error().message);
    if (!tensor)
      return {};
    return std::vector<T>(tensor->template as<T>(), tensor->template as<T>() + tensor->elements());
  }
  std::string error(DType dtype, Shape shape) const {
    auto tensor = run(dtype, std::move(shape));
    return tensor.ok() ? "no error" : tensor.error().message;
  }
  std::string error(Shape shape) const { return error(DType::f32, std::move(shape)); }
};

template <typename T> using List = std::vector<T>;
using Floats = std::vector<float>;
using Integers = std::vector<int64_t>;
using Bools = std::vector<bool>;

/// Every element within `tolerance` of the expected one, relative to 1 or to its size.
inline void expectNear(const Floats &actual, const std::vector<double> &expected,
                       double tolerance = 1e-6) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i)
    ASSERT_NEAR(actual[i], expected[i], tolerance * std::max(1.0, std::abs(expected[i])))
        << "element " << i;
}

} // namespace sparsam::runtime::host

#endif // SPARSAM_RUNTIME_HOST_TEST_HOSTTEST_H
