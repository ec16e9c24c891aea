// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Salo.cpp - launching kernels, and registration ----------------------===//

#include "runtime/kernel/KernelModel.h"
#include "runtime/units/NonFinite.h"
#include "targets/salo/SaloYaml.h"
#include "targets/salo/model/Analysis.h"
#include "targets/salo/model/FunctionalWalk.h"
#include "targets/salo/model/Kernel.h"
#include "targets/salo/model/TimingWalk.h"

namespace sparsam::salo {

using namespace runtime;

static void countPairs(const Kernel &kernel, const BitTensor &pairs, LaunchReport &report) {
  const double all =
      double(kernel.config.heads) * double(kernel.headQueries()) * double(kernel.headKeys());
  report.metrics["nnz"] = pairs.count();
  report.metrics["density"] = double(pairs.count()) / all;
}

/// Says how many inputs are no numbers. The mask has none: loading it refuses what neither shows
/// nor hides a key.
static void warnOfInputs(const Kernel &kernel, const LaunchContext &context, LaunchReport &report) {
  const LaunchInput inputs[] = {
      {"Q", kernel.queryBinding}, {"K", kernel.keyBinding}, {"V", kernel.valueBinding}};
  warnOfNonFinite(inputs, context.bindings, kTakenAsWords, report);
}

static Status launch(const Kernel &kernel, const Params &params, LaunchContext &context,
                     LaunchReport &report) {
  Observed observed;
  if (context.mode != RunMode::timing)
    if (Status status = walkFunctional(kernel, params, context.bindings, observed); !status)
      return status;
  if (context.mode != RunMode::functional)
    if (Status status = walkTiming(kernel, params, context.bindings, context.timeline, report);
        !status)
      return status;
  if (context.mode != RunMode::timing) {
    warnOfInputs(kernel, context, report);
    if (observed.aliasedScores > 0) {
      report.metrics["scores_out_of_range"] = observed.aliasedScores;
      report.metrics["warnings"].push_back(
          "scores beyond the 5-bit exponents alias, as on the machine (" +
          std::to_string(observed.aliasedScores) +
          " of them); calibrate on samples that reach as far (--calibrate), or lower "
          "`score_limit`");
    }
    countPairs(kernel, observed.pairs, report);
    if (context.masks)
      context.masks->kernels[kernel.name()] = std::move(observed.pairs);
  } else if (context.masks) {
    auto pairs = context.masks->kernels.find(kernel.name());
    if (pairs != context.masks->kernels.end())
      countPairs(kernel, pairs->second, report);
  }
  return Status();
}

/// Ranges of the words.
static CalibrationRules calibration(const Arch &) {
  return {{"q_range", "q_absmax"},
          {"k_range", "k_absmax"},
          {"v_range", "v_absmax"},
          {"score_range", "score_absmax"}};
}

void registerSaloModel(ModelRegistry &registry) {
  addModel<Params, Kernel>(registry, "salo",
                           {.archYaml = kArchYaml,
                            .paperYaml = kPaperYaml,
                            .launch = launch,
                            .analyze = analyze,
                            .recipes = recipes,
                            .calibration = calibration});
}

} // namespace sparsam::salo
