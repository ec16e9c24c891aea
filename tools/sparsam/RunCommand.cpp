// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RunCommand.cpp - sparsam run ---------------------------------------===//

#include "tools/sparsam/Compiler.h"

#include "runtime/io/Npy.h"
#include "runtime/kernel/TraceWriter.h"
#include "runtime/program/Program_generated.h"
#include "runtime/report/Report.h"
#include "runtime/support/Parallel.h"

#include <algorithm>
#include <chrono>

namespace sparsam::driver {

static bool hasInput(const runtime::Program &program, const std::string &name) {
  const program::Program &table = program.table();
  return std::any_of(table.inputs()->begin(), table.inputs()->end(), [&](int32_t index) {
    return table.tensors()->Get(uint32_t(index))->name()->str() == name;
  });
}

namespace {

class RunCommand : public Command {
public:
  explicit RunCommand(CLI::App &command) {
    options_.addTo(command, "Program file, or a model to compile in memory", "FILE.spx|MODEL.onnx");
    for (CLI::Option *option : command.get_options())
      if (!option->get_positional() && option != command.get_help_ptr())
        modelOptions_.push_back(option->group("For a model"));
    inputs_.addTo(command, "Inputs; of a model without --shape also the shapes");
    command.add_option("-o,--output", output_, "Where the outputs go")->type_name("FILE.npz");
    modeOption_ =
        command
            .add_option(
                "--mode", mode_,
                "full: outputs and cycles; functional: outputs alone; timing: cycles alone, "
                "from --replay-masks")
            ->check(CLI::IsMember({"full", "functional", "timing"}));
    command.add_option("--threads", threads_, "Threads (default: one per processor)")
        ->check(CLI::Range(1, 1024));
    command.add_option("--record-masks", record_, "Write the masks that were used")
        ->type_name("FILE.npz");
    command.add_option("--replay-masks", replay_, "Time these masks; runs no numerics")
        ->type_name("FILE.npz");
    command.add_option("--trace", trace_, "Write the timeline for Perfetto or chrome://tracing")
        ->type_name("FILE.json");
    command.add_option("--host-gflops", host_.gigaflops, "Host model: 10^9 operations per second")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    command.add_option("--host-bandwidth", host_.bandwidth, "Host model: 10^9 bytes per second")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    command.add_option("--repeat", repeat_, "Run several times and report the median time")
        ->check(CLI::Range(1, 10000))
        ->group("Measuring");
    addJson(command);
  }

  Status run() override {
    if (Status status = checkOptions(); !status)
      return status;
    auto inputs = inputs_.read();
    if (!inputs)
      return inputs.error();
    runtime::setThreadCount(threads_);
    auto program = load(*inputs);
    if (!program)
      return program.error();
    // An evaluation set holds the right answers as well; `compare` scores outputs by them.
    if (!hasInput(**program, kLabels))
      inputs->erase(kLabels);
    auto session = createSession(*program);
    if (!session)
      return session.error();
    runtime::MaskTrace replay;
    std::unique_ptr<runtime::TraceWriter> timeline;
    runtime::RunOptions options;
    if (Status status = prepare(options, replay, timeline); !status)
      return status;
    double seconds = 0;
    auto result = runRepeatedly(**session, *inputs, options, seconds);
    if (!result)
      return result.error();
    if (Status status = write(*result, timeline.get()); !status)
      return status;
    Json report = makeReport(*result, options.mode, **program, (*session)->arch());
    if (report.contains("accelerator") && report["accelerator"].contains("cycles"))
      report["cycles"] = report["accelerator"]["cycles"];
    report["simulation_seconds"] = seconds;
    print(report, [&] { return runtime::formatReport(report); });
    return Status();
  }

private:
  /// The program in the file, or that of the model.
  Result<std::shared_ptr<const runtime::Program>> load(const runtime::TensorMap &inputs) const {
    if (!options_.model.ends_with(".onnx")) {
      for (const CLI::Option *option : modelOptions_)
        if (option->count() > 0)
          return makeError(option->get_name(), " is for models; ", options_.model,
                           " is compiled already");
      return runtime::Program::load(options_.model);
    }
    auto arch = options_.machine.resolve();
    if (!arch)
      return arch.error();
    Compilation compilation;
    // A model with caches is fed token by token: its inputs do not have its shapes.
    runtime::TensorMap shaped;
    if (options_.cache.empty())
      shaped = inputs;
    shaped.erase(kLabels);
    if (Status status = options_.compile(compilation, *arch, &shaped); !status)
      return status.error();
    return compilation.assemble(options_.provenance(*arch));
  }

