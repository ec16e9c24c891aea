// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Broadcast.h - ONNX multidirectional broadcasting -------------------===//
#ifndef SPARSAM_RUNTIME_HOST_BROADCAST_H
#define SPARSAM_RUNTIME_HOST_BROADCAST_H

#include "runtime/host/Call.h"
#include "runtime/support/Parallel.h"

#include <algorithm>
#include <array>

namespace sparsam::runtime::host {

/// How N operands run under a result: the result's dimensions with neighbours merged where every
/// operand allows, and each operand's strides (0 where it is repeated).
template <size_t N> struct Broadcast {
  Shape dims;
  std::array<std::vector<int64_t>, N> strides;

  static Result<Broadcast> make(const Call &call) {
    const Shape &out = call.outputs[0].shape;
    Broadcast result;
    for (size_t operand = 0; operand < N; ++operand) {
      const Shape &in = call.inputs[operand].shape;
      if (in.size() > out.size())
        return call.error("operand ", operand, " of shape ", toString(in),
                          " has more dimensions than the result of shape ", toString(out));
      std::vector<int64_t> &strides = result.strides[operand];
      strides.assign(out.size(), 0);
      int64_t stride = 1;
      for (size_t i = in.size(); i-- > 0;) {
        size_t d = i + out.size() - in.size();
        if (in[i] != 1 && in[i] != out[d])
          return call.error("operand ", operand, " of shape ", toString(in),
                            " does not broadcast to ", toString(out));
        strides[d] = in[i] == 1 ? 0 : stride;
        stride *= in[i];
      }
    }
    result.dims = out;
    result.merge();
    return result;
  }

  /// Calls f(first element of the result, first elements of the operands, count) for pieces along
  /// the last dimension; operand strides there are strides[i].back().
  template <typename F> void forRuns(F f) const {
    int64_t inner = dims.empty() ? 1 : dims.back();
    int64_t runs = dims.empty() ? 1 : product(dims, 0, dims.size() - 1);
    if (inner == 0 || runs == 0)
      return;
    int64_t pieces = (inner + kChunk - 1) / kChunk;
    int64_t group = std::max<int64_t>(1, kChunk / inner); // runs that one index works on
    parallelFor((runs + group - 1) / group * pieces, [&](int64_t task) {
      int64_t piece = task % pieces, first = task / pieces * group;
      int64_t begin = piece * kChunk, end = std::min(inner, begin + kChunk);
      for (int64_t run = first; run < std::min(runs, first + group); ++run) {
        std::array<int64_t, N> offsets{};
        int64_t rest = run;
        for (size_t d = dims.size() > 0 ? dims.size() - 1 : 0; d-- > 0;) {
          for (size_t i = 0; i < N; ++i)
            offsets[i] += rest % dims[d] * strides[i][d];
          rest /= dims[d];
        }
        for (size_t i = 0; i < N; ++i)
          offsets[i] += begin * step(i);
        f(run * inner + begin, offsets, end - begin);
      }
    });
  }

  int64_t step(size_t operand) const {
    return strides[operand].empty() ? 0 : strides[operand].back();
  }

private:
  void erase(size_t d) {
    dims.erase(dims.begin() + int64_t(d));
    for (std::vector<int64_t> &operand : strides)
      operand.erase(operand.begin() + int64_t(d));
  }
  void merge() {
    for (size_t d = dims.size(); d-- > 0;)
      if (dims[d] == 1)
        erase(d);
    for (size_t d = dims.size(); d-- > 1;) {
      bool canMerge = true;
      for (size_t i = 0; i < N; ++i)
        canMerge &= strides[i][d - 1] == strides[i][d] * dims[d];
      if (!canMerge)
        continue;
      dims[d] *= dims[d - 1];
      erase(d - 1);
    }
  }
};

} // namespace sparsam::runtime::host

#endif // SPARSAM_RUNTIME_HOST_BROADCAST_H
