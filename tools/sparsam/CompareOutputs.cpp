// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CompareOutputs.cpp - how far outputs are from the dense model ------===//

#include "tools/sparsam/CompareOutputs.h"

#include <algorithm>
#include <cmath>

namespace sparsam::driver {

namespace {

struct Difference {
  double maxAbs = 0, dot = 0, normA = 0, normB = 0;
  int64_t answers = 0, agreeing = 0;

  void addRow(const float *x, const float *y, int64_t width, bool isScored) {
    for (int64_t i = 0; i < width; ++i) {
      maxAbs = std::max(maxAbs, double(std::fabs(x[i] - y[i])));
      dot += double(x[i]) * y[i];
      normA += double(x[i]) * x[i];
      normB += double(y[i]) * y[i];
    }
    if (!isScored)
      return;
    ++answers;
    agreeing += std::max_element(x, x + width) - x == std::max_element(y, y + width) - y;
  }
  double cosine() const {
    return normA > 0 && normB > 0 ? dot / std::sqrt(normA * normB) : normA == normB ? 1 : 0;
  }
};

} // namespace

static int64_t rowWidth(const runtime::Tensor &tensor) {
  return tensor.shape().empty() ? 1 : tensor.shape().back();
}

static Difference compareTensors(const runtime::Tensor &a, const runtime::Tensor &b,
                                 const int64_t *labels) {
  Difference result;
  const int64_t width = rowWidth(a);
  const float *x = a.as<float>(), *y = b.as<float>();
  for (int64_t row = 0; width > 0 && row < a.elements() / width; ++row, x += width, y += width)
    result.addRow(x, y, width, !labels || labels[row] >= 0);
  return result;
}

Result<Labels> matchLabels(const runtime::Tensor &classes, const runtime::TensorMap &outputs) {
  if (classes.dtype() != runtime::DType::i64 && classes.dtype() != runtime::DType::i32)
    return makeError("labels must be int64 or int32 class numbers, got ",
                     runtime::name(classes.dtype()));
  Labels labels{runtime::Tensor(runtime::DType::i64, classes.shape()), ""};
  for (int64_t i = 0, n = classes.elements(); i < n; ++i)
    labels.classes.as<int64_t>()[i] = classes.dtype() == runtime::DType::i64
                                          ? classes.as<int64_t>()[i]
                                          : classes.as<int32_t>()[i];
  std::string shapes;
  for (const auto &[name, output] : outputs) {
    runtime::Shape shape = output.shape();
    shapes += (shapes.empty() ? "" : ", ") + name + " " + runtime::toString(shape);
    if (output.dtype() != runtime::DType::f32 || shape.empty())
      continue;
    const int64_t width = shape.back();
    shape.pop_back();
    if (shape != classes.shape())
      continue;
    for (int64_t i = 0, n = classes.elements(); i < n; ++i)
      if (labels.classes.as<int64_t>()[i] >= width)
        return makeError("a label is ", labels.classes.as<int64_t>()[i], "; output '", name,
                         "' has ", width, " classes, 0 to ", width - 1);
    labels.output = name;
    return labels;
  }
  return makeError("labels of shape ", runtime::toString(classes.shape()),
                   " fit no output; they need the shape of one without its last dimension, the "
                   "outputs are ",
                   shapes);
}

Json compareOutputs(const runtime::TensorMap &outputs, const runtime::TensorMap &reference,
                    const Labels *labels) {
  Json result = Json::object();
  for (const auto &[name, tensor] : outputs) {
    auto expected = reference.find(name);
    if (expected == reference.end()) // a state that only the machine keeps
      continue;
    if (tensor.dtype() != runtime::DType::f32)
      continue;
    const int64_t *classes =
        labels && labels->output == name ? labels->classes.as<int64_t>() : nullptr;
    const Difference difference = compareTensors(tensor, expected->second, classes);
    result[name] = {{"max_abs_error", difference.maxAbs},
                    {"cosine", difference.cosine()},
                    {"answers", difference.answers},
                    {"agreement", difference.answers > 0
                                      ? double(difference.agreeing) / double(difference.answers)
                                      : 1.0}};
  }
  return result;
}

Json scoreOutputs(const runtime::TensorMap &outputs, const Labels &labels) {
  const runtime::Tensor &output = outputs.at(labels.output);
  const int64_t width = rowWidth(output);
  const float *x = output.as<float>();
  int64_t answers = 0, right = 0;
  for (int64_t row = 0; row < labels.classes.elements(); ++row, x += width) {
    const int64_t label = labels.classes.as<int64_t>()[row];
    if (label < 0)
      continue;
    ++answers;
    right += std::max_element(x, x + width) - x == label;
  }
  return {{"accuracy", answers > 0 ? Json(double(right) / double(answers)) : Json()},
          {"answers", answers}};
}

} // namespace sparsam::driver
