// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Matrix.cpp - matrix products, linear layers ------------------------===//

#include "runtime/host/Call.h"
#include "runtime/host/Linear.h"
#include "runtime/support/Parallel.h"

#include <algorithm>
#include <memory>

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

} // namespace

void addMatrix(Table &table) {
  table["onnx.MatMul"] = makeMatMul;
  table["onnx.Gemm"] = makeGemm;
  table["sattn.linear"] = makeLinear;
}

} // namespace sparsam::runtime::host
