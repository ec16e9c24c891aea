// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- AttentionCommand.cpp - sparsam attention ---------------------------===//

#include "tools/sparsam/Compiler.h"

#include "runtime/io/Npy.h"
#include "runtime/program/Statistics.h"
#include "runtime/report/Report.h"
#include "runtime/support/Parallel.h"
#include "runtime/units/ValidLengths.h"
#include "tools/common/Registry.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

namespace sparsam::driver {

namespace {

/// What a padded key's score gets: its exponential is 0 beside any other.
constexpr float kHidden = -10000.0f;

/// Machines overlap making the mask and working on it: there is no cost of the mask alone.
constexpr const char *kNoValues =
    "without --v, the costs are those of a whole run, on values of ones";

class AttentionCommand : public Command {
public:
  explicit AttentionCommand(CLI::App &command) {
    machine_.addTo(command);
    command.add_option("--q", paths_[0], "Queries, [heads, n, d] or [batch, heads, n, d]")
        ->required()
        ->type_name("FILE.npy");
    command.add_option("--k", paths_[1], "Keys")->required()->type_name("FILE.npy");
    command
        .add_option("--v", paths_[2],
                    "Values; without them -o holds the mask alone (costs are of a run on ones)")
        ->type_name("FILE.npy");
    command
        .add_option("--valid-len", validLengths_,
                    "Tokens that are no padding: one number, or one per batch entry")
        ->delimiter(',')
        ->type_name("L,...");
    command
        .add_option("-o,--output", output_,
                    "Where `out` (float32) and the predicted `mask` (bool) go")
        ->type_name("FILE.npz");
    command.add_flag("--dense", dense_, "Keep every pair");
    command.add_option("--threads", threads_, "Threads")->check(CLI::Range(1, 1024));
    addJson(command);
  }

  Status run() override {
    auto arch = machine_.resolve();
    if (!arch)
      return arch.error();
    const std::vector<NamedFile> inputs = {{"the queries", paths_[0]},
                                           {"the keys", paths_[1]},
                                           {"the values", paths_[2]},
                                           {"the parameters", machine_.file}};
    if (Status status = checkOutputs({{"-o", output_}}, inputs); !status)
      return status;
    runtime::TensorMap tensors;
    if (Status status = read(tensors); !status)
      return status;
    runtime::setThreadCount(threads_);
    const bool isDense = dense_ && !neededRanges(*arch).any();
    if (Status status = isDense ? Status() : calibrate(*arch, tensors); !status)
      return status;
    Compilation compilation;
    compilation.buildAttention(tensors.at("q").shape(), tensors.at("k").shape()[2],
                               tensors.count("mask") > 0);
    auto mode = dense_ ? AttentionMode::dense : AttentionMode::sparse;
    auto session = compilation.start(*arch, mode, {});
    if (!session)
      return session.error();
    runtime::RunOptions options;
    options.recordMasks = options.recordPredicted = true;
    auto result = (*session)->run(tensors, options);
    if (!result)
      return result.error();
    if (Status status = write(*result, arch->spec().target()); !status)
      return status;
    Json report = makeReport(*result, options.mode, (*session)->program(), (*session)->arch());
    report["cycles"] = report["accelerator"]["cycles"];
    if (paths_[2].empty())
      report["note"] = kNoValues;
    print(report, [&] { return format(report); });
    return Status();
  }

private:
  static std::string format(const Json &report) {
    std::string text = runtime::formatReport(report);
    if (report.contains("note"))
      text += "\nnote: " + report["note"].get<std::string>() + "\n";
    return text;
  }

  Status read(runtime::TensorMap &tensors) {
    const char *names[] = {"q", "k", "v"};
    for (size_t i = 0; i < 3; ++i) {
      if (paths_[i].empty())
        continue;
      auto tensor = runtime::readNpy(paths_[i]);
      if (!tensor)
        return tensor.error();
      if (Status status = add(names[i], *tensor, tensors); !status)
        return status;
    }
    const runtime::Shape &q = tensors.at("q").shape(), &k = tensors.at("k").shape();
    if (k[0] != q[0] || k[1] != q[1] || k[3] != q[3])
      return makeError("keys of shape ", runtime::toString(k), " do not fit queries of shape ",
                       runtime::toString(q), "; batch, heads and size must be equal");
    if (!tensors.count("v")) { // no zeros: they have no range to calibrate
      runtime::Tensor ones(runtime::DType::f32, k);
      std::fill_n(ones.as<float>(), ones.elements(), 1.0f);
      tensors["v"] = std::move(ones);
    } else if (tensors.at("v").shape() != k) {
      return makeError("values must have the shape of the keys, ", runtime::toString(k), ", got ",
                       runtime::toString(tensors.at("v").shape()));
    }
    return validLengths_.empty() ? Status() : addMask(tensors);
  }

