// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Semantics.cpp - what the sattn ops compute -------------------------===//

#include "sattn/Semantics.h"
#include "sattn/PackSplit.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sparsam::sattn::semantics {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

/// Calls `body(b, h, i)` for every row of `array`.
template <typename T, typename Body> void forEachRow(const Array4<T> &array, Body body) {
  for (int64_t b = 0; b < array.shape[0]; ++b)
    for (int64_t h = 0; h < array.shape[1]; ++h)
      for (int64_t i = 0; i < array.shape[2]; ++i)
        body(b, h, i);
}

float normOf(const float *x, int64_t size) {
  double sum = 0;
  for (int64_t d = 0; d < size; ++d)
    sum += double(x[d]) * x[d];
  return float(std::sqrt(sum));
}

float dot(const float *a, const float *b, int64_t size) {
  double sum = 0;
  for (int64_t d = 0; d < size; ++d)
    sum += double(a[d]) * b[d];
  return float(sum);
}

/// Softmax of `row` in place; -inf elements get 0, and so does everything if there is nothing else.
void softmaxRow(float *row, int64_t size) {
  float largest = *std::max_element(row, row + size);
  if (largest == kMinusInfinity) {
    std::fill(row, row + size, 0.0f);
    return;
  }
  double sum = 0;
  for (int64_t j = 0; j < size; ++j)
    sum += row[j] = std::exp(row[j] - largest);
  for (int64_t j = 0; j < size; ++j)
    row[j] = float(row[j] / sum);
}

} // namespace

Quantized quantize(const Floats &x, int64_t bits, double range, bool normalize) {
  Quantized result{Codes(x.shape), Floats({x.shape[0], x.shape[1], x.shape[2], 1}, 1.0f)};
  const float qmax = float((1 << (bits - 1)) - 1);
  const float scale = float(qmax / range);
  const int64_t size = x.shape[3];
  forEachRow(x, [&](int64_t b, int64_t h, int64_t i) {
    float norm = normalize ? normOf(&x(b, h, i, 0), size) : 1.0f;
    result.norms(b, h, i, 0) = norm;
    for (int64_t d = 0; d < size; ++d) {
      float unit = norm == 0 ? 0.0f : x(b, h, i, d) / norm;
      // std::nearbyint rounds half to even. NaN becomes code 0 instead of an undefined conversion.
      float code = std::nearbyint(unit * scale);
      result.codes(b, h, i, d) = std::isnan(code) ? 0 : int8_t(std::clamp(code, -qmax, qmax));
    }
  });
  return result;
}

Floats predict(const Codes &q, const Floats &qNorms, const Codes &k, const Floats &kNorms,
               const Floats *mask, const PredictSettings &settings) {
  const int64_t queries = q.shape[2], keys = k.shape[2], size = q.shape[3];
  Floats result({q.shape[0], q.shape[1], queries, keys});
  forEachRow(result, [&](int64_t b, int64_t h, int64_t i) {
    for (int64_t j = 0; j < keys; ++j) {
      float &score = result(b, h, i, j);
      if (!isVisible(settings.causal, i, j, queries, keys)) {
        score = kMinusInfinity;
        continue;
      }
      int64_t product = 0;
      for (int64_t d = 0; d < size; ++d)
        product += int64_t(q(b, h, i, d)) * k(b, h, j, d);
      score = float(double(product) / settings.qScale / settings.kScale);
      score = score * qNorms(b, h, i, 0) * kNorms(b, h, j, 0) * settings.scale;
      if (mask)
        score += (*mask)(b, h, i, j);
    }
    softmaxRow(&result(b, h, i, 0), keys);
  });
  return result;
}

Mask select(const Floats &probabilities, double threshold, EmptyRow emptyRow) {
  Mask result(probabilities.shape);
  const int64_t keys = probabilities.shape[3];
  forEachRow(probabilities, [&](int64_t b, int64_t h, int64_t i) {
    const float *row = &probabilities(b, h, i, 0);
    bool empty = true;
    for (int64_t j = 0; j < keys; ++j)
      empty &= !(result(b, h, i, j) = row[j] > threshold);
    if (!empty || emptyRow == EmptyRow::Zero)
      return;
    int64_t likeliest = std::max_element(row, row + keys) - row;
    for (int64_t j = 0; j < keys; ++j)
      result(b, h, i, j) = row[j] > 0 && (emptyRow == EmptyRow::Dense || j == likeliest);
  });
  return result;
}

Mask selectAll(llvm::ArrayRef<int64_t> shape, bool causal) {
  Mask result(shape);
  forEachRow(result, [&](int64_t b, int64_t h, int64_t i) {
    for (int64_t j = 0; j < shape[3]; ++j)
      result(b, h, i, j) = isVisible(causal, i, j, shape[2], shape[3]);
  });
  return result;
}

std::vector<int32_t> packSplit(const Mask &mask, PackedType type) {
  PackParameters parameters{type.getStripe(), type.getPes(), type.getRows(),
                            type.getEncoder() == Encoder::ColumnCut};
  std::vector<int32_t> result;
  for (int64_t b = 0; b < mask.shape[0]; ++b) {
    for (int64_t h = 0; h < mask.shape[1]; ++h) {
      auto kept = [&](int64_t i, int64_t j) { return mask(b, h, i, j) != 0; };
      for (const Subrow &subrow :
           sattn::packSplit(mask.shape[2], mask.shape[3], parameters, kept)) {
        for (int64_t field : {b * mask.shape[1] + h, subrow.stripe, subrow.block, subrow.query})
          result.push_back(int32_t(field));
        result.insert(result.end(), subrow.columns.begin(), subrow.columns.end());
        result.insert(result.end(), parameters.pes - subrow.columns.size(), -1);
      }
    }
  }
  return result;
}