  /// The result of the last run, and the median of their times.
  Result<runtime::RunResult> runRepeatedly(runtime::Session &session,
                                           const runtime::TensorMap &inputs,
                                           runtime::RunOptions options, double &median) const {
    std::vector<double> seconds;
    Result<runtime::RunResult> result = makeError("not run");
    for (unsigned i = 0; i < repeat_; ++i) {
      auto start = std::chrono::steady_clock::now();
      result = session.run(inputs, options);
      if (!result)
        return result;
      seconds.push_back(secondsSince(start));
      options.timeline = nullptr; // one run fills it
    }
    std::sort(seconds.begin(), seconds.end());
    median = seconds[seconds.size() / 2];
    return result;
  }

  /// Options that contradict the mode.
  Status checkOptions() const {
    const bool isTiming = mode_ == "timing" || !replay_.empty();
    if (mode_ == "functional" && !replay_.empty())
      return makeError("--mode functional: --replay-masks times masks and runs no numerics");
    if (!replay_.empty() && mode_ == "full" && modeOption_->count() > 0)
      return makeError("--mode full: --replay-masks times masks and runs no numerics");
    if (isTiming && !inputs_.files.empty())
      return makeError("--input: a timing run reads no inputs");
    if (mode_ == "functional" && !trace_.empty())
      return makeError("--trace: a functional run has no time");
    if (isTiming && replay_.empty())
      return makeError("--mode timing needs --replay-masks; record them with --record-masks");
    if (isTiming && !output_.empty())
      return makeError("-o: a timing run has no outputs");
    if (isTiming && !record_.empty())
      return makeError("--record-masks: a timing run makes no masks");
    std::vector<NamedFile> read = inputs_.paths(), compiled = options_.paths();
    read.insert(read.end(), compiled.begin(), compiled.end());
    read.push_back({"the masks", replay_});
    return checkOutputs({{"-o", output_}, {"--record-masks", record_}, {"--trace", trace_}}, read);
  }

  Status prepare(runtime::RunOptions &options, runtime::MaskTrace &replay,
                 std::unique_ptr<runtime::TraceWriter> &timeline) {
    options.mode = !replay_.empty() || mode_ == "timing" ? runtime::RunMode::timing
                   : mode_ == "functional"               ? runtime::RunMode::functional
                                                         : runtime::RunMode::full;
    options.hostModel = host_;
    options.recordMasks = !record_.empty();
    options.progress = [](unsigned stage, unsigned count, const std::string &name) {
      showProgress(std::to_string(stage + 1) + "/" + std::to_string(count) + " " + name);
    };
    if (options.mode == runtime::RunMode::timing) {
      auto masks = runtime::readMasks(replay_);
      if (!masks)
        return masks.error();
      replay = masks.take();
      options.replayMasks = &replay;
    }
    if (!trace_.empty()) {
      auto writer = runtime::TraceWriter::create(trace_);
      if (!writer)
        return writer.error();
      timeline = writer.take();
      options.timeline = timeline.get();
    }
    return Status();
  }

  Status write(const runtime::RunResult &result, runtime::TraceWriter *timeline) const {
    if (!output_.empty())
      if (Status status = runtime::writeNpz(output_, result.outputs); !status)
        return status;
    if (!record_.empty())
      if (Status status = runtime::writeMasks(record_, result.masks); !status)
        return status;
    return timeline ? timeline->finish() : Status();
  }

  ModelOptions options_;
  const CLI::Option *modeOption_ = nullptr;
  std::vector<const CLI::Option *> modelOptions_;
  InputOptions inputs_;
  runtime::HostModel host_;
  std::string output_, mode_ = "full", record_, replay_, trace_;
  unsigned threads_ = 0, repeat_ = 1;
};

} // namespace

void addRun(CLI::App &app) {
  addCommand<RunCommand>(
      app, "run", "Run a program: outputs, cycles, traffic, energy",
      "  sparsam run model.spx --input samples.npz -o outputs.npz\n"
      "  sparsam run model.spx --input samples.npz --record-masks masks.npz --trace t.json\n"
      "  sparsam run model.spx --replay-masks masks.npz --json\n"
      "  sparsam run model.onnx --target NAME --calibrate samples.npz --input samples.npz -o "
      "outputs.npz\n");
}

} // namespace sparsam::driver
