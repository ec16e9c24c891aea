// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SimulateCommand.cpp - sparsam simulate -----------------------------===//

#include "tools/sparsam/Compiler.h"

#include "runtime/io/Npy.h"
#include "runtime/kernel/MaskTrace.h"
#include "runtime/report/Report.h"
#include "runtime/report/Table.h"
#include "runtime/support/Text.h"
#include "runtime/units/ValidLengths.h"
#include "tools/common/Registry.h"

#include <cstring>

namespace sparsam::driver {

namespace {

class SimulateCommand : public Command {
public:
  explicit SimulateCommand(CLI::App &command) {
    machine_.addTo(command);
    auto *masks =
        command
            .add_option(
                "--masks", masks_,
                "Masks: .npy [batch, heads, n, n], or what `run --record-masks` wrote; `cycles` "
                "covers all of them, other figures are the target's (see its README)")
            ->type_name("FILE");
    command
        .add_option("--packed-shape", packedShape_, "The masks are bit-packed uint8 of this shape")
        ->delimiter(',')
        ->needs(masks)
        ->type_name("B,H,N,N");
    command.add_option("--head-dim", headDim_, "Size of a head")->capture_default_str();
    auto *lengths =
        command
            .add_option("--valid-len", validLengths_,
                        "Tokens that are no padding: one number, or one per batch entry")
            ->delimiter(',')
            ->type_name("L,...");
    addQuestionsWithoutMasks(command, masks, lengths);
    command.add_option("-o,--output", output_, "Where the selection made from --scores goes")
        ->type_name("FILE.npy");
    addJson(command);
    app_ = &command;
  }

  Status run() override {
    auto arch = machine_.resolve();
    if (!arch)
      return arch.error();
    const std::vector<NamedFile> inputs = {{"the masks", masks_},
                                           {"the scores", scores_},
                                           {"the workload", workload_},
                                           {"the parameters", machine_.file}};
    if (Status status = checkOutputs({{"-o", output_}}, inputs); !status)
      return status;
    runtime::SimulateRequest request;
    request.headDim = headDim_;
    request.validLengths = validLengths_;
    if (app_->count("--seq-len"))
      request.seqLen = seqLen_;
    for (const auto &[name, value] : given_)
      if (app_->count("--" + name))
        request.given[name] = value;
    runtime::MaskTrace masks;
    if (!masks_.empty()) {
      auto read = runtime::readMasks(masks_, packedShape_);
      if (!read)
        return read.error();
      masks = read.take();
      request.masks = &masks;
      if (Status status = checkLengths(masks); !status)
        return status;
    }
    request.workload = workload_;
    if (!scores_.empty())
      if (Status status = readScores(request); !status)
        return status;
    runtime::TensorMap tensors;
    request.tensors = &tensors;
    auto report = modelRegistry().find(arch->spec().target())->analyze(request, *arch);
    if (!report)
      return report.error();
    if (Status status = write(tensors); !status)
      return status;
    if (request.masks)
      if (Status status = addCycles(*arch, masks, *report); !status)
        return status;
    for (const Json &warning : report->value("warnings", Json::array()))
      printWarning(warning);
    print(*report, [&] { return format(*report); });
    return Status();
  }

private:
  /// What may be asked instead of masks; nobody can answer two questions at once.
  void addQuestionsWithoutMasks(CLI::App &command, CLI::Option *masks, CLI::Option *lengths) {
    auto *scores = command
                       .add_option("--scores", scores_,
                                   "Select from these scores, .npy [heads, n, n] or [n, n]")
                       ->excludes(masks)
                       ->type_name("FILE.npy");
    auto *workload =
        command
            .add_option("--workload", workload_,
                        "Table with one row per layer and head (see the target's README)")
            ->excludes(masks)
            ->excludes(scores)
            ->excludes(lengths)
            ->type_name("FILE.csv");
    auto isForm = [&](CLI::Option *option) {
      for (CLI::Option *other : {masks, scores, workload, lengths})
        option->excludes(other);
    };
    isForm(command.add_option("--seq-len", seqLen_, "Closed forms alone: tokens"));
    for (auto [name, what] : {std::pair("density", "kept pairs / all pairs"),
                              {"load-balance", "busy PEs / all PEs"},
                              {"window", "keys of the sliding window"},
                              {"heads", "heads"},
                              {"dim", "size of all heads together"}})
      isForm(command.add_option(std::string("--") + name, given_[name],
                                std::string("Closed forms alone: ") + what));
  }

  Status readScores(runtime::SimulateRequest &request) const {
    auto tensor = runtime::readNpy(scores_);
    if (!tensor)
      return tensor.error();
    runtime::Shape shape = tensor->shape();
    if (shape.size() == 2)
      shape.insert(shape.begin(), 1);
    if (shape.size() != 3 || shape[1] != shape[2] || tensor->elements() == 0)
      return makeError("--scores must be [heads, n, n] or [n, n], got shape ",
                       runtime::toString(tensor->shape()));
    runtime::Tensor real = runtime::toFloat32(*tensor), scores(runtime::DType::f32, shape);
    std::memcpy(scores.as<float>(), real.as<float>(), scores.bytes());
    request.scores = scores;
    return Status();
  }

