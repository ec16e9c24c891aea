// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- HostKernel.cpp - find and prepare host kernels ---------------------===//

#include "runtime/host/HostKernel.h"

#include "runtime/host/Call.h"
#include "runtime/support/Parallel.h"
#include "runtime/support/Text.h"

#include <algorithm>
#include <exception>
#include <new>

namespace sparsam::runtime {

namespace host {

int64_t Call::integer(std::string_view name, int64_t otherwise) const {
  auto it = attributes.find(name);
  const int64_t *value = it == attributes.end() ? nullptr : std::get_if<int64_t>(&it->second);
  return value ? *value : otherwise;
}

double Call::real(std::string_view name, double otherwise) const {
  auto it = attributes.find(name);
  const double *value = it == attributes.end() ? nullptr : std::get_if<double>(&it->second);
  return value ? *value : otherwise;
}

std::string Call::text(std::string_view name, const std::string &otherwise) const {
  auto it = attributes.find(name);
  const std::string *value =
      it == attributes.end() ? nullptr : std::get_if<std::string>(&it->second);
  return value ? *value : otherwise;
}

std::vector<int64_t> Call::integers(std::string_view name) const {
  auto it = attributes.find(name);
  const auto *value =
      it == attributes.end() ? nullptr : std::get_if<std::vector<int64_t>>(&it->second);
  return value ? *value : std::vector<int64_t>();
}

Status Call::expectOperands(size_t minInputs, size_t numOutputs) const {
  if (inputs.size() < minInputs || outputs.size() < numOutputs)
    return error("expects ", minInputs, " operands and ", numOutputs, " results, got ",
                 inputs.size(), " and ", outputs.size());
  for (size_t i = 0; i < minInputs; ++i)
    if (inputs[i].isAbsent)
      return error("operand ", i, " must not be absent");
  return Status();
}

Status Call::expectType(const TensorView &tensor, const char *what, DType dtype) const {
  if (tensor.dtype == dtype)
    return Status();
  return error("expects ", what, " of type ", name(dtype), ", got ", name(tensor.dtype));
}

Status Call::expectFloats() const {
  for (const TensorView &view : inputs)
    if (!view.isAbsent)
      if (Status status = expectType(view, "operands", DType::f32); !status)
        return status;
  return expectType(outputs[0], "a result", DType::f32);
}

Status Call::expectShape(const TensorView &tensor, const char *what, const Shape &shape) const {
  if (tensor.shape == shape)
    return Status();
  return error("expects ", what, " of shape ", toString(shape), ", got ", toString(tensor.shape));
}

Result<int64_t> Call::axis(int64_t value, size_t rank) const {
  int64_t resolved = value < 0 ? value + int64_t(rank) : value;
  if (resolved < 0 || resolved >= int64_t(rank))
    return error("axis ", value, " does not exist in a tensor of ", rank, " dimensions");
  return resolved;
}

Result<std::vector<int64_t>> Call::constant(size_t input, const char *what) const {
  const TensorView &view = inputs[input];
  if (!view.data && view.elements() > 0)
    return error("expects constant ", what);
  if (view.dtype == DType::i64)
    return std::vector<int64_t>(view.as<int64_t>(), view.as<int64_t>() + view.elements());
  if (view.dtype == DType::i32)
    return std::vector<int64_t>(view.as<int32_t>(), view.as<int32_t>() + view.elements());
  return error("expects ", what, " of type int64, got ", name(view.dtype));
}

namespace {

class FunctionKernel : public HostKernel {
public:
  FunctionKernel(double flops, Body body) : flops_(flops), body_(std::move(body)) {}
  Status run(const std::vector<TensorView> &inputs,
             const std::vector<TensorView> &outputs) override {
    try {
      return body_(inputs, outputs);
    } catch (const std::exception &error) { // out of memory, or what oneDNN reports
      return makeError(error.what());
    }
  }
  double flops() const override { return flops_; }

private:
  double flops_;
  Body body_;
};

const Table &table() {
  static const Table kernels = [] {
    Table table;
    addElementwise(table);
    addConstants(table);
    addReductions(table);
    addShapes(table);
    addSelections(table);
    addMatrix(table);
    addAttention(table);
    addTokens(table);
    addWeights(table);
    return table;
  }();
  return kernels;
}

} // namespace

Made makeKernel(double flops, Body body) {
  return std::unique_ptr<HostKernel>(std::make_unique<FunctionKernel>(flops, std::move(body)));
}

void forChunks(int64_t count, const std::function<void(int64_t, int64_t)> &body) {
  parallelFor((count + kChunk - 1) / kChunk,
              [&](int64_t i) { body(i * kChunk, std::min(count, (i + 1) * kChunk)); });
}

int64_t product(const Shape &shape, size_t first, size_t last) {
  int64_t result = 1;
  for (size_t i = first; i < last; ++i)
    result *= shape[i];
  return result;
}

} // namespace host

Result<std::unique_ptr<HostKernel>> createHostKernel(const std::string &op,
                                                     const HostAttributes &attributes,
                                                     const std::vector<TensorView> &inputs,
                                                     const std::vector<TensorView> &outputs) {
  auto it = host::table().find(op);
  if (it == host::table().end())
    return makeError("there is no host kernel for op '", printable(op), "'");
  try {
    host::Made kernel = it->second(host::Call{op, attributes, inputs, outputs});
    // With a dimension of 0 the others may be anything; loops over them would never end.
    bool isEmpty = std::all_of(outputs.begin(), outputs.end(),
                               [](const TensorView &view) { return view.elements() == 0; });
    if (kernel && isEmpty)
      return host::makeKernel(0, [](const auto &, const auto &) { return Status(); });
    return kernel;
  } catch (const std::bad_alloc &) {
    return makeError("op '", op, "': not enough memory");
  }
}

std::vector<std::string> hostKernelNames() {
  std::vector<std::string> names;
  for (const auto &[name, factory] : host::table())
    names.push_back(name);
  return names;
}

} // namespace sparsam::runtime
