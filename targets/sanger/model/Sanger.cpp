// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sanger.cpp - launching kernels, and registration --------------------===//

#include "runtime/kernel/KernelModel.h"
#include "runtime/report/Report.h"
#include "runtime/support/Parallel.h"
#include "runtime/units/NonFinite.h"
#include "targets/sanger/SangerYaml.h"
#include "targets/sanger/model/Analysis.h"
#include "targets/sanger/model/ClosedForms.h"
#include "targets/sanger/model/FunctionalWalk.h"
#include "targets/sanger/model/Kernel.h"
#include "targets/sanger/model/Statistics.h"
#include "targets/sanger/model/TimingWalk.h"

#include <cstdio>

namespace sparsam::sanger {

using namespace runtime;

/// Says which scores were too large for the fixed point, and what the largest is.
static void warnOfOverflows(const Params &params, const Overflows &overflows,
                            LaunchReport &report) {
  if (overflows.scores == 0 && overflows.sums == 0)
    return;
  const FixedPointFormat &format = params.format;
  // The exp unit takes x * 23 / 16 for x * log2 e.
  const double largest = double(format.expBits - format.isExpSigned - format.expFraction) * 16 / 23;
  char limit[32];
  std::snprintf(limit, sizeof limit, "%.3g", largest);
  report.metrics["scores_out_of_range"] = overflows.scores;
  report.metrics["saturated_sums"] = overflows.sums;
  report.metrics[kWarningsMetric].push_back(
      "exponentials of scores above " + std::string(limit) +
      " overflow the exp unit, and their sums the accumulators, as on the machine (" +
      std::to_string(overflows.scores) + " scores, " + std::to_string(overflows.sums) +
      " sums); results are wrong there: scale Q down, or raise `exp_bits` and `accumulator_bits`");
}

/// Says how many inputs are no numbers: the prediction takes them as 0, and the array as what its
/// numerics have.
static void warnOfInputs(const Kernel &kernel, const Params &params, const LaunchContext &context,
                         LaunchReport &report) {
  const LaunchInput inputs[] = {{"Q", kernel.queryBinding},
                                {"K", kernel.keyBinding},
                                {"V", kernel.valueBinding},
                                {"the mask", kernel.biasBinding, true}};
  warnOfNonFinite(inputs, context.bindings, params.isRtl ? kTakenAsWords : kTakenAsFloats, report);
}

/// Runs the numerics and leaves the masks in `trace`.
static Status record(const Kernel &kernel, const Params &params, const LaunchContext &context,
                     MaskTrace &trace, LaunchReport &report) {
  Observed observed;
  Status status =
      walkFunctional(kernel, params, context.bindings, context.recordPredicted, observed);
  if (!status)
    return status;
  warnOfInputs(kernel, params, context, report);
  warnOfOverflows(params, observed.overflows, report);
  trace.kernels[kernel.name()] = std::move(observed.executed);
  if (context.recordPredicted)
    trace.kernels[predictedName(kernel.name())] = std::move(observed.predicted);
  if (observed.valid.count() < observed.valid.batch() * observed.valid.keys())
    trace.kernels[validName(kernel.name())] = std::move(observed.valid);
  return Status();
}

/// The cycles, if `context` asks for them, and the statistics of the masks.
static Status measure(const Kernel &kernel, const Params &params, const LaunchContext &context,
                      const BitTensor &masks, const ValidTokens &valid, LaunchReport &report) {
  // The timing walk is sequential; the statistics have another thread to themselves.
  MaskStatistics statistics;
  Status status;
  const bool isTimed = context.mode != RunMode::functional;
  parallelFor(isTimed ? 2 : 1, [&](int64_t part) {
    if (part == 0)
      statistics = computeStatistics(masks, params.array, valid, allTokens(masks));
    else
      status = walkTiming(kernel, params, context.bindings, masks, context.timeline, report);
  });
  if (!status)
    return status;
  nlohmann::ordered_json ofTheWalk = std::move(report.metrics);
  report.metrics = toJson(statistics);
  if (ofTheWalk.is_object())
    report.metrics.update(ofTheWalk);
  if (!isTimed)
    return Status();
  const insn::Config &config = kernel.config;
  report.metrics["cycles_closed_form"] =
      attentionCycles(params, config.queries, config.keys, config.head_dim, config.predict,
                      statistics.blocksPerHead);
  report.metrics["cycles_simulated"] = report.cycles.value;
  return Status();
}

static Status launch(const Kernel &kernel, const Params &params, LaunchContext &context,
                     LaunchReport &report) {
  MaskTrace local;
  MaskTrace &trace = context.masks ? *context.masks : local;
  if (context.mode != RunMode::timing)
    if (Status status = record(kernel, params, context, trace, report); !status)
      return status;
  if (context.isTimedNext)
    return Status();
  auto masks = trace.kernels.find(kernel.name());
  if (masks == trace.kernels.end())
    return makeError("the mask trace has no masks of kernel '", kernel.name(),
                     "'; record one with the program that replays it");
  auto keys = trace.kernels.find(validName(kernel.name()));
  Result<ValidTokens> valid = keys == trace.kernels.end()
                                  ? Result<ValidTokens>(allTokens(masks->second))
                                  : tokensOfKeys(masks->second, keys->second);
  if (!valid)
    return makeError("the mask trace of kernel '", kernel.name(), "': ", valid.error().message);
  return measure(kernel, params, context, masks->second, *valid, report);
}

/// The ranges of the predictor's operands, as they enter it.
static CalibrationRules calibration(const Arch &arch) {
  const std::string prefix = arch.flag("normalize") ? "_normalized" : "";
  return {{"tx", "q" + prefix + "_absmax"}, {"ty", "k" + prefix + "_absmax"}};
}

void registerSangerModel(ModelRegistry &registry) {
  addModel<Params, Kernel>(registry, "sanger",
                           {.archYaml = kArchYaml,
                            .paperYaml = kPaperYaml,
                            .launch = launch,
                            .analyze = analyze,
                            .recipes = recipes,
                            .calibration = calibration});
}

} // namespace sparsam::sanger
