// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Template.cpp - launching kernels, and registration -----------------===//

#include "runtime/kernel/KernelModel.h"
#include "runtime/units/NonFinite.h"
#include "targets/template/TemplateYaml.h"
#include "targets/template/model/Walks.h"

namespace sparsam::template_ {

using namespace runtime;

/// Nothing is decided at run time: there are no masks to record or to replay.
static Status launch(const Kernel &kernel, const Params &params, LaunchContext &context,
                     LaunchReport &report) {
  if (context.mode != RunMode::timing) {
    if (Status status = walkFunctional(kernel, context.bindings); !status)
      return status;
    warnOfNonFinite(numberedInputs(kernel.stage.info().inputs, kernel.maskBinding),
                    context.bindings, kTakenAsFloats, report);
  }
  if (context.mode == RunMode::functional)
    return Status();
  return walkTiming(kernel, params, context.bindings, context.timeline, report);
}

/// Pairs of the given masks' shapes: this machine computes all of them.
static Result<nlohmann::ordered_json> analyze(const SimulateRequest &request, const Params &,
                                              const Arch &) {
  if (Status status = request.expectOnly("template", {"masks", "head-dim", "valid-len"}); !status)
    return status.error();
  if (!request.masks)
    return makeError("this machine has no closed forms; give --masks");
  double pairs = 0;
  for (const auto &[name, masks] : request.masks->kernels)
    if (request.masks->isMask(name))
      pairs += double(masks.batch() * masks.heads()) * double(masks.queries() * masks.keys());
  return nlohmann::ordered_json{{"pairs", pairs}};
}

void registerTemplateModel(ModelRegistry &registry) {
  addModel<Params, Kernel>(
      registry, "template",
      {.archYaml = kArchYaml, .paperYaml = kPaperYaml, .launch = launch, .analyze = analyze});
}

} // namespace sparsam::template_
