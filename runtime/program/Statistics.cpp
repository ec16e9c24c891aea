// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Statistics.cpp - what calibration wants to know of tensors ---------===//

#include "runtime/program/Statistics.h"

#include "runtime/support/Parallel.h"

#include <algorithm>
#include <cmath>

namespace sparsam::runtime {

namespace {
struct AbsMax {
  float plain = 0;
  float normalized = 0; ///< of tokens divided by their 2-norm
};
} // namespace

static AbsMax absMax(const TensorView &tensor) {
  AbsMax result;
  int64_t width = tensor.shape.empty() ? 1 : tensor.shape.back();
  const float *token = tensor.as<float>();
  for (int64_t rest = tensor.elements(); rest > 0; rest -= width, token += width) {
    float largest = 0;
    double squares = 0;
    for (int64_t i = 0; i < width; ++i) {
      largest = std::max(largest, std::abs(token[i]));
      squares += double(token[i]) * double(token[i]);
    }
    result.plain = std::max(result.plain, largest);
    // A token of zeros has no direction.
    if (squares > 0)
      result.normalized = std::max(result.normalized, largest / float(std::sqrt(squares)));
  }
  return result;
}

CalibrationStatistics attentionStatistics(const TensorView &query, const TensorView &key,
                                          const TensorView &value) {
  AbsMax q = absMax(query), k = absMax(key), v = absMax(value);
  return {{"q_absmax", q.plain},
          {"k_absmax", k.plain},
          {"v_absmax", v.plain},
          {"q_normalized_absmax", q.normalized},
          {"k_normalized_absmax", k.normalized}};
}

namespace {

/// An additive mask that broadcasts to all pairs; without data it hides none.
class PairMask {
public:
  explicit PairMask(const TensorView &mask) : mask_(mask) {}

  bool hides(int64_t entry, int64_t head, int64_t query, int64_t key) const {
    constexpr float kHidden = -10000; // the largest that exporters use
    if (!mask_.data)
      return false;
    int64_t at = 0;
    const int64_t index[] = {entry, head, query, key};
    for (size_t d = 0; d < 4; ++d)
      at = at * mask_.shape[d] + (mask_.shape[d] == 1 ? 0 : index[d]);
    return mask_.as<float>()[at] <= kHidden;
  }

private:
  const TensorView &mask_;
};

} // namespace

/// Largest |q . k| of one head.
static float largestProduct(const TensorView &query, const TensorView &key, const PairMask &mask,
                            int64_t head) {
  const int64_t heads = query.shape[1], queries = query.shape[2], size = query.shape[3],
                keys = key.shape[2];
  const float *q = query.as<float>() + head * queries * size;
  const float *k = key.as<float>() + head * keys * size;
  // By columns of K, so that a row of products is a loop over neighbours.
  std::vector<float> columns(size_t(keys * size)), products(static_cast<size_t>(keys));
  for (int64_t j = 0; j < keys; ++j)
    for (int64_t d = 0; d < size; ++d)
      columns[size_t(d * keys + j)] = k[j * size + d];
  float largest = 0;
  for (int64_t i = 0; i < queries; ++i) {
    std::fill(products.begin(), products.end(), 0.0f);
    for (int64_t d = 0; d < size; ++d)
      for (int64_t j = 0; j < keys; ++j)
        products[size_t(j)] += q[i * size + d] * columns[size_t(d * keys + j)];
    for (int64_t j = 0; j < keys; ++j)
      if (const float product = std::abs(products[size_t(j)]);
          product > largest && !mask.hides(head / heads, head % heads, i, j))
        largest = product;
  }
  return largest;
}

void addScoreStatistics(const TensorView &query, const TensorView &key, const TensorView &mask,
                        double scale, CalibrationStatistics &statistics) {
  const int64_t heads = query.shape[0] * query.shape[1];
  const PairMask pairs(mask);
  std::vector<float> largest(static_cast<size_t>(heads));
  parallelFor(heads, [&](int64_t head) {
    largest[size_t(head)] = largestProduct(query, key, pairs, head);
  });
  statistics["score_absmax"] =
      std::abs(scale) * double(*std::max_element(largest.begin(), largest.end()));
}

/// Largest magnitude of x W + bias.
static Result<double> productAbsMax(const std::string &op, const HostAttributes &attributes,
                                    std::vector<TensorView> inputs, const TensorView &output) {
  constexpr size_t kResidual = 3;
  HostAttributes plain = attributes;
  plain.erase("activation");
  if (inputs.size() > kResidual)
    inputs.resize(kResidual);
  std::optional<Tensor> product = Tensor::tryAllocate(output.dtype, output.shape);
  if (!product)
    return makeError("not enough memory for ", output.bytes(), " bytes");
  auto kernel = createHostKernel(op, plain, inputs, {product->view()});
  if (!kernel)
    return kernel.error();
  if (Status status = (*kernel)->run(inputs, {product->view()}); !status)
    return status.error();
  return double(absMax(product->view()).plain);
}

Result<CalibrationStatistics> layerStatistics(const std::string &op,
                                              const HostAttributes &attributes,
                                              const std::vector<TensorView> &inputs,
                                              const std::vector<TensorView> &outputs) {
  const bool isLinear = op == "sattn.linear";
  if (!isLinear && op != "onnx.LayerNormalization")
    return CalibrationStatistics();
  CalibrationStatistics statistics = {{"input_absmax", absMax(inputs[0]).plain},
                                      {"output_absmax", absMax(outputs[0]).plain}};
  if (isLinear) {
    Result<double> product = productAbsMax(op, attributes, inputs, outputs[0]);
    if (!product)
      return product.error();
    statistics["product_absmax"] = *product;
  }
  return statistics;
}

void mergeStatistics(const CalibrationStatistics &from, CalibrationStatistics &into) {
  for (const auto &[name, value] : from) {
    auto [it, isNew] = into.try_emplace(name, value);
    it->second = std::max(it->second, value);
  }
}

} // namespace sparsam::runtime
