// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Tokens.cpp - rank tokens, keep some, put results back --------------===//

#include "runtime/host/Call.h"
#include "runtime/support/Parallel.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace sparsam::runtime::host {

namespace {

//===-- top_k --------------------------------------------------------------===//

/// The k largest of `n` scores, protected positions first of all; ascending. Equal scores count in
/// their order, NaN ranks below everything.
void topK(const float *scores, int64_t n, int64_t k, const std::vector<bool> &isProtected,
          int64_t *indices) {
  auto rank = [scores](int64_t i) {
    return std::isnan(scores[i]) ? -std::numeric_limits<float>::infinity() : scores[i];
  };
  std::vector<int64_t> order(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i)
    order[size_t(i)] = i;
  auto precedes = [&](int64_t a, int64_t b) {
    bool first = isProtected[size_t(a)], second = isProtected[size_t(b)];
    if (first != second)
      return first;
    return rank(a) != rank(b) ? rank(a) > rank(b) : a < b;
  };
  std::nth_element(order.begin(), order.begin() + (k - 1), order.end(), precedes);
  std::sort(order.begin(), order.begin() + k);
  std::copy_n(order.begin(), k, indices);
}

Made makeTopK(const Call &call) {
  if (Status status = call.expectOperands(1); !status)
    return status.error();
  if (Status status = call.expectType(call.inputs[0], "scores", DType::f32); !status)
    return status.error();
  if (Status status = call.expectType(call.outputs[0], "a result", DType::i64); !status)
    return status.error();
  const Shape &scores = call.inputs[0].shape;
  const int64_t k = call.integer("k", 0);
  if (scores.size() != 2 || k < 1 || k > scores[1])
    return call.error("cannot keep ", k, " scores per row of ", toString(scores));
  const int64_t n = scores[1];
  if (Status status = call.expectShape(call.outputs[0], "a result", {scores[0], k}); !status)
    return status.error();
  std::vector<bool> isProtected(static_cast<size_t>(n), false);
  for (int64_t position : call.integers("protect")) {
    if (position < -n || position >= n)
      return call.error("protects position ", position, " of ", n);
    isProtected[size_t(position < 0 ? position + n : position)] = true;
  }
  return makeKernel(0, [=, rows = scores[0]](const auto &inputs, const auto &outputs) {
    parallelFor(rows, [&](int64_t row) {
      topK(inputs[0].template as<float>() + row * n, n, k, isProtected,
           outputs[0].template as<int64_t>() + row * k);
    });
    return Status();
  });
}

//===-- gather, scatter ----------------------------------------------------===//

/// Kept positions of dimension `dim`: `outer` rows of `size` positions, of which `kept` remain.
struct KeptRows {
  int64_t batch, outer, size, kept, rowBytes;
  bool isShared; ///< one whole serves all batch entries
};

Result<KeptRows> keptRows(const Call &call, const TensorView &wide, const TensorView &narrow) {
  const TensorView &indices = call.inputs[1];
  if (Status status = call.expectType(indices, "indices", DType::i64); !status)
    return status.error();
  if (Status status = call.expectType(narrow, "kept positions", wide.dtype); !status)
    return status.error();
  const size_t rank = wide.shape.size(), dim = size_t(call.integer("dim", 0));
  if (indices.shape.size() != 2 || dim >= rank || narrow.shape.size() != rank ||
      (dim == 0 && indices.shape[0] != 1))
    return call.error("cannot keep ", toString(indices.shape), " positions of dimension ", dim,
                      " of ", toString(wide.shape));
  Shape expected = wide.shape;
  expected[dim] = indices.shape[1];
  const bool isShared = dim > 0 && wide.shape[0] == 1;
  if (isShared)
    expected[0] = indices.shape[0];
  if (dim > 0 && expected[0] != indices.shape[0])
    return call.error("expects indices for ", expected[0], " batch entries, got ",
                      toString(indices.shape));
  if (Status status = call.expectShape(narrow, "kept positions", expected); !status)
    return status.error();
  return KeptRows{indices.shape[0],
                  dim > 0 ? product(wide.shape, 1, dim) : 1,
                  wide.shape[dim],
                  indices.shape[1],
                  product(wide.shape, dim + 1, rank) * byteWidth(wide.dtype),
                  isShared};
}

/// Copies the kept positions between the whole tensor and the narrow one.
Status copyKept(const std::string &op, const KeptRows &rows, const int64_t *indices, char *wide,
                char *narrow, bool gathers) {
  for (int64_t i = 0; i < rows.batch * rows.kept; ++i)
    if (indices[i] < 0 || indices[i] >= rows.size)
      return makeError("op '", op, "': index ", indices[i], " is out of range for ", rows.size,
                       " positions");
  parallelFor(rows.batch * rows.outer, [&](int64_t task) {
    const int64_t entry = task / rows.outer, row = task % rows.outer;
    char *from =
        wide + ((rows.isShared ? 0 : entry) * rows.outer + row) * rows.size * rows.rowBytes;
    char *to = narrow + task * rows.kept * rows.rowBytes;
    for (int64_t j = 0; j < rows.kept; ++j) {
      char *whole = from + indices[entry * rows.kept + j] * rows.rowBytes;
      char *part = to + j * rows.rowBytes;
      std::memcpy(gathers ? part : whole, gathers ? whole : part, size_t(rows.rowBytes));
    }
  });
  return Status();
}

Made makeGather(const Call &call) {
  if (Status status = call.expectOperands(2); !status)
    return status.error();
  auto rows = keptRows(call, call.inputs[0], call.outputs[0]);
  if (!rows)
    return rows.error();
  return makeKernel(0, [rows = rows.take(), op = call.op](const auto &inputs, const auto &outputs) {
    return copyKept(op, rows, inputs[1].template as<int64_t>(), inputs[0].template as<char>(),
                    outputs[0].template as<char>(), true);
  });
}

Made makeScatter(const Call &call) {
  if (Status status = call.expectOperands(2); !status)
    return status.error();
  auto rows = keptRows(call, call.outputs[0], call.inputs[0]);
  if (!rows)
    return rows.error();
  if (rows->isShared && rows->batch > 1)
    return call.error("cannot scatter ", rows->batch, " batch entries into one");
  return makeKernel(0, [rows = rows.take(), op = call.op](const auto &inputs, const auto &outputs) {
    std::memset(outputs[0].data, 0, outputs[0].bytes());
    return copyKept(op, rows, inputs[1].template as<int64_t>(), outputs[0].template as<char>(),
                    inputs[0].template as<char>(), false);
  });
}

} // namespace

void addTokens(Table &table) {
  table["sattn.top_k"] = makeTopK;
  table["sattn.gather"] = makeGather;
  table["sattn.scatter"] = makeScatter;
}

} // namespace sparsam::runtime::host
