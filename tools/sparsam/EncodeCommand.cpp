// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- EncodeCommand.cpp - sparsam encode ---------------------------------===//

#include "tools/sparsam/Common.h"

#include "runtime/io/Npy.h"
#include "runtime/report/Table.h"
#include "runtime/support/Text.h"
#include "sattn/NmCodec.h"

#include <algorithm>
#include <cmath>

namespace sparsam::driver {

namespace {

using runtime::DType;
using runtime::Tensor;
using sattn::NmFormat;

class EncodeCommand : public Command {
public:
  explicit EncodeCommand(CLI::App &command) {
    command.add_option("weights", path_, "Weight matrix [outputs, inputs]")
        ->required()
        ->type_name("FILE.npy");
    command.add_option("--nm", nm_, "Kept weights of every M consecutive inputs")
        ->required()
        ->type_name("N:M");
    command.add_option("--bits", format_.bits, "Word of a kept weight: 8, 16 or 32")
        ->capture_default_str();
    command
        .add_option("-o,--output", output_,
                    "Where `mask`, `values`, `codes`, `scale` and `bitmap` go")
        ->type_name("FILE.npz");
    addJson(command);
  }

  Status run() override {
    if (Status status = readFormat(); !status)
      return status;
    if (Status status = checkOutputs({{"-o", output_}}, {{"the weights", path_}}); !status)
      return status;
    auto tensor = readWeights();
    if (!tensor)
      return tensor.error();
    Tensor weights = runtime::toFloat32(*tensor);
    const int64_t outputs = weights.shape()[0], inputs = weights.shape()[1];
    const float *data = weights.as<float>();
    float largest = 0;
    for (int64_t i = 0; i < weights.elements(); ++i)
      largest = std::max(largest, std::abs(data[i]));
    if (format_.bits < 32)
      format_.fraction = sattn::widestFraction(format_.bits, largest);
    auto compressed = sattn::compress(format_, outputs, inputs,
                                      [&](int64_t o, int64_t i) { return data[o * inputs + i]; });
    if (!output_.empty())
      if (Status status = runtime::writeNpz(output_, tensorsOf(compressed, outputs, inputs));
          !status)
        return status;
    Json report = reportOf(weights, compressed);
    print(report, [&] { return format(report); });
    return Status();
  }

private:
  Status readFormat() {
    const size_t colon = nm_.find(':');
    auto n = runtime::parseInteger(std::string_view(nm_).substr(0, colon));
    auto m = colon == nm_.npos ? std::nullopt
                               : runtime::parseInteger(std::string_view(nm_).substr(colon + 1));
    if (!n || !m)
      return makeError("--nm ", nm_, " is not of the form N:M, as 2:8");
    format_.n = *n;
    format_.m = *m;
    if (std::string why = sattn::checkFormat(format_); !why.empty())
      return makeError("--nm ", nm_, " --bits ", format_.bits, ": ", why);
    return Status();
  }

  Result<Tensor> readWeights() const {
    auto tensor = runtime::readNpy(path_);
    if (!tensor)
      return tensor;
    if (tensor->dtype() == DType::boolean)
      return makeError(path_, " holds bool; weights are numbers");
    if (tensor->shape().size() != 2 || tensor->elements() == 0)
      return makeError(path_, " must be a matrix [outputs, inputs], got shape ",
                       runtime::toString(tensor->shape()));
    if (std::string why = sattn::checkInputs(format_, tensor->shape()[1]); !why.empty())
      return makeError(path_, " ", why, " (--nm ", nm_, ")");
    Tensor real = runtime::toFloat32(*tensor);
    for (int64_t i = 0; i < real.elements(); ++i)
      if (!std::isfinite(real.as<float>()[i]))
        return makeError(path_, " holds NaN or infinity");
    return tensor;
  }

  double scale() const { return std::ldexp(1.0, -int(format_.fraction)); }

  runtime::TensorMap tensorsOf(const sattn::NmCompressed &compressed, int64_t outputs,
                               int64_t inputs) const {
    const int64_t groups = inputs / format_.m;
    Tensor mask(DType::boolean, {outputs, inputs}),
        values(DType::f32, {outputs, groups * format_.n});
    sattn::forEachKept(
        format_, outputs, inputs, compressed.bitmaps.data(),
        [&](int64_t o, int64_t i, int64_t) { mask.as<bool>()[o * inputs + i] = true; });
    std::copy(compressed.values.begin(), compressed.values.end(), values.as<float>());
    runtime::TensorMap tensors = {{"mask", mask}, {"values", values}};
    if (format_.bits < 32) {
      Tensor codes(format_.bits == 8 ? DType::i8 : DType::i16, values.shape());
      for (size_t i = 0; i < compressed.values.size(); ++i) {
        const int64_t word = sattn::toWord(compressed.values[i], format_.bits, format_.fraction);
        if (format_.bits == 8)
          codes.as<int8_t>()[i] = int8_t(word);
        else
          codes.as<int16_t>()[i] = int16_t(word);
      }
      Tensor factor(DType::f64, {});
      *factor.as<double>() = scale();
      tensors["codes"] = codes;
      tensors["scale"] = factor;
    }
    Tensor bitmap(format_.m <= 8 ? DType::u8 : DType::u16, {outputs, groups});
    for (int64_t i = 0; i < bitmap.elements(); ++i) {
      const uint32_t kept =
          format_.isDense() ? (uint32_t(1) << format_.m) - 1 : compressed.bitmaps[size_t(i)];
      if (format_.m <= 8)
        bitmap.as<uint8_t>()[i] = uint8_t(kept);
      else
        bitmap.as<uint16_t>()[i] = uint16_t(kept);
    }
    tensors["bitmap"] = bitmap;
    return tensors;
  }

  Json reportOf(const Tensor &weights, const sattn::NmCompressed &compressed) const {
    const int64_t outputs = weights.shape()[0], inputs = weights.shape()[1];
    const int64_t before = sattn::denseBytes(format_, outputs, inputs),
                  after = sattn::compressedBytes(format_, outputs, inputs);
    double all = 0, kept = 0;
    for (int64_t i = 0; i < weights.elements(); ++i)
      all += double(weights.as<float>()[i]) * weights.as<float>()[i];
    for (float value : compressed.values)
      kept += double(value) * value;
    Json json;
    json["outputs"] = outputs;
    json["inputs"] = inputs;
    json["n"] = format_.n;
    json["m"] = format_.m;
    json["bits"] = format_.bits;
    if (format_.bits < 32)
      json["scale"] = scale();
    json["bytes_before"] = before;
    json["bytes_after"] = after;
    json["ratio"] = double(before) / double(after);
    json["density"] = double(format_.n) / double(format_.m);
    json["error"] = all > 0 ? std::sqrt(std::max(all - kept, 0.0) / all) : 0.0;
    return json;
  }

  static std::string format(const Json &report) {
    runtime::Table table({"figure", "value"});
    for (const auto &[name, value] : report.items())
      table.addRow({name, value.is_number_integer() ? runtime::groupDigits(value) : value.dump()});
    return table.toString();
  }

  std::string path_, nm_, output_;
  NmFormat format_{2, 8, 16, 0};
};

} // namespace

void addEncode(CLI::App &app) {
  addCommand<EncodeCommand>(app, "encode", "Prune a weight matrix to N:M and compress it",
                            "  sparsam encode --nm 2:8 --bits 16 w.npy -o encoded.npz\n"
                            "  sparsam encode --nm 1:16 --bits 8 w.npy --json\n");
}

} // namespace sparsam::driver
