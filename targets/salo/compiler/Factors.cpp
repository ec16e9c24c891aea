// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Factors.cpp - what Q, K and V are multiplied by --------------------===//

#include "Factors.h"

#include "sattn/Sattn.h"
#include "sparsam/Calibrated.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace sparsam;
using namespace sparsam::salo;

/// Words have 9 bits, 4 of them fraction [R1 PE.scala]; the smallest, -16, is one step further.
static constexpr double kLargestWord = 255.0 / 16;
/// Exponents have 5 bits, signed.
static constexpr double kExponentEnd = 16;
/// Factors stay far within what a program may hold.
static constexpr double kLargestFactor = 1 << 20;

static std::string text(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.3g", value);
  return text;
}

/// What is left of `scale` after the shift.
static FailureOr<double> findRest(isa::ArchAttr arch, double scale, Operation *attention) {
  const int64_t shift = arch.getInteger("scale_shift");
  const double rest = std::ldexp(scale, int(shift));
  constexpr double kRounding = 1e-6; // scales are floats
  if (arch.getText("scale") == "fold")
    return rest;
  if (std::abs(rest - 1) > kRounding)
    return attention->emitOpError("cannot run on SALO: a scale of ")
           << scale << " ("
           << cast<sattn::AttentionOp>(attention).getQuery().getType().getDimSize(3)
           << " dimensions), which no shift by " << shift
           << " bits gives (parameter `scale_shift`); set scale=fold to fold the rest into Q";
  return 1.0;
}

/// 1, or less where calibrated scores leave the range of an exponent.
static double findFit(isa::ArchAttr arch, double base, Operation *attention) {
  const double scores = getCalibrated(attention, arch, "score_range") * base,
               limit = arch.getReal("score_limit");
  if (scores <= limit)
    return 1;
  const double fit = limit / scores;
  emitWarning(attention->getLoc())
      << "scores reach " << text(scores) << " (to base 2, parameter `score_range` x " << text(base)
      << "); the 5-bit exponents of SALO hold less than " << text(kExponentEnd)
      << ", so Q is scaled by " << text(fit) << " to reach " << text(limit)
      << " (parameter `score_limit`), which makes the attention flatter";
  return fit;
}

/// Moves a factor from Q to K, so that both reach equally far into their words.
static void balance(isa::ArchAttr arch, Factors &factors, Operation *attention) {
  auto range = [&](StringRef name) { return getCalibrated(attention, arch, name); };
  const double q = range("q_range"), k = range("k_range"), v = range("v_range");
  if (q > 0 && k > 0 && factors.query > 0) {
    const double reach = std::sqrt(q * k * factors.query);
    if (reach > kLargestWord)
      emitWarning(attention->getLoc())
          << "queries and keys reach " << text(reach) << " (parameters `q_range` and `k_range`), "
          << "but SALO's 9-bit words end at " << text(kLargestWord) << ": they saturate";
    factors.key = std::clamp(reach / k, 1 / kLargestFactor, kLargestFactor);
    factors.query /= factors.key;
  }
  if (v > 0)
    factors.value = std::clamp(kLargestWord / v, 1 / kLargestFactor, kLargestFactor);
}

FailureOr<Factors> salo::findFactors(isa::ArchAttr arch, double scale, Operation *attention) {
  FailureOr<double> rest = findRest(arch, scale, attention);
  if (failed(rest))
    return failure();
  const double base = arch.getText("base") == "e" ? std::log2(std::exp(1.0)) : 1;
  Factors factors;
  factors.query = *rest * base * findFit(arch, base, attention);
  if (arch.getFlag("balance"))
    balance(arch, factors, attention);
  return factors;
}
