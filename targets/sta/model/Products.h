// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Products.h - the inner loop of the matrix engine -------------------===//
//
// One loop for all products: a row of numbers, each with the position of what it is multiplied by
// (the selector's choice), times columns that lie side by side. Sums run in the order of the
// positions, so a product that leaves zeros out is bit-identical to the one that does not; floats
// are rounded after every multiplication and every addition.
//
#ifndef SPARSAM_TARGETS_STA_MODEL_PRODUCTS_H
#define SPARSAM_TARGETS_STA_MODEL_PRODUCTS_H

#include <cstddef>
#include <cstdint>

namespace sparsam::sta {

/// Columns are padded to a multiple of this.
constexpr size_t kProductLanes = 16;
constexpr size_t paddedColumns(size_t n) {
  return (n + kProductLanes - 1) / kProductLanes * kProductLanes;
}

/// sums[r][c] += sum over i of factors[r][i] * columns[positions[r][i]][c], for `rows` rows of
/// `count` factors and `width` columns, a multiple of kProductLanes. Without positions the i-th
/// factor meets row i. Products of integers lose their last `shift` bits; sums wrap around: the
/// caller knows that they do not.
struct Product {
  size_t rows = 0, count = 0, width = 0;
  int shift = 0;
  const uint16_t *positions = nullptr; ///< [rows][count]
};
void accumulate(const Product &product, const float *factors, const float *columns, float *sums);
void accumulate(const Product &product, const int32_t *factors, const int32_t *columns,
                int32_t *sums);

} // namespace sparsam::sta

#endif // SPARSAM_TARGETS_STA_MODEL_PRODUCTS_H