  /// The one tensor that the target has made.
  Status write(const runtime::TensorMap &tensors) const {
    if (output_.empty())
      return Status();
    if (tensors.size() != 1)
      return makeError("-o ", output_, ": there is nothing to write; give --scores");
    return runtime::writeNpy(output_, tensors.begin()->second);
  }

  /// Adds what a timing walk over the given masks says.
  Status addCycles(runtime::Arch arch, const runtime::MaskTrace &masks, Json &report) const {
    // Time depends on no value that calibration sets, but lowering asks for them.
    for (const auto &[name, value] : calibratedParameters(arch))
      if (!arch.isSet(name))
        if (Status status = arch.set(name, value); !status)
          return status;
    int64_t cycles = 0, kernels = 0;
    Json units;
    for (const auto &[name, bits] : masks.kernels) {
      if (!masks.isMask(name))
        continue;
      auto one = time(arch, bits);
      if (!one)
        return makeError("masks '", name, "': ", one.error().message);
      cycles += (*one)["accelerator"]["cycles"].get<int64_t>();
      units = (*one)["accelerator"]["units"];
      ++kernels;
    }
    report["cycles"] = cycles;
    report["seconds"] = double(cycles) / (arch.real(runtime::Arch::kClockParameter) * 1e6);
    if (kernels == 1)
      report["units"] = units;
    return Status();
  }

  Result<Json> time(const runtime::Arch &arch, const runtime::BitTensor &bits) const {
    Compilation compilation;
    compilation.buildAttention({bits.batch(), bits.heads(), bits.queries(), headDim_}, bits.keys(),
                               !validLengths_.empty());
    auto session = compilation.start(arch, AttentionMode::sparse, {});
    if (!session)
      return session.error();
    runtime::MaskTrace trace;
    trace.kernels["attention_0"] = withoutPaddedKeys(bits);
    runtime::RunOptions options;
    options.mode = runtime::RunMode::timing;
    options.replayMasks = &trace;
    auto result = (*session)->run({}, options);
    if (!result)
      return result.error();
    return makeReport(*result, options.mode, (*session)->program(), (*session)->arch());
  }

  /// Refuses valid lengths that do not fit every mask, whatever the machine makes of them.
  Status checkLengths(const runtime::MaskTrace &masks) const {
    for (const auto &[name, bits] : masks.kernels) {
      if (!masks.isMask(name))
        continue;
      const int64_t tokens = std::max(bits.queries(), bits.keys());
      if (Status fits = runtime::checkValidLengths(validLengths_, bits.batch(), tokens); !fits)
        return makeError("masks '", runtime::printable(name), "': ", fits.error().message);
    }
    return Status();
  }

  /// Bits of padded keys cleared. Those of padded queries are left: machines compute these queries.
  runtime::BitTensor withoutPaddedKeys(const runtime::BitTensor &bits) const {
    if (validLengths_.empty())
      return bits;
    runtime::BitTensor result(bits.batch(), bits.heads(), bits.queries(), bits.keys());
    for (int64_t head = 0; head < bits.batch() * bits.heads(); ++head) {
      const int64_t length = runtime::validLength(validLengths_, head / bits.heads(), bits.keys());
      for (int64_t i = 0; i < bits.queries(); ++i)
        for (int64_t j = 0; j < std::min(length, bits.keys()); ++j)
          if (bits.get(head, i, j))
            result.set(head, i, j);
    }
    return result;
  }

  /// Six digits are enough for people; --json has them all.
  static std::string number(const Json &value) {
    if (value.is_number_integer())
      return runtime::groupDigits(value);
    if (!value.is_number())
      return value.dump();
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value.get<double>());
    return text;
  }

  static std::string format(const Json &report) {
    runtime::Table table({"figure", "value"});
    for (const auto &[name, value] : report.items()) {
      if (value.is_array())
        continue;
      if (!value.is_object()) {
        table.addRow({name, number(value)});
        continue;
      }
      for (const auto &[part, inner] : value.items())
        if (!inner.is_structured())
          table.addRow({name + "." + part, number(inner)});
    }
    std::string text = table.toString();
    if (!report.contains("units"))
      return text;
    runtime::Table units({"unit", "busy cycles", "utilization"});
    for (const Json &unit : report["units"])
      units.addRow({unit["unit"], runtime::groupDigits(unit["busy_cycles"]),
                    runtime::formatPercent(unit["utilization"])});
    return text + "\n" + units.toString();
  }

  MachineOptions machine_;
  CLI::App *app_ = nullptr;
  std::string masks_, scores_, workload_, output_;
  std::vector<int64_t> packedShape_, validLengths_;
  int64_t headDim_ = 64, seqLen_ = 0;
  std::map<std::string, double> given_;
};

} // namespace

void addSimulate(CLI::App &app) {
  addCommand<SimulateCommand>(
      app, "simulate", "Time given masks, without a model and without numerics",
      "  sparsam simulate --target NAME --masks m.npy --head-dim 64 --valid-len 52\n"
      "  sparsam simulate --target NAME --masks bits.npy --packed-shape 1,12,512,512 --set pes=32 "
      "--json\n"
      "  sparsam simulate --target NAME --seq-len 512 --density 0.10 --load-balance 0.60\n");
}

} // namespace sparsam::driver
