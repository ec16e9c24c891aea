// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- HostKernel.h - operators that run on the host ----------------------===//
#ifndef SPARSAM_RUNTIME_HOST_HOSTKERNEL_H
#define SPARSAM_RUNTIME_HOST_HOSTKERNEL_H

#include "runtime/program/Tensor.h"
#include "runtime/support/Result.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sparsam::runtime {

using HostAttribute =
    std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>>;
using HostAttributes = std::map<std::string, HostAttribute, std::less<>>;

/// A kernel call with its shapes fixed.
class HostKernel {
public:
  virtual ~HostKernel() = default;
  /// Computes `outputs` from `inputs`. An absent optional input has data == nullptr. Fails on what
  /// depends on values: an index out of range, a shape that is not the one compiled for.
  virtual Status run(const std::vector<TensorView> &inputs,
                     const std::vector<TensorView> &outputs) = 0;
  /// Floating point operations of the last run, for the host model.
  virtual double flops() const { return 0; }
  /// Bytes that the last run touched; 0: all of its tensors.
  virtual double bytes() const { return 0; }
};

/// Prepares op `op` ("onnx.Softmax", "sattn.linear", "sattn.attention"...) for tensors of these
/// types and shapes (data pointers are null, except those of constants). Checks everything the
/// kernel relies on.
Result<std::unique_ptr<HostKernel>> createHostKernel(const std::string &op,
                                                     const HostAttributes &attributes,
                                                     const std::vector<TensorView> &inputs,
                                                     const std::vector<TensorView> &outputs);

/// Names of all ops createHostKernel knows, sorted.
std::vector<std::string> hostKernelNames();

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_HOST_HOSTKERNEL_H
