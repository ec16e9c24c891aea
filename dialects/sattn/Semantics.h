// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Semantics.h - what the sattn ops compute ---------------------------===//
//
// The reference semantics, in plain float and written for reading. Folders and the reference
// interpreter share it, so that an op gives the same values at compile time and at run time.
//
#ifndef SPARSAM_DIALECTS_SATTN_SEMANTICS_H
#define SPARSAM_DIALECTS_SATTN_SEMANTICS_H

#include "sattn/Sattn.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace sparsam::sattn::semantics {

/// A dense array of four dimensions. An element is addressed by its four coordinates; in a
/// dimension of size 1 every coordinate means element 0, which is how additive masks broadcast.
template <typename T> struct Array4 {
  std::array<int64_t, 4> shape{};
  std::vector<T> data;

  Array4() = default;
  explicit Array4(llvm::ArrayRef<int64_t> dims, T value = T()) {
    std::copy(dims.begin(), dims.end(), shape.begin());
    data.assign(dims[0] * dims[1] * dims[2] * dims[3], value);
  }
  size_t offset(int64_t a, int64_t b, int64_t c, int64_t d) const {
    auto at = [&](int dim, int64_t i) { return shape[dim] == 1 ? 0 : i; };
    return ((at(0, a) * shape[1] + at(1, b)) * shape[2] + at(2, c)) * shape[3] + at(3, d);
  }
  T &operator()(int64_t a, int64_t b, int64_t c, int64_t d) { return data[offset(a, b, c, d)]; }
  const T &operator()(int64_t a, int64_t b, int64_t c, int64_t d) const {
    return data[offset(a, b, c, d)];
  }
  bool operator==(const Array4 &) const = default;
};
using Floats = Array4<float>;
using Codes = Array4<int8_t>;
using Indices = Array4<int64_t>;
using Integers = Array4<int32_t>;
using Mask = Array4<uint8_t>; ///< 0 or 1; std::vector<bool> has no references

/// True if query i may see key j.
inline bool isVisible(bool causal, int64_t i, int64_t j, int64_t queries, int64_t keys) {
  return !causal || j <= i + keys - queries;
}

struct Quantized {
  Codes codes;
  Floats norms; ///< [batch, heads, tokens, 1]
};
Quantized quantize(const Floats &x, int64_t bits, double range, bool normalize);

struct PredictSettings {
  double qScale, kScale;
  float scale;
  bool causal;
};
/// `mask` may be null.
Floats predict(const Codes &q, const Floats &qNorms, const Codes &k, const Floats &kNorms,
               const Floats *mask, const PredictSettings &settings);

Mask select(const Floats &probabilities, double threshold, EmptyRow emptyRow);
Mask selectAll(llvm::ArrayRef<int64_t> shape, bool causal);

Mask patternMask(PatternAttr pattern, llvm::ArrayRef<int64_t> shape);
Floats reorder(const Floats &x, int64_t dilation, bool inverse);

/// Sub-rows as in sattn.packed_constant: rows of 4 + pes numbers.
std::vector<int32_t> packSplit(const Mask &mask, PackedType type);
Mask unpack(llvm::ArrayRef<int32_t> subrows, PackedType type);

/// `softmax(scale * Q K^T + mask) V` over the selected pairs, row by row and with the division
/// last.
Floats attention(const Floats &q, const Floats &k, const Floats &v, const Mask &selection,
                 const Floats *mask, float scale);
/// `cache` with the rows from `length` on replaced by `tokens`; they fit.
Floats cacheAppend(Floats cache, const Floats &tokens, int64_t length);
/// Unselects what lies beyond `valid` keys: all keys from there on, and with `causal` what query i
/// sees beyond i + valid - queries.
void hideInvalid(Mask &selection, int64_t valid, bool causal);
Floats sddmm(const Floats &q, const Floats &k, const Mask &selection, const Floats *mask,
             float scale);
