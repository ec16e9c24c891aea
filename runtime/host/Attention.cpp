// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Attention.cpp - attention and its caches ---------------------------===//

#include "runtime/host/Call.h"
#include "runtime/host/Gemv.h"
#include "runtime/host/Linear.h"
#include "runtime/host/Vector.h"
#include "runtime/support/Parallel.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <limits>
#include <tuple>

namespace sparsam::runtime::host {

namespace {

/// Queries of a head that one index of a parallel loop computes.
constexpr int64_t kRows = 64;
/// Up to this many queries read K and V once per query: there is nothing to gain from a product of
/// matrices.
constexpr int64_t kFewQueries = 4;

//===-- sattn.attention ----------------------------------------------------===//

/// Operands behind query, key and value.
constexpr size_t kMask = 3, kTokenScores = 4, kHeadScores = 5, kValid = 6;

struct AttentionShape {
  int64_t batch, heads, queries, capacity, dim, valueDim;
  Shape mask; ///< empty: none
  float scale;
  bool causal;
  bool hasTokenScores, hasHeadScores;
  int64_t keys; ///< of the capacity, those that are there
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

Status checkMask(const Call &call, const AttentionShape &s) {
  const Shape full = {s.batch, s.heads, s.queries, s.capacity};
  for (size_t d = 0; d < 4; ++d)
    if (s.mask.size() != 4 || (s.mask[d] != 1 && s.mask[d] != full[d]))
      return call.error("a mask of shape ", toString(s.mask), " does not broadcast to ",
                        toString(full));
  return Status();
}

/// Scores come in and go out with the shape of tokens and of heads.
Status checkScores(const Call &call, const AttentionShape &s) {
  if (call.outputs.size() != 1 + size_t(s.hasTokenScores) + size_t(s.hasHeadScores))
    return call.error("expects a result for the output and for each kind of scores, got ",
                      call.outputs.size());
  const Shape tokens = {s.batch, s.capacity}, heads = {s.batch, s.heads};
  for (auto [isThere, input, output, shape] :
       {std::tuple(s.hasTokenScores, kTokenScores, size_t(1), &tokens),
        std::tuple(s.hasHeadScores, kHeadScores, s.headScores(), &heads)}) {
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

/// Adds the sums of all tiles of a batch entry's heads, in order; keys that are not there stay.
void addTokenScores(const AttentionShape &s, int64_t tiles, const std::vector<double> &sums,
                    const float *before, float *after) {
  parallelFor(s.batch, [&](int64_t b) {
    std::copy_n(before + b * s.capacity, s.capacity, after + b * s.capacity);
    for (int64_t j = 0; j < s.keys; ++j) {
      double sum = before[b * s.capacity + j];
      for (int64_t task = b * s.heads * tiles; task < (b + 1) * s.heads * tiles; ++task)
        sum += sums[size_t(task * s.keys + j)];
      after[b * s.capacity + j] = float(sum);
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

Status checkTypes(const Call &call) {
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    if (i == kValid && call.hasInput(i)) {
      if (call.inputs[i].dtype != DType::i64 || call.inputs[i].elements() != 1)
        return call.error("expects the number of valid keys as one int64");
    } else if (call.hasInput(i)) {
      if (Status status = call.expectType(call.inputs[i], "operands", DType::f32); !status)
        return status;
    }
  }
  return call.expectType(call.outputs[0], "a result", DType::f32);
}

Result<AttentionShape> attentionShape(const Call &call) {
  if (Status status = call.expectOperands(3); !status)
    return status.error();
  if (Status status = checkTypes(call); !status)
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
                   call.hasInput(kTokenScores),
                   call.hasInput(kHeadScores),
                   k[2]};
  if (std::string policy = call.text("policy", "dense"); policy != "dense")
    return call.error("attends to every pair on the host; policy '", policy, "' needs a target");
  if (Status status =
          call.expectShape(call.outputs[0], "a result", {s.batch, s.heads, s.queries, s.valueDim});
      !status)
    return status.error();
  if (call.hasInput(kMask))
    s.mask = call.inputs[kMask].shape;
  if (Status status = call.hasInput(kMask) ? checkMask(call, s) : Status(); !status)
    return status.error();
  if (Status status = checkScores(call, s); !status)
    return status.error();
  return s;
}

/// Of one tile of queries of one head.
struct Tile {
  const float *query, *key, *value;
  float *output;
  int64_t rows;
};

/// scores = scale * Q K^T, rows of `keys`.
void scoreTile(const AttentionShape &s, const Tile &tile, float *scores) {
  if (tile.rows > kFewQueries)
    return multiply(false, true, tile.rows, s.keys, s.dim, s.scale, tile.query, s.dim, tile.key,
                    s.dim, 0.0f, scores, s.keys);
  for (int64_t r = 0; r < tile.rows; ++r) {
    float *line = scores + r * s.keys;
    dotRows(tile.query + r * s.dim, tile.key, s.keys, s.dim, line);
    for (int64_t j = 0; j < s.keys; ++j)
      line[j] *= s.scale;
  }
}

/// output = probabilities V.
void mixTile(const AttentionShape &s, const Tile &tile, const float *probabilities) {
  if (tile.rows > kFewQueries)
    return multiply(false, false, tile.rows, s.valueDim, s.keys, 1.0f, probabilities, s.keys,
                    tile.value, s.valueDim, 0.0f, tile.output, s.valueDim);
  for (int64_t r = 0; r < tile.rows; ++r) {
    float *line = tile.output + r * s.valueDim;
    std::fill(line, line + s.valueDim, 0.0f);
    addRows(probabilities + r * s.keys, tile.value, s.keys, s.valueDim, s.valueDim, line);
  }
}

class AttentionKernel : public HostKernel {
public:
  explicit AttentionKernel(AttentionShape shape) : shape_(std::move(shape)) {}

  Status run(const std::vector<TensorView> &inputs,
             const std::vector<TensorView> &outputs) override {
    if (inputs.size() > kValid && inputs[kValid].data) {
      shape_.keys = *inputs[kValid].as<int64_t>();
      if (shape_.keys < 1 || shape_.keys > shape_.capacity)
        return makeError("op 'sattn.attention': ", shape_.keys, " keys cannot be valid of ",
                         shape_.capacity);
    }
    try {
      attend(inputs, outputs);
    } catch (const std::exception &error) { // out of memory, or what oneDNN reports
      return makeError(error.what());
    }
    return Status();
  }

  double flops() const override {
    return pairs() * double(2 * shape_.dim + 2 * shape_.valueDim + 5);
  }
  double bytes() const override {
    const AttentionShape &s = shape_;
    const int64_t tokens = s.queries + s.keys;
    const double mask = s.mask.empty() ? 0 : double(elementCount(s.mask));
    return sizeof(float) *
           (double(s.batch * s.heads) * double(tokens) * double(s.dim + s.valueDim) + mask);
  }

private:
  double pairs() const {
    return double(shape_.batch * shape_.heads) * double(shape_.queries) * double(shape_.keys);
  }

  void attend(const std::vector<TensorView> &inputs, const std::vector<TensorView> &outputs) const {
    const AttentionShape &s = shape_;
    float *output = outputs[0].as<float>();
    const float *mask = s.mask.empty() ? nullptr : inputs[kMask].as<float>();
    const int64_t tiles = (s.queries + kRows - 1) / kRows;
    std::vector<double> sums(s.hasTokenScores ? size_t(s.batch * s.heads * tiles * s.keys) : 0);
    parallelFor(s.batch * s.heads * tiles, [&](int64_t task) {
      const int64_t head = task / tiles, row = task % tiles * kRows;
      const int64_t from = head * s.queries + row;
      const Tile tile{inputs[0].as<float>() + from * s.dim,
                      inputs[1].as<float>() + head * s.capacity * s.dim,
                      inputs[2].as<float>() + head * s.capacity * s.valueDim,
                      output + from * s.valueDim, std::min(kRows, s.queries - row)};
      thread_local std::vector<float> scores;
      scores.resize(size_t(tile.rows * s.keys));
      scoreTile(s, tile, scores.data());
      softmaxRows(s, mask, head, row, tile.rows, scores.data());
      if (s.hasTokenScores)
        sumColumns(scores.data(), tile.rows, s.keys, &sums[size_t(task * s.keys)]);
      mixTile(s, tile, scores.data());
    });
    if (s.hasTokenScores)
      addTokenScores(s, tiles, sums, inputs[kTokenScores].as<float>(), outputs[1].as<float>());
    if (s.hasHeadScores)
      addHeadScores(s, output, inputs[kHeadScores].as<float>(),
                    outputs[s.headScores()].as<float>());
  }

  AttentionShape shape_;
};

Made makeAttention(const Call &call) {
  auto shape = attentionShape(call);
  if (!shape)
    return shape.error();
  return std::unique_ptr<HostKernel>(std::make_unique<AttentionKernel>(shape.take()));
}

//===-- sattn.cache_append -------------------------------------------------===//

struct AppendShape {
  int64_t heads, capacity, tokens; ///< heads of all batch entries
  int64_t tokenBytes;
};

class AppendKernel : public HostKernel {
public:
  explicit AppendKernel(AppendShape shape) : shape_(shape) {}

  Status run(const std::vector<TensorView> &inputs,
             const std::vector<TensorView> &outputs) override {
    const AppendShape &s = shape_;
    const int64_t length = *inputs[2].as<int64_t>();
    if (length < 0 || length > s.capacity - s.tokens)
      return makeError("op 'sattn.cache_append': ", s.tokens, " tokens after ", length,
                       " do not fit a cache of ", s.capacity);
    isInPlace_ = outputs[0].data == inputs[0].data;
    if (!isInPlace_ && inputs[0].bytes() > 0)
      std::memcpy(outputs[0].data, inputs[0].data, inputs[0].bytes());
    const int64_t bytes = s.tokens * s.tokenBytes;
    for (int64_t head = 0; bytes > 0 && head < s.heads; ++head)
      std::memcpy(outputs[0].as<char>() + (head * s.capacity + length) * s.tokenBytes,
                  inputs[1].as<char>() + head * bytes, size_t(bytes));
    return Status();
  }

  double bytes() const override {
    const int64_t moved = shape_.tokens + (isInPlace_ ? 0 : shape_.capacity);
    return 2.0 * double(shape_.heads * moved) * double(shape_.tokenBytes);
  }

private:
  AppendShape shape_;
  bool isInPlace_ = true;
};

Made makeCacheAppend(const Call &call) {
  if (Status status = call.expectOperands(3); !status)
    return status.error();
  const TensorView &cache = call.inputs[0], &tokens = call.inputs[1], &length = call.inputs[2];
  if (length.dtype != DType::i64 || length.elements() != 1)
    return call.error("expects the length of the cache as one int64");
  Shape expected = cache.shape;
  if (expected.size() == 4 && tokens.shape.size() == 4)
    expected[2] = std::min(tokens.shape[2], cache.shape[2]);
  if (expected.size() != 4 || tokens.shape != expected || tokens.dtype != cache.dtype)
    return call.error("cannot append tokens of shape ", toString(tokens.shape),
                      " to a cache of shape ", toString(cache.shape));
  if (Status status = call.expectType(call.outputs[0], "a result", cache.dtype); !status)
    return status.error();
  if (Status status = call.expectShape(call.outputs[0], "a result", cache.shape); !status)
    return status.error();
  AppendShape shape{cache.shape[0] * cache.shape[1], cache.shape[2], tokens.shape[2],
                    cache.shape[3] * byteWidth(cache.dtype)};
  return std::unique_ptr<HostKernel>(std::make_unique<AppendKernel>(shape));
}

} // namespace

void addAttention(Table &table) {
  table["sattn.attention"] = makeAttention;
  table["sattn.cache_append"] = makeCacheAppend;
}

} // namespace sparsam::runtime::host
