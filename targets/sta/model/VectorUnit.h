// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- VectorUnit.h - bias, function, residual, normalisation -------------===//
#ifndef SPARSAM_TARGETS_STA_MODEL_VECTORUNIT_H
#define SPARSAM_TARGETS_STA_MODEL_VECTORUNIT_H

#include "targets/sta/StaIsa.h"
#include "targets/sta/model/Params.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sparsam::sta {

/// Fraction bits on the way of a result out of the engine.
struct OutputFormat {
  int accumulator = 0, residual = 0, result = 0;
  insn::Function function = insn::Function::None;
};
/// Fraction bits of a normalisation, and its epsilon.
struct NormFormat {
  int source = 0, scale = 0, result = 0;
  float epsilon = 0;
};

class VectorUnit {
public:
  explicit VectorUnit(const VectorParams &params);

  /// function(sum + bias) + residual. `bias` has the fraction bits of the accumulator, `residual`
  /// those of the format; null where there is none.
  int16_t output(int64_t sum, const int32_t *bias, const int16_t *residual,
                 const OutputFormat &format) const;
  static float output(float sum, const float *bias, const float *residual, insn::Function function);

  /// GELU of `x`, both with kGeluFraction fraction bits; the tanh form if `isTanh`.
  int64_t gelu(int64_t x, bool isTanh) const;
  static constexpr int kGeluFraction = 12;

  /// (x - mean) / sqrt(variance + epsilon) * scale + bias; `bias` has lane(result) fraction bits
  /// and may be empty.
  void normalize(std::span<const int16_t> x, std::span<const int32_t> scale,
                 std::span<const int32_t> bias, const NormFormat &format,
                 std::span<int16_t> y) const;
  static void normalize(std::span<const float> x, std::span<const float> scale,
                        std::span<const float> bias, float epsilon, std::span<float> y);

  /// Fraction bits inside of the unit for a result of `fraction`.
  int lane(int fraction) const { return fraction + params_.guardBits; }

  /// 1 / sqrt(value) = root * 2^(-30 - exponent / 2).
  struct ReciprocalRoot {
    int64_t root;
    int exponent;
  };
  ReciprocalRoot reciprocalRoot(uint64_t value) const;

private:
  int64_t toLane(int64_t value, int fraction, int result) const;

  VectorParams params_;
  std::vector<int32_t> gelu_, geluTanh_; ///< entries + 1
  std::vector<int32_t> roots_;           ///< 1 / sqrt((i + 0.5) / 32), 15 fraction bits
};

} // namespace sparsam::sta

#endif // SPARSAM_TARGETS_STA_MODEL_VECTORUNIT_H