Floats softmax(const Floats &scores, const Mask &selection);
Floats spmm(const Floats &probabilities, const Floats &v, const Mask &selection);

/// `activation(x W + bias) + residual`; dimensions before the last two are 1 in `weight`, before
/// the last in `bias`.
Floats linear(const Floats &x, const Floats &weight, const Floats *bias, const Floats *residual,
              Activation activation, bool transposeWeight);

/// Positions of the `k` largest of `scores`, ascending; see sattn.top_k.
std::vector<int64_t> topK(llvm::ArrayRef<float> scores, int64_t k, llvm::ArrayRef<int64_t> protect);
/// Of each row of `scores`, [1, 1, batch, n].
Indices topKRows(const Floats &scores, int64_t k, llvm::ArrayRef<int64_t> protect);
Mask selectLargest(const Floats &probabilities, int64_t k);
/// `dim` of `x` counts its four dimensions, `batchDim` is where its own first dimension is; indices
/// are [1, 1, batch, k]. Nothing if an index lies outside.
std::optional<Floats> gather(const Floats &x, const Indices &indices, int64_t batchDim,
                             int64_t dim);
std::optional<Indices> gather(const Indices &x, const Indices &indices, int64_t batchDim,
                              int64_t dim);
std::optional<Floats> scatter(const Floats &y, const Indices &indices, int64_t batchDim,
                              int64_t dim, int64_t size);
/// Adds the probabilities of each key to `scores`, [1, 1, batch, keys].
void addTokenScores(const Floats &probabilities, Floats &scores);
/// Adds the magnitudes of each head's output to `scores`, [1, 1, batch, heads].
void addHeadScores(const Floats &output, Floats &scores);
/// Weights as `sattn.nm_compress` leaves them: words of fixed point as whole numbers.
struct NmParts {
  Floats values;    ///< [1, 1, outputs, inputs / m * n]
  Integers bitmaps; ///< [1, 1, outputs, inputs / m], or nothing where n = m
};
NmParts nmCompress(const Floats &weight, NmAttr encoding, bool transposeWeight);
Floats nmExpand(const NmParts &parts, NmAttr encoding, bool transposeWeight);

/// True if `type` is a shape without dynamic sizes and with at most `limit` elements.
bool fits(mlir::ShapedType type, int64_t limit);

/// Elements of a constant tensor of at most four dimensions (leading dimensions of size 1 are
/// added); nothing if `attr` is null, has another element type, holds no data or more than `limit`
/// elements.
std::optional<Floats> toFloats(mlir::Attribute attr, int64_t limit = kFoldLimit);
std::optional<Codes> toCodes(mlir::Attribute attr, int64_t limit = kFoldLimit);
std::optional<Mask> toMask(mlir::Attribute attr, int64_t limit = kFoldLimit);
std::optional<Indices> toIndices(mlir::Attribute attr, int64_t limit = kFoldLimit);
/// Of 16 bits, or unsigned 8 bits: words and bitmaps of compressed weights.
std::optional<Integers> toIntegers(mlir::Attribute attr, int64_t limit = kFoldLimit);
/// The rows of a sattn.packed_constant.
std::optional<std::vector<int32_t>> toSubrows(mlir::Attribute attr);

/// And back; `type` is the tensor's type.
mlir::DenseElementsAttr toAttr(const Floats &values, mlir::Type type);
mlir::DenseElementsAttr toAttr(const Codes &values, mlir::Type type);
mlir::DenseElementsAttr toAttr(const Mask &values, mlir::Type type);
mlir::DenseElementsAttr toAttr(const Indices &values, mlir::Type type);
/// `pes` gives the row length.
mlir::DenseElementsAttr toAttr(llvm::ArrayRef<int32_t> subrows, PackedType type);

} // namespace sparsam::sattn::semantics

#endif // SPARSAM_DIALECTS_SATTN_SEMANTICS_H
