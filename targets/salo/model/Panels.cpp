// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Panels.cpp - keys and values of a segment, as the array takes them -===//

#include "targets/salo/model/Panels.h"

#include "targets/salo/model/Kernels.h"

#include "runtime/units/HiddenKeys.h"

#include <algorithm>

namespace sparsam::salo {

using namespace runtime;

static int32_t pack(int16_t even, int16_t odd) {
  return int32_t(uint32_t(uint16_t(even)) | uint32_t(uint16_t(odd)) << 16);
}

Result<bool> hides(float value) {
  if (value == 0 || value <= kHidesKey)
    return value != 0;
  return makeError("the mask holds ", value,
                   "; the machine shows a key (0) or hides it (-10000 or less) and adds nothing");
}

/// Windows see every token of the segment that is not global.
static void fillMask(const Kernel &kernel, int64_t segment, Panel &panel) {
  panel.mask = panel.valid;
  for (int64_t token : kernel.globals)
    if (token % kernel.config.segments == segment)
      panel.mask[size_t(panel.pad + token / kernel.config.segments)] = 0;
}

std::shared_ptr<Panel> PanelStore::build(const Tile &source, int64_t segment) const {
  const int64_t tokens = kernel_.config.keys, dims = kernel_.config.head_dim;
  const int64_t pairs = (dims + 1) / 2, width = kernels::rowWidth(dims);
  auto panel = std::make_shared<Panel>();
  panel->pad = kernel_.keyRows + kernels::kLanes;
  // Not a multiple of a page: rows of different pairs would share the sets of a cache.
  constexpr int64_t kSpread = 64;
  panel->stride =
      kernels::padded(tokens + 2 * panel->pad + kernels::kLanes, kSpread) + kernels::kLanes;
  if (isKeys_) {
    panel->keys.assign(size_t(pairs * panel->stride), 0);
    panel->valid.assign(size_t(panel->stride), 0);
    std::fill_n(panel->valid.begin() + panel->pad, tokens, -1);
  } else {
    panel->values.assign(size_t((tokens + 2 * panel->pad) * width), 0);
  }
  const float *data = bindings_[source.binding].as<float>() + source.offset;
  const float factor = isKeys_ ? kernel_.config.k_factor : kernel_.config.v_factor;
  std::vector<int16_t> words(size_t(dims + 1));
  for (int64_t t = 0; t < std::min<int64_t>(tokens, source.validRows); ++t) {
    kernels::quantize(data + t * source.rowStride, size_t(dims), factor, words.data());
    for (int64_t p = 0; isKeys_ && p < pairs; ++p)
      panel->keys[size_t(p * panel->stride + panel->pad + t)] =
          pack(words[size_t(2 * p)], words[size_t(2 * p + 1)]);
    for (int64_t i = 0; !isKeys_ && i < dims; ++i)
      panel->values[size_t((panel->pad + t) * width + i)] =
          int16_t(words[size_t(i)] * (1 << kernels::kValueShift));
  }
  return panel;
}

Status PanelStore::hide(const Tile &mask, Panel &panel) const {
  const float *data = bindings_[mask.binding].as<float>() + mask.offset;
  for (int64_t t = 0; t < std::min<int64_t>(mask.rows, mask.validRows); ++t) {
    Result<bool> hidden = hides(data[t * mask.rowStride]);
    if (!hidden)
      return hidden.error();
    if (*hidden)
      panel.valid[size_t(panel.pad + t)] = 0;
  }
  return Status();
}

Status PanelStore::load(const Tile &source, const Tile &mask, int64_t segment, int64_t first,
                        const Tile &destination) {
  if (!last_ || lastBinding_ != source.binding || lastOffset_ != source.offset) {
    std::shared_ptr<Panel> panel = build(source, segment);
    if (mask.memory != 0)
      if (Status status = hide(mask, *panel); !status)
        return status;
    if (isKeys_)
      fillMask(kernel_, segment, *panel);
    last_ = panel;
    lastBinding_ = source.binding;
    lastOffset_ = source.offset;
  }
  slices_.insert_or_assign(destination.offset, Slice{last_, first});
  return Status();
}

} // namespace sparsam::salo