Mask unpack(llvm::ArrayRef<int32_t> subrows, PackedType type) {
  Mask result(type.getShape());
  const int64_t heads = type.getShape()[1];
  for (; !subrows.empty(); subrows = subrows.drop_front(4 + type.getPes()))
    for (int32_t column : subrows.slice(4, type.getPes()))
      if (column >= 0)
        result(subrows[0] / heads, subrows[0] % heads, subrows[3],
               subrows[1] * type.getStripe() + column) = 1;
  return result;
}

Floats attention(const Floats &q, const Floats &k, const Floats &v, const Mask &selection,
                 const Floats *mask, float scale) {
  const int64_t keys = k.shape[2], size = v.shape[3];
  Floats result({q.shape[0], q.shape[1], q.shape[2], size});
  forEachRow(result, [&](int64_t b, int64_t h, int64_t i) {
    std::vector<float> scores(keys, kMinusInfinity);
    for (int64_t j = 0; j < keys; ++j)
      if (selection(b, h, i, j))
        scores[j] = scale * dot(&q(b, h, i, 0), &k(b, h, j, 0), q.shape[3]) +
                    (mask ? (*mask)(b, h, i, j) : 0);
    const float largest = *std::max_element(scores.begin(), scores.end());
    if (largest == kMinusInfinity)
      return;
    double rowSum = 0;
    std::vector<double> sums(size, 0.0);
    for (int64_t j = 0; j < keys; ++j) {
      if (!selection(b, h, i, j))
        continue; // not even looked at: it may be no number
      const double weight = std::exp(double(scores[j]) - largest);
      rowSum += weight;
      for (int64_t d = 0; d < size; ++d)
        sums[d] += weight * v(b, h, j, d);
    }
    for (int64_t d = 0; d < size; ++d)
      result(b, h, i, d) = float(sums[d] / rowSum);
  });
  return result;
}

Floats cacheAppend(Floats cache, const Floats &tokens, int64_t length) {
  forEachRow(tokens, [&](int64_t b, int64_t h, int64_t i) {
    std::copy_n(&tokens(b, h, i, 0), tokens.shape[3], &cache(b, h, length + i, 0));
  });
  return cache;
}

void hideInvalid(Mask &selection, int64_t valid, bool causal) {
  const int64_t queries = selection.shape[2];
  forEachRow(selection, [&](int64_t b, int64_t h, int64_t i) {
    for (int64_t j = 0; j < selection.shape[3]; ++j)
      if (j >= valid || !isVisible(causal, i, j, queries, valid))
        selection(b, h, i, j) = 0;
  });
}

Floats sddmm(const Floats &q, const Floats &k, const Mask &selection, const Floats *mask,
             float scale) {
  Floats result(selection.shape);
  forEachRow(result, [&](int64_t b, int64_t h, int64_t i) {
    for (int64_t j = 0; j < result.shape[3]; ++j) {
      if (!selection(b, h, i, j))
        continue;
      result(b, h, i, j) = scale * dot(&q(b, h, i, 0), &k(b, h, j, 0), q.shape[3]);
      if (mask)
        result(b, h, i, j) += (*mask)(b, h, i, j);
    }
  });
  return result;
}

Floats softmax(const Floats &scores, const Mask &selection) {
  Floats result(scores.shape);
  forEachRow(result, [&](int64_t b, int64_t h, int64_t i) {
    for (int64_t j = 0; j < result.shape[3]; ++j)
      result(b, h, i, j) = selection(b, h, i, j) ? scores(b, h, i, j) : kMinusInfinity;
    softmaxRow(&result(b, h, i, 0), result.shape[3]);
  });
  return result;
}

Floats spmm(const Floats &probabilities, const Floats &v, const Mask &selection) {
  Floats result({v.shape[0], v.shape[1], probabilities.shape[2], v.shape[3]});
  forEachRow(result, [&](int64_t b, int64_t h, int64_t i) {
    for (int64_t d = 0; d < v.shape[3]; ++d) {
      double sum = 0;
      for (int64_t j = 0; j < v.shape[2]; ++j)
        if (selection(b, h, i, j))
          sum += double(probabilities(b, h, i, j)) * v(b, h, j, d);
      result(b, h, i, d) = float(sum);
    }
  });
  return result;
}

static float activate(float x, Activation activation) {
  switch (activation) {
  case Activation::None:
    return x;
  case Activation::Relu:
    return std::max(x, 0.0f);
  case Activation::Gelu:
    return float(0.5 * x * (1 + std::erf(x / std::sqrt(2.0))));
  case Activation::GeluTanh:
    return float(0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))));
  case Activation::Tanh:
    return std::tanh(x);
  }
  return x;
}

Floats linear(const Floats &x, const Floats &weight, const Floats *bias, const Floats *residual,
              Activation activation, bool transposeWeight) {
  const int64_t columns = weight.shape[transposeWeight ? 2 : 3];
  Floats result({x.shape[0], x.shape[1], x.shape[2], columns});
  forEachRow(result, [&](int64_t b, int64_t h, int64_t i) {
    for (int64_t n = 0; n < columns; ++n) {
      double sum = bias ? (*bias)(0, 0, 0, n) : 0;
      for (int64_t k = 0; k < x.shape[3]; ++k)
        sum += double(x(b, h, i, k)) * (transposeWeight ? weight(0, 0, n, k) : weight(0, 0, k, n));
      result(b, h, i, n) =
          activate(float(sum), activation) + (residual ? (*residual)(b, h, i, n) : 0);
    }
  });
  return result;
}

} // namespace sparsam::sattn::semantics
