// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SessionRun.cpp - one run of a program ------------------------------===//

#include "runtime/kernel/TraceWriter.h"
#include "runtime/program/Program_generated.h"
#include "runtime/program/SessionState.h"
#include "runtime/program/Statistics.h"
#include "runtime/support/Parallel.h"
#include "runtime/support/Text.h"

#include <algorithm>
#include <cstring>

namespace sparsam::runtime {

/// The op whose Q, K and V calibration looks at.
static constexpr const char *kAttentionOp = "sattn.attention";

namespace {

class Run {
public:
  Run(Session::State &state, const RunOptions &options) : state_(state), options_(options) {}

  Result<RunResult> execute(const TensorMap &inputs);

private:
  bool isTimingOnly() const { return options_.mode == RunMode::timing; }

  Status bind(const TensorMap &inputs);
  Status bindInputs(const TensorMap &inputs);
  Status bindState(const TensorMap &inputs, std::vector<std::string> &names);
  Status bindInput(const program::Tensor &tensor, unsigned index, const TensorMap &inputs);
  Status bindOutputs();
  void collectOutputs();
  void advance();
  Status runStage(unsigned index);
  Status collectLayer(const program::HostKernel &host, const std::vector<TensorView> &inputs,
                      const std::vector<TensorView> &outputs);
  Status runHost(const program::HostKernel &host, unsigned index);
  Status runAccelerator(const program::AcceleratorStage &stage, unsigned index);
  Result<LaunchReport> launch(const program::AcceleratorStage &stage, unsigned index, RunMode mode,
                              MaskTrace *masks);
  Status timePending();
  void markLaunch(const LaunchReport &report);
  void keep(LaunchReport report, MaskTrace &masks);
  double clockMhz() const { return state_.arch ? state_.arch->real(Arch::kClockParameter) : 0; }

  Session::State &state_;
  const RunOptions &options_;
  std::vector<Tensor> storage_;        ///< inputs that were widened
  std::map<unsigned, Tensor> results_; ///< output tensors by index
  RunResult result_;
  double elapsed_ = 0; ///< microseconds, for the timeline
  unsigned attentions_ = 0;

