// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Sta.cpp - launching kernels, and registration -----------------------===//

#include "runtime/kernel/KernelModel.h"
#include "runtime/units/NonFinite.h"
#include "targets/sta/StaYaml.h"
#include "targets/sta/model/Analysis.h"
#include "targets/sta/model/FunctionalWalk.h"
#include "targets/sta/model/TimingWalk.h"

namespace sparsam::sta {

using namespace runtime;

/// The pairs of an attention: all of them, or those that causality allows.
static BitTensor pairsOf(const insn::Config &config) {
  BitTensor pairs(config.entries, config.heads, config.queries, config.keys);
  const int64_t offset = int64_t(config.keys) - int64_t(config.queries);
  for (int64_t head = 0; head < pairs.batch() * pairs.heads(); ++head)
    for (int64_t query = 0; query < pairs.queries(); ++query) {
      const int64_t visible =
          config.causal ? std::min<int64_t>(query + offset + 1, pairs.keys()) : pairs.keys();
      for (int64_t key = 0; key < visible; ++key)
        pairs.set(head, query, key);
    }
  return pairs;
}

/// The trace entry of rows of scores that are masked everywhere: one bit each, if there are any.
static std::string maskedName(const std::string &kernel) { return kernel + ".masked"; }

static void record(const Kernel &kernel, const Events &events, MaskTrace &trace) {
  trace.kernels[kernel.name()] = pairsOf(kernel.config);
  if (events.maskedRows == 0)
    return;
  BitTensor rows(1, 1, 1, events.maskedRows);
  for (int64_t row = 0; row < events.maskedRows; ++row)
    rows.set(0, 0, row);
  trace.kernels[maskedName(kernel.name())] = std::move(rows);
}

static Status launch(const Kernel &kernel, const Params &params, LaunchContext &context,
                     LaunchReport &report) {
  report.metrics = nlohmann::ordered_json::object();
  if (context.mode != RunMode::timing) {
    Events events;
    if (Status status = walkFunctional(kernel, params, context.bindings, events); !status)
      return status;
    warnOfNonFinite(numberedInputs(kernel.stage.info().inputs, kernel.maskBinding),
                    context.bindings, params.isFixed ? kTakenAsWords : kTakenAsFloats, report);
    if (context.masks)
      record(kernel, events, *context.masks);
  }
  if (context.mode != RunMode::functional)
    if (Status status = walkTiming(kernel, params, context.bindings, context.timeline, report);
        !status)
      return status;
  if (context.masks) {
    auto rows = context.masks->kernels.find(maskedName(kernel.name()));
    report.metrics["masked_rows"] =
        rows == context.masks->kernels.end() ? int64_t(0) : rows->second.count();
  }
  return Status();
}

/// Scales of words; floats need none.
static CalibrationRules calibration(const Arch &arch) {
  if (arch.text("numerics") != "fixed")
    return {};
  return {{"input_range", "input_absmax"},
          {"output_range", "output_absmax"},
          {"product_range", "product_absmax"},
          {"q_range", "q_absmax"},
          {"k_range", "k_absmax"},
          {"v_range", "v_absmax"},
          {"score_range", "score_absmax"}};
}

void registerStaModel(ModelRegistry &registry) {
  addModel<Params, Kernel>(registry, "sta",
                           {.archYaml = kArchYaml,
                            .paperYaml = kPaperYaml,
                            .launch = launch,
                            .analyze = analyze,
                            .recipes = recipes,
                            .calibration = calibration});
}

} // namespace sparsam::sta
