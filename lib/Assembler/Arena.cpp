// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Arena.cpp - places of activations ----------------------------------===//

#include "Assembler/ProgramImage.h"

#include "runtime/program/ProgramHeader.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sparsam {

/// The lowest place for `life` beside those of `placed` (by offset) that live at the same time.
static uint64_t findGap(const Arena::Life &life, ArrayRef<const Arena::Life *> placed) {
  uint64_t offset = 0;
  for (const Arena::Life *other : placed) {
    if (other->last < life.first || life.last < other->first)
      continue;
    if (offset + life.bytes <= other->offset)
      break;
    offset = std::max(
        offset, llvm::alignTo(other->offset + other->bytes, runtime::ProgramHeader::kAlignment));
  }
  return offset;
}

uint64_t Arena::place(MutableArrayRef<Life> lives) {
  SmallVector<Life *> order;
  for (Life &life : lives)
    order.push_back(&life);
  llvm::sort(order, [](const Life *a, const Life *b) {
    return a->bytes != b->bytes ? a->bytes > b->bytes : a->tensor < b->tensor;
  });
  SmallVector<const Life *> placed;
  uint64_t end = 0;
  for (Life *life : order) {
    life->offset = findGap(*life, placed);
    end = std::max(end, life->offset + life->bytes);
    auto place = llvm::upper_bound(
        placed, life, [](const Life *a, const Life *b) { return a->offset < b->offset; });
    placed.insert(place, life);
  }
  return llvm::alignTo(end, runtime::ProgramHeader::kAlignment);
}

} // namespace sparsam