  /// A launch whose numerics are done, and whose cycles are not counted yet.
  struct Pending {
    const program::AcceleratorStage *stage;
    unsigned index;
    MaskTrace masks;                 ///< as the numerics recorded them
    nlohmann::ordered_json numerics; ///< what only they know, such as values out of range
  };
  std::vector<Pending> pending_;
};

} // namespace

//===-- Inputs and outputs ------------------------------------------------===//

/// int32 as int64: token ids come in both.
static Tensor widened(const Tensor &tensor) {
  Tensor wide(DType::i64, tensor.shape());
  for (int64_t i = 0, n = tensor.elements(); i < n; ++i)
    wide.as<int64_t>()[i] = tensor.as<int32_t>()[i];
  return wide;
}

Status Run::bindInput(const program::Tensor &tensor, unsigned index, const TensorMap &inputs) {
  std::string name = tensor.name()->str();
  auto it = inputs.find(name);
  if (it == inputs.end()) {
    std::vector<std::string> given;
    for (const auto &[other, unused] : inputs)
      given.push_back(other);
    return makeError("input '", name,
                     "' is missing; given are: ", given.empty() ? "none" : join(given));
  }
  const TensorView &wanted = state_.tensors[index];
  Tensor value = it->second;
  auto filled = state_.fillUp(index, name, value);
  if (!filled)
    return filled.error();
  value = filled->value_or(value);
  if (value.shape() != wanted.shape)
    return makeError("input '", name, "' must have shape ", toString(wanted.shape), ", got ",
                     toString(value.shape()), "; the program is compiled for fixed shapes");
  if (wanted.dtype == DType::i64 && value.dtype() == DType::i32)
    value = widened(value);
  if (value.dtype() != wanted.dtype)
    return makeError("input '", name, "' must be ", runtime::name(wanted.dtype), ", got ",
                     runtime::name(value.dtype()));
  state_.tensors[index].data = value.as<void>();
  storage_.push_back(std::move(value));
  return Status();
}

Status Run::bindState(const TensorMap &inputs, std::vector<std::string> &names) {
  if (!state_.cache())
    return Status();
  for (const program::State *state : *state_.cache()->states())
    names.push_back(state->input()->str());
  if (TensorMap given = state_.pickState(inputs); !given.empty())
    if (Status status = state_.setState(given); !status)
      return status;
  const int64_t step = int64_t(state_.cache()->step()),
                capacity = int64_t(state_.cache()->capacity());
  if (state_.length() <= capacity - step)
    return Status();
  return makeError("the caches are full: they hold ", state_.length(), " of ", capacity,
                   " tokens, and a run appends ", step,
                   "; compile the model with a larger --cache");
}

Status Run::bindInputs(const TensorMap &inputs) {
  const program::Program &table = state_.program->table();
  std::vector<std::string> names;
  if (Status status = bindState(inputs, names); !status)
    return status;
  for (int32_t index : *table.inputs()) {
    const program::Tensor *tensor = table.tensors()->Get(uint32_t(index));
    names.push_back(tensor->name()->str());
    if (Status status = bindInput(*tensor, unsigned(index), inputs); !status)
      return status;
  }
  for (const auto &[name, unused] : inputs)
    if (std::find(names.begin(), names.end(), name) == names.end())
      return makeError("the program has no input '", printable(name), "'", suggestion(name, names));
  return Status();
}

Status Run::bindOutputs() {
  const program::Program &table = state_.program->table();
  for (unsigned i = 0; i < table.tensors()->size(); ++i)
    if (table.tensors()->Get(i)->kind() == program::TensorKind::output) {
      std::optional<Tensor> tensor =
          Tensor::tryAllocate(state_.tensors[i].dtype, state_.tensors[i].shape);
      if (!tensor)
        return makeError("not enough memory for output '", table.tensors()->Get(i)->name()->str(),
                         "' of ", state_.tensors[i].bytes(), " bytes");
      state_.tensors[i].data = tensor->as<void>();
      results_[i] = std::move(*tensor);
    }
  return Status();
}

void Run::collectOutputs() {
  const program::Program &table = state_.program->table();
  for (int32_t signedIndex : *table.outputs()) {
    unsigned index = unsigned(signedIndex);
    const TensorView &view = state_.tensors[index];
    auto it = results_.find(index);
    Tensor tensor = it != results_.end() ? it->second : Tensor(view.dtype, view.shape);
    // An output that is a constant, an input or an activation as well is copied.
    if (it == results_.end() && view.data && view.bytes() > 0)
      std::memcpy(tensor.as<uint8_t>(), view.data, view.bytes());
    result_.outputs[table.tensors()->Get(index)->name()->str()] = tensor;
  }
}

/// The tokens of this run are in the caches now.
void Run::advance() {
  if (!state_.cache())
    return;
  state_.length() += int64_t(state_.cache()->step());
  if (options_.returnState)
    state_.addState(result_.outputs);
}

//===-- Stages -------------------------------------------------------------===//

/// What calibration calls an attention core: the name raise gave it.
static std::string attentionName(const program::HostKernel &host, unsigned number) {
  HostAttributes attributes = hostAttributes(host);
  for (const char *key : {"sattn.name", "name"})
    if (auto it = attributes.find(key); it != attributes.end())
      if (const std::string *text = std::get_if<std::string>(&it->second))
        return *text;
  return "attention_" + std::to_string(number);
}

/// " (node '...')", where the graph names the op's node.
static std::string placeOf(const program::HostKernel &host) {
  bool isNamed = host.name() && host.name()->size() > 0;
  return isNamed ? " (node '" + printable(host.name()->string_view()) + "')" : "";
}

/// What a call costs, as far as the kernel knows.
static HostReport hostReport(const program::HostKernel &host, const HostKernel &kernel,
                             const std::vector<TensorView> &inputs,
                             const std::vector<TensorView> &outputs) {
  HostReport report;
  report.op = host.op()->str();
  report.name = host.name() ? host.name()->str() : "";
  report.flops = kernel.flops();
  report.bytes = kernel.bytes();
  if (report.bytes == 0)
    for (const std::vector<TensorView> *views : {&inputs, &outputs})
      for (const TensorView &view : *views)
        report.bytes += view.data ? double(view.bytes()) : 0;
  return report;
}

/// Statistics of a layer, by the name of its node.
Status Run::collectLayer(const program::HostKernel &host, const std::vector<TensorView> &inputs,
                         const std::vector<TensorView> &outputs) {
  if (!host.name() || host.name()->size() == 0)
    return Status();
  auto statistics = layerStatistics(host.op()->str(), hostAttributes(host), inputs, outputs);
  if (!statistics)
    return statistics.error();
  if (!statistics->empty())
    mergeStatistics(*statistics, result_.statistics[host.name()->str()]);
  return Status();
}

Status Run::runHost(const program::HostKernel &host, unsigned index) {
  std::vector<TensorView> inputs = state_.viewsOf(host.inputs());
  if (host.op()->string_view() == kAttentionOp) {
    std::string name = attentionName(host, attentions_++);
    auto isReal = [&](size_t i) { return inputs[i].dtype == DType::f32 && inputs[i].data; };
    if (options_.collectStatistics && inputs.size() >= 3 && isReal(0) && isReal(1) && isReal(2))
      result_.statistics[name] = attentionStatistics(inputs[0], inputs[1], inputs[2]);
    if (options_.collectScores && result_.statistics.count(name)) {
      HostAttributes attributes = hostAttributes(host);
      const double *scale = std::get_if<double>(&attributes["scale"]);
      constexpr size_t kMask = 3;
      const bool hasMask =
          inputs.size() > kMask && isReal(kMask) && inputs[kMask].shape.size() == 4;
      addScoreStatistics(inputs[0], inputs[1], hasMask ? inputs[kMask] : TensorView(),
                         scale ? *scale : 1, result_.statistics[name]);
    }
  }
  std::vector<TensorView> outputs = state_.viewsOf(host.outputs());
  if (Status status = state_.hostKernels[index]->run(inputs, outputs); !status)
    return makeError("stage ", index, placeOf(host), ": ", status.error().message);
  if (options_.collectStatistics && options_.collectLayers)
    if (Status status = collectLayer(host, inputs, outputs); !status)
      return makeError("stage ", index, placeOf(host), ": ", status.error().message);
  HostReport report = hostReport(host, *state_.hostKernels[index], inputs, outputs);
  report.seconds = options_.hostModel.seconds(report.flops, report.bytes);
  result_.host.push_back(std::move(report));
  return Status();
}

Result<LaunchReport> Run::launch(const program::AcceleratorStage &stage, unsigned index,
                                 RunMode mode, MaskTrace *masks) {
  LaunchContext context;
  context.mode = mode;
  context.bindings = state_.viewsOf(stage.bindings());
  context.masks = masks;
  context.recordPredicted = options_.recordMasks && options_.recordPredicted;
  context.isTimedNext = mode == RunMode::functional && options_.mode == RunMode::full;
  if (mode == RunMode::timing) {
    for (TensorView &binding : context.bindings)
      binding.data = nullptr;
    context.timeline = options_.timeline;
    if (options_.timeline)
      options_.timeline->setTime(clockMhz(), elapsed_);
  }
  Result<LaunchReport> report = state_.machine->launch(index, context);
  if (!report)
    return report;
  if (report->kernel.empty())
    report->kernel = stage.name()->str();
  return report;
}

/// Timing walks are sequential, and independent of one another once the masks are there: so many
/// wait for each other, to share the threads. Bounded, because each keeps its masks.
static size_t launchesAtOnce() { return std::min(threadCount(), 16u); }

Status Run::runAccelerator(const program::AcceleratorStage &stage, unsigned index) {
  Pending pending{&stage, index, {}, {}};
  if (!isTimingOnly()) {
    Result<LaunchReport> report = launch(stage, index, RunMode::functional, &pending.masks);
    if (!report)
      return report.error();
    if (options_.mode == RunMode::functional) {
      keep(report.take(), pending.masks);
      return Status();
    }
    pending.numerics = std::move(report->metrics);
  }
  pending_.push_back(std::move(pending));
  // The timeline takes launches in order.
  if (options_.timeline || pending_.size() >= launchesAtOnce())
    return timePending();
  return Status();
}

/// Adds a finished launch to the result.
void Run::keep(LaunchReport report, MaskTrace &masks) {
  result_.launches.push_back(std::move(report));
  if (options_.recordMasks)
    result_.masks.kernels.merge(masks.kernels);
}

/// One event over all of the launch, above those of the units: it says whose they are.
void Run::markLaunch(const LaunchReport &report) {
  const int process = options_.timeline->addProcess(state_.program->table().target()->str());
  options_.timeline->addEvent(options_.timeline->addThread(process, "kernel"), report.kernel,
                              Cycle(), report.cycles);
}

Status Run::timePending() {
  std::vector<Result<LaunchReport>> reports(pending_.size(), LaunchReport());
  parallelFor(int64_t(pending_.size()), [&](int64_t i) {
    Pending &pending = pending_[size_t(i)];
    // A timing walk only reads its trace.
    MaskTrace *masks =
        isTimingOnly() ? const_cast<MaskTrace *>(options_.replayMasks) : &pending.masks;
    reports[size_t(i)] = launch(*pending.stage, pending.index, RunMode::timing, masks);
  });
  for (size_t i = 0; i < pending_.size(); ++i) {
    if (!reports[i])
      return reports[i].error();
    LaunchReport report = reports[i].take();
    for (const auto &[name, value] : pending_[i].numerics.items())
      if (!report.metrics.contains(name))
        report.metrics[name] = value;
    if (options_.timeline)
      markLaunch(report);
    if (double clock = clockMhz(); clock > 0)
      elapsed_ += double(report.cycles.value) / clock;
    keep(std::move(report), pending_[i].masks);
  }
  pending_.clear();
  return Status();
}

Status Run::runStage(unsigned index) {
  const program::Stage *stage = state_.program->table().stages()->Get(index);
  if (options_.progress) {
    const program::HostKernel *host = stage->host();
    bool isNamed = host && host->name() && host->name()->size() > 0;
    std::string name = !host     ? stage->accelerator()->name()->str()
                       : isNamed ? host->name()->str()
                                 : host->op()->str();
    options_.progress(index, state_.program->table().stages()->size(), name);
  }
  if (stage->accelerator())
    return runAccelerator(*stage->accelerator(), index);
  if (!isTimingOnly())
    return runHost(*stage->host(), index);
  return Status();
}

Status Run::bind(const TensorMap &inputs) {
  if (Status status = bindInputs(inputs); !status)
    return status;
  return bindOutputs();
}

Result<RunResult> Run::execute(const TensorMap &inputs) {
  if (isTimingOnly() && !options_.replayMasks)
    return makeError("a timing run needs a recorded mask trace");
  if (Status status = isTimingOnly() ? Status() : state_.prepareHost(); !status)
    return status.error();
  // Inputs and outputs are bound for this run alone.
  std::vector<TensorView> unbound = state_.tensors;
  Status status = isTimingOnly() ? Status() : bind(inputs);
  for (unsigned i = 0, n = state_.program->table().stages()->size(); status && i < n; ++i)
    status = runStage(i);
  if (status)
    status = timePending();
  if (status && !isTimingOnly()) {
    collectOutputs();
    advance();
  }
  state_.tensors = std::move(unbound);
  if (!status)
    return status.error();
  return std::move(result_);
}

Result<RunResult> Session::run(const TensorMap &inputs, const RunOptions &options) {
  return Run(*state_, options).execute(inputs);
}

} // namespace sparsam::runtime
