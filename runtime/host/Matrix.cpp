// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Matrix.cpp - matrix products, linear layers and attention ----------===//

#include "runtime/host/Call.h"
#include "runtime/host/Linear.h"
#include "runtime/host/Vector.h"
#include "runtime/support/Parallel.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <tuple>

namespace sparsam::runtime::host {

namespace {

/// A linear layer with operands x, weight, bias and residual at the given places (-1: none).
Made makeLinearKernel(const Call &call, LinearShape shape, int bias, int residual) {
  shape.hasBias = bias >= 0;
  shape.hasResidual = residual >= 0;
  auto linear = Linear::create(shape, call.inputs[1].as<float>());
  if (!linear)
    return call.error(linear.error().message);
  double flops = 2.0 * double(shape.rows) * double(shape.depth) * double(shape.width);
  return makeKernel(flops, [linear = std::shared_ptr<Linear>(linear.take()), bias,
                            residual](const auto &inputs, const auto &outputs) {
    auto at = [&](int i) { return i < 0 ? nullptr : inputs[size_t(i)].template as<float>(); };
    linear->run(at(0), at(1), at(bias), at(residual), outputs[0].template as<float>());
    return Status();
  });
}

//===-- sattn.linear -------------------------------------------------------===//

Made makeLinear(const Call &call) {
  if (Status status = call.expectOperands(2); !status)
    return status.error();
  if (Status status = call.expectFloats(); !status)
    return status.error();
  const Shape &x = call.inputs[0].shape, &w = call.inputs[1].shape;
  if (x.empty() || w.size() != 2)
    return call.error("expects x of at least one dimension and a weight of two, got ", toString(x),
                      " and ", toString(w));
  LinearShape shape;
  shape.transposed = call.integer("transpose_weight", 0) != 0;
  shape.depth = x.back();
  shape.width = w[shape.transposed ? 0 : 1];
  shape.rows = product(x, 0, x.size() - 1);
  if (w[shape.transposed ? 1 : 0] != shape.depth)
    return call.error("cannot multiply x of shape ", toString(x), " by a weight of shape ",
                      toString(w));
  Shape expected = x;
  expected.back() = shape.width;
  if (Status status = call.expectShape(call.outputs[0], "a result", expected); !status)
    return status.error();
  const bool hasBias = call.hasInput(2), hasResidual = call.hasInput(3);
  if (hasBias && call.inputs[2].shape != Shape{shape.width})
    return call.error("expects a bias of ", shape.width, " elements, got shape ",
                      toString(call.inputs[2].shape));
  if (hasResidual)
    if (Status status = call.expectShape(call.inputs[3], "a residual", expected); !status)
      return status.error();
  std::string name = call.text("activation", "none");
  const std::map<std::string, Activation> activations = {{"none", Activation::none},
                                                         {"gelu", Activation::gelu},
                                                         {"gelu_tanh", Activation::geluTanh},
                                                         {"relu", Activation::relu},
                                                         {"tanh", Activation::tanh}};
  auto activation = activations.find(name);
  if (activation == activations.end())
    return call.error("there is no activation '", name, "'");
  shape.activation = activation->second;
  return makeLinearKernel(call, shape, hasBias ? 2 : -1, hasResidual ? 3 : -1);
}

//===-- MatMul, Gemm -------------------------------------------------------===//

/// Rows of a product that one index of a parallel loop computes.
constexpr int64_t kRows = 64;

/// Offsets of the matrices of a batched operand under the result's batch dimensions.
Result<std::vector<int64_t>> matrixOffsets(const Call &call, const Shape &in, const Shape &batch) {
  const size_t rank = in.size() - 2;
  std::vector<int64_t> strides(batch.size(), 0);
  int64_t stride = in[rank] * in[rank + 1];
  for (size_t i = rank; i-- > 0;) {
    size_t d = batch.size() - rank + i;
    if (rank > batch.size() || (in[i] != 1 && in[i] != batch[d]))
      return call.error("operand of shape ", toString(in), " does not broadcast to batch ",
                        toString(batch));
    strides[d] = in[i] == 1 ? 0 : stride;
    stride *= in[i];
  }
  std::vector<int64_t> offsets;
  if (call.outputs[0].elements() == 0)
    return offsets; // the batch may be huge
  for (int64_t b = 0; b < product(batch, 0, batch.size()); ++b) {
    int64_t offset = 0, rest = b;
    for (size_t d = batch.size(); d-- > 0; rest /= batch[d])
      offset += rest % batch[d] * strides[d];
    offsets.push_back(offset);
  }
  return offsets;
}

/// Shapes of a product as matrices: a vector is a row on the left and a column on the right, and
/// its dimension is not in the result.
struct ProductShape {
  Shape a, b, y;
  int64_t rows() const { return a[a.size() - 2]; }
  int64_t depth() const { return a.back(); }
  int64_t width() const { return b.back(); }
};

Result<ProductShape> productShape(const Call &call) {
  ProductShape s{call.inputs[0].shape, call.inputs[1].shape, call.outputs[0].shape};
  if (s.a.empty() || s.b.empty())
    return call.error("expects operands of at least one dimension");
  if (s.b.size() == 1) {
    s.b.push_back(1);
    s.y.push_back(1);
  }
  if (s.a.size() == 1) {
    s.a.insert(s.a.begin(), 1);
    s.y.insert(s.y.end() - 1, 1);
  }
  if (s.b[s.b.size() - 2] != s.depth() || s.y.size() < 2 || s.y[s.y.size() - 2] != s.rows() ||
      s.y.back() != s.width())
    return call.error("cannot multiply ", toString(call.inputs[0].shape), " by ",
                      toString(call.inputs[1].shape), " into ", toString(call.outputs[0].shape));
  return s;
}

Made makeMatMul(const Call &call) {
  if (Status status = call.expectOperands(2); !status)
    return status.error();
  if (Status status = call.expectFloats(); !status)
    return status.error();
  auto shape = productShape(call);
  if (!shape)
    return shape.error();
  const int64_t m = shape->rows(), k = shape->depth(), n = shape->width();
  Shape batch(shape->y.begin(), shape->y.end() - 2);
  if (shape->b.size() == 2 && call.inputs[1].data &&
      product(shape->a, 0, shape->a.size() - 2) == product(batch, 0, batch.size()))
    return makeLinearKernel(call, {product(batch, 0, batch.size()) * m, k, n}, -1, -1);
  auto fromA = matrixOffsets(call, shape->a, batch), fromB = matrixOffsets(call, shape->b, batch);
  if (!fromA || !fromB)
    return fromA ? fromB.error() : fromA.error();
  const int64_t tiles = (m + kRows - 1) / kRows;
  return makeKernel(
      2.0 * double(fromA->size()) * double(m) * double(n) * double(k),
      [=, fromA = fromA.take(), fromB = fromB.take()](const auto &inputs, const auto &outputs) {
        parallelFor(int64_t(fromA.size()) * tiles, [&](int64_t task) {
          const size_t i = size_t(task / tiles);
          const int64_t row = task % tiles * kRows;
          multiply(false, false, std::min(kRows, m - row), n, k, 1.0f,
                   inputs[0].template as<float>() + fromA[i] + row * k, k,
                   inputs[1].template as<float>() + fromB[i], n, 0.0f,
                   outputs[0].template as<float>() + (int64_t(i) * m + row) * n, n);
        });
        return Status();
      });
}

Made makeGemm(const Call &call) {
  if (Status status = call.expectOperands(2); !status)
    return status.error();
  if (Status status = call.expectFloats(); !status)
    return status.error();
  const Shape &a = call.inputs[0].shape, &b = call.inputs[1].shape;
  const bool transA = call.integer("transA", 0) != 0, transB = call.integer("transB", 0) != 0;
  if (a.size() != 2 || b.size() != 2 || a[transA ? 0 : 1] != b[transB ? 1 : 0])
    return call.error("cannot multiply ", toString(a), " by ", toString(b));
  const int64_t m = a[transA ? 1 : 0], k = a[transA ? 0 : 1], n = b[transB ? 0 : 1];
  if (Status status = call.expectShape(call.outputs[0], "a result", {m, n}); !status)
    return status.error();
  const float alpha = float(call.real("alpha", 1)), beta = float(call.real("beta", 1));
  const bool hasC = call.hasInput(2) && beta != 0;
  const Shape c = hasC ? call.inputs[2].shape : Shape();
  if (!transA && alpha == 1 && (!hasC || (beta == 1 && c == Shape{n})))
    return makeLinearKernel(call, {m, k, n, transB}, hasC ? 2 : -1, -1);
  if (c.size() > 2 || (c.size() >= 1 && c.back() != 1 && c.back() != n) ||
      (c.size() == 2 && c[0] != 1 && c[0] != m))
    return call.error("cannot add C of shape ", toString(c), " to a product of shape ", m, "x", n);
  const int64_t colStep = c.empty() || c.back() == 1 ? 0 : 1;
  const int64_t rowStep = c.size() < 2 || c[0] == 1 ? 0 : c.back();
  return makeKernel(
      2.0 * double(m) * double(n) * double(k), [=](const auto &inputs, const auto &outputs) {
        parallelFor((m + kRows - 1) / kRows, [&](int64_t task) {
          const int64_t row = task * kRows, rows = std::min(kRows, m - row);
          float *y = outputs[0].template as<float>() + row * n;
          const float *add = hasC ? inputs[2].template as<float>() : nullptr;
          for (int64_t r = 0; add && r < rows; ++r)
            for (int64_t j = 0; j < n; ++j)
              y[r * n + j] = beta * add[(row + r) * rowStep + j * colStep];
          multiply(transA, transB, rows, n, k, alpha,
                   inputs[0].template as<float>() + row * (transA ? 1 : k), transA ? m : k,
                   inputs[1].template as<float>(), transB ? k : n, add ? 1.0f : 0.0f, y, n);
        });
        return Status();
      });
}

//===-- sattn.attention ----------------------------------------------------===//

struct AttentionShape {
  int64_t batch, heads, queries, keys, dim, valueDim;
  Shape mask; ///< empty: none
  float scale;
  bool causal;
  bool hasTokenScores, hasHeadScores;
  size_t headScores() const { return hasTokenScores ? 2 : 1; } ///< result
};

/// Probabilities of `rows` queries from `row` on, in place of their scores.
void softmaxRows(const AttentionShape &s, const float *mask, int64_t head, int64_t row,
                 int64_t rows, float *scores) {
  const float minusInfinity = -std::numeric_limits<float>::infinity();
  const int64_t b = head / s.heads, h = head % s.heads;
  for (int64_t r = 0; r < rows; ++r) {
    float *x = scores + r * s.keys;
    const int64_t query = row + r;
    if (mask) {
      const int64_t mh = s.mask[1] == 1 ? 0 : h, mb = s.mask[0] == 1 ? 0 : b;
      const int64_t mq = s.mask[2] == 1 ? 0 : query;
      const float *line = mask + ((mb * s.mask[1] + mh) * s.mask[2] + mq) * s.mask[3];
      for (int64_t j = 0; j < s.keys; ++j)
        x[j] += line[s.mask[3] == 1 ? 0 : j];
    }
    for (int64_t j = std::max<int64_t>(0, query + s.keys - s.queries + 1); s.causal && j < s.keys;
         ++j)
      x[j] = minusInfinity;
    softmaxRow(x, s.keys, true, x);
  }
}

/// Scores come in and go out with the shape of tokens and of heads.
Status checkScores(const Call &call, const AttentionShape &s) {
  if (call.outputs.size() != 1 + size_t(s.hasTokenScores) + size_t(s.hasHeadScores))
    return call.error("expects a result for the output and for each kind of scores, got ",
                      call.outputs.size());
  const Shape tokens = {s.batch, s.keys}, heads = {s.batch, s.heads};
  for (auto [isThere, input, output, shape] :
       {std::tuple(s.hasTokenScores, size_t(4), size_t(1), &tokens),
        std::tuple(s.hasHeadScores, size_t(5), s.headScores(), &heads)}) {
    if (!isThere)
      continue;
    if (Status status = call.expectShape(call.inputs[input], "scores", *shape); !status)
      return status;
    if (Status status = call.expectShape(call.outputs[output], "new scores", *shape); !status)
      return status;
  }
  return Status();
}

/// Column sums of `rows` rows of probabilities.
void sumColumns(const float *probabilities, int64_t rows, int64_t keys, double *sums) {
  std::fill_n(sums, keys, 0.0);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t j = 0; j < keys; ++j)
      sums[j] += probabilities[r * keys + j];
}

/// Adds the sums of all tiles of a batch entry's heads, in order.
void addTokenScores(const AttentionShape &s, int64_t tiles, const std::vector<double> &sums,
                    const float *before, float *after) {
  parallelFor(s.batch, [&](int64_t b) {
    for (int64_t j = 0; j < s.keys; ++j) {
      double sum = before[b * s.keys + j];
      for (int64_t task = b * s.heads * tiles; task < (b + 1) * s.heads * tiles; ++task)
        sum += sums[size_t(task * s.keys + j)];
      after[b * s.keys + j] = float(sum);
    }
  });
}

/// Adds the magnitudes of each head's output.
void addHeadScores(const AttentionShape &s, const float *output, const float *before,
                   float *after) {
  const int64_t size = s.queries * s.valueDim;
  parallelFor(s.batch * s.heads, [&](int64_t head) {
    double sum = before[head];
    for (int64_t i = 0; i < size; ++i)
      sum += std::abs(output[head * size + i]);
    after[head] = float(sum);
  });
}

Result<AttentionShape> attentionShape(const Call &call) {
  if (Status status = call.expectOperands(3); !status)
    return status.error();
  if (Status status = call.expectFloats(); !status)
    return status.error();
  const Shape &q = call.inputs[0].shape, &k = call.inputs[1].shape, &v = call.inputs[2].shape;
  if (q.size() != 4 || k.size() != 4 || v.size() != 4 || k[0] != q[0] || k[1] != q[1] ||
      k[3] != q[3] || v[0] != q[0] || v[1] != q[1] || v[2] != k[2] || k[2] == 0)
    return call.error("cannot attend from ", toString(q), " to ", toString(k), " and ",
                      toString(v));
  AttentionShape s{q[0],
                   q[1],
                   q[2],
                   k[2],
                   q[3],
                   v[3],
                   {},
                   float(call.real("scale", 1)),
                   call.integer("causal", 0) != 0,
                   call.hasInput(4),
                   call.hasInput(5)};
  if (std::string policy = call.text("policy", "dense"); policy != "dense")
    return call.error("attends to every pair on the host; policy '", policy, "' needs a target");
  if (Status status =
          call.expectShape(call.outputs[0], "a result", {s.batch, s.heads, s.queries, s.valueDim});
      !status)
    return status.error();
  if (call.hasInput(3)) {
    s.mask = call.inputs[3].shape;
    const Shape full = {s.batch, s.heads, s.queries, s.keys};
    for (size_t d = 0; d < 4; ++d)
      if (s.mask.size() != 4 || (s.mask[d] != 1 && s.mask[d] != full[d]))
        return call.error("a mask of shape ", toString(s.mask), " does not broadcast to ",
                          toString(full));
  }
  if (Status status = checkScores(call, s); !status)
    return status.error();
  return s;
}

Made makeAttention(const Call &call) {
  auto checked = attentionShape(call);
  if (!checked)
    return checked.error();
  const AttentionShape s = checked.take();
  const int64_t heads = s.batch * s.heads, tiles = (s.queries + kRows - 1) / kRows;
  const double pairs = double(heads) * double(s.queries) * double(s.keys);
  return makeKernel(pairs * double(2 * s.dim + 2 * s.valueDim + 5), [=](const auto &inputs,
                                                                        const auto &outputs) {
    const float *mask = s.mask.empty() ? nullptr : inputs[3].template as<float>();
    std::vector<double> sums(s.hasTokenScores ? size_t(heads * tiles * s.keys) : 0);
    parallelFor(heads * tiles, [&](int64_t task) {
      const int64_t head = task / tiles, row = task % tiles * kRows;
      const int64_t rows = std::min(kRows, s.queries - row);
      thread_local std::vector<float> scores;
      scores.resize(size_t(rows * s.keys));
      multiply(false, true, rows, s.keys, s.dim, s.scale,
               inputs[0].template as<float>() + (head * s.queries + row) * s.dim, s.dim,
               inputs[1].template as<float>() + head * s.keys * s.dim, s.dim, 0.0f, scores.data(),
               s.keys);
      softmaxRows(s, mask, head, row, rows, scores.data());
      if (s.hasTokenScores)
        sumColumns(scores.data(), rows, s.keys, &sums[size_t(task * s.keys)]);
      multiply(false, false, rows, s.valueDim, s.keys, 1.0f, scores.data(), s.keys,
               inputs[2].template as<float>() + head * s.keys * s.valueDim, s.valueDim, 0.0f,
               outputs[0].template as<float>() + (head * s.queries + row) * s.valueDim, s.valueDim);
    });
    if (s.hasTokenScores)
      addTokenScores(s, tiles, sums, inputs[4].template as<float>(),
                     outputs[1].template as<float>());
    if (s.hasHeadScores)
      addHeadScores(s, outputs[0].template as<float>(), inputs[5].template as<float>(),
                    outputs[s.headScores()].template as<float>());
    return Status();
  });
}

} // namespace

void addMatrix(Table &table) {
  table["onnx.MatMul"] = makeMatMul;
  table["onnx.Gemm"] = makeGemm;
  table["sattn.linear"] = makeLinear;
  table["sattn.attention"] = makeAttention;
}

} // namespace sparsam::runtime::host
