// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Call.h - what the factories of host kernels are given --------------===//
#ifndef SPARSAM_RUNTIME_HOST_CALL_H
#define SPARSAM_RUNTIME_HOST_CALL_H

#include "runtime/host/HostKernel.h"

#include <functional>

namespace sparsam::runtime::host {

/// One op with its attributes and the types and shapes of its tensors.
struct Call {
  const std::string &op;
  const HostAttributes &attributes;
  const std::vector<TensorView> &inputs, &outputs;

  bool hasInput(size_t i) const { return i < inputs.size() && !inputs[i].isAbsent; }
  int64_t integer(std::string_view name, int64_t otherwise) const;
  double real(std::string_view name, double otherwise) const;
  std::string text(std::string_view name, const std::string &otherwise) const;
  std::vector<int64_t> integers(std::string_view name) const;

  /// Fails unless there are at least `minInputs` operands and `numOutputs` results.
  Status expectOperands(size_t minInputs, size_t numOutputs = 1) const;
  Status expectType(const TensorView &tensor, const char *what, DType dtype) const;
  /// Operands that are there, and the first result, must be float32.
  Status expectFloats() const;
  Status expectShape(const TensorView &tensor, const char *what, const Shape &shape) const;
  /// Resolves a negative axis; fails outside of [-rank, rank).
  Result<int64_t> axis(int64_t value, size_t rank) const;
  /// The integers of a constant operand.
  Result<std::vector<int64_t>> constant(size_t input, const char *what) const;
  template <typename... Args> Error error(const Args &...args) const {
    return makeError("op '", op, "': ", args...);
  }
};

using Made = Result<std::unique_ptr<HostKernel>>;
using Factory = Made (*)(const Call &);
using Table = std::map<std::string, Factory, std::less<>>;

/// A kernel that is one function.
using Body =
    std::function<Status(const std::vector<TensorView> &, const std::vector<TensorView> &)>;
Made makeKernel(double flops, Body body);

// The kernels, by kind.
void addElementwise(Table &table);
void addConstants(Table &table);
void addReductions(Table &table);
void addShapes(Table &table);
void addSelections(Table &table);
void addMatrix(Table &table);
void addAttention(Table &table);
void addTokens(Table &table);
void addWeights(Table &table);

/// Elements that one index of a parallel loop works on: fixed, so that results never depend on the
/// number of threads.
constexpr int64_t kChunk = 16384;

/// Calls body(first, last) over [0, count) in pieces of kChunk.
void forChunks(int64_t count, const std::function<void(int64_t, int64_t)> &body);

/// Product of shape[first, last).
int64_t product(const Shape &shape, size_t first, size_t last);

} // namespace sparsam::runtime::host

#endif // SPARSAM_RUNTIME_HOST_CALL_H