  /// Brings a tensor to float32 and four dimensions.
  Status add(const char *name, const runtime::Tensor &tensor, runtime::TensorMap &tensors) {
    using runtime::DType;
    runtime::Shape shape = tensor.shape();
    bool isReal = tensor.dtype() == DType::f32 || tensor.dtype() == DType::f16 ||
                  tensor.dtype() == DType::f64;
    if (!isReal)
      return makeError("--", name, " must hold floats, got ", runtime::name(tensor.dtype()));
    if (shape.size() != 3 && shape.size() != 4)
      return makeError("--", name, " must be [heads, n, d] or [batch, heads, n, d], got shape ",
                       runtime::toString(shape));
    hasBatch_ = shape.size() == 4;
    for (int64_t extent : shape)
      if (extent < 1)
        return makeError("--", name, " of shape ", runtime::toString(shape), " is empty");
    if (!hasBatch_)
      shape.insert(shape.begin(), 1);
    runtime::Tensor real = runtime::toFloat32(tensor), four(DType::f32, shape);
    std::span<const float> values(real.as<float>(), size_t(real.elements()));
    if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); }))
      return makeError("--", name, " holds NaN or infinity");
    std::memcpy(four.as<float>(), real.as<float>(), four.bytes());
    tensors[name] = four;
    return Status();
  }

  Status addMask(runtime::TensorMap &tensors) {
    const runtime::Shape &k = tensors.at("k").shape();
    const int64_t batch = k[0], keys = k[2];
    if (Status status = runtime::checkValidLengths(validLengths_, batch, keys); !status)
      return status;
    runtime::Tensor mask(runtime::DType::f32, {batch, 1, 1, keys});
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t j = runtime::validLength(validLengths_, b, keys); j < keys; ++j)
        mask.as<float>()[b * keys + j] = kHidden;
    tensors["mask"] = mask;
    return Status();
  }

  /// Parameters that follow from the tensors themselves, unless they were set.
  Status calibrate(runtime::Arch &arch, const runtime::TensorMap &tensors) {
    const runtime::TargetModel *model = modelRegistry().find(arch.spec().target());
    const runtime::TensorView q = tensors.at("q").view(), k = tensors.at("k").view();
    auto statistics = runtime::attentionStatistics(q, k, tensors.at("v").view());
    if (neededRanges(arch).ofScores)
      runtime::addScoreStatistics(
          q, k, tensors.count("mask") ? tensors.at("mask").view() : runtime::TensorView(),
          1 / std::sqrt(double(q.shape[3])), statistics);
    for (const auto &[name, value] : model->calibrate(statistics, arch))
      if (!arch.isSet(name)) {
        if (!(value > 0))
          return makeError("cannot calibrate ", name, " on the given tensors: it would be ", value,
                           "; give it with --set ", name, "=VALUE");
        if (Status status = arch.set(name, value); !status)
          return makeError("calibration on the given tensors: ", status.error().message);
      }
    return Status();
  }

  Status write(const runtime::RunResult &result, const std::string &target) const {
    if (output_.empty())
      return Status();
    runtime::TensorMap tensors;
    if (!paths_[2].empty())
      tensors["out"] = withoutBatch(result.outputs.at("out"));
    const auto &entries = result.masks.kernels;
    for (const auto &[kernel, bits] : entries)
      if (result.masks.isMask(kernel)) {
        auto predicted = entries.find(kernel + ".predicted");
        tensors["mask"] = toTensor(predicted != entries.end() ? predicted->second : bits);
      }
    if (tensors.empty())
      return makeError("-o ", output_, ": target '", target,
                       "' makes no mask, so that there is nothing to write; give --v");
    return runtime::writeNpz(output_, tensors);
  }

  runtime::Tensor withoutBatch(const runtime::Tensor &tensor) const {
    if (hasBatch_)
      return tensor;
    runtime::Shape shape(tensor.shape().begin() + 1, tensor.shape().end());
    runtime::Tensor result(tensor.dtype(), shape);
    std::memcpy(result.view().data, tensor.view().data, result.bytes());
    return result;
  }

  runtime::Tensor toTensor(const runtime::BitTensor &bits) const {
    const int64_t matrices = bits.batch() * bits.heads();
    runtime::Tensor tensor(runtime::DType::boolean,
                           {bits.batch(), bits.heads(), bits.queries(), bits.keys()});
    bool *next = tensor.as<bool>();
    for (int64_t head = 0; head < matrices; ++head)
      for (int64_t i = 0; i < bits.queries(); ++i)
        for (int64_t j = 0; j < bits.keys(); ++j)
          *next++ = bits.get(head, i, j);
    return withoutBatch(tensor);
  }

  MachineOptions machine_;
  std::string paths_[3], output_;
  std::vector<int64_t> validLengths_;
  bool dense_ = false, hasBatch_ = false;
  unsigned threads_ = 0;
};

} // namespace

void addAttention(CLI::App &app) {
  addCommand<AttentionCommand>(
      app, "attention", "Run one attention core on your own Q, K and V",
      "  sparsam attention --target NAME --q q.npy --k k.npy --v v.npy -o out.npz\n"
      "  sparsam attention --target NAME --q q.npy --k k.npy --valid-len 52 --set threshold=0.01 "
      "-o mask.npz\n");
}

} // namespace sparsam::driver
