// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Panels.h - keys and values of a segment, as the array takes them ---===//
//
// A segment is read from its tensor once: slices of it are loaded again and again, and what a load
// leaves in a buffer is which tokens lie there.
//
#ifndef SPARSAM_TARGETS_SALO_MODEL_PANELS_H
#define SPARSAM_TARGETS_SALO_MODEL_PANELS_H

#include "runtime/kernel/Sequencer.h"
#include "targets/salo/model/Kernel.h"

#include <memory>
#include <unordered_map>

namespace sparsam::salo {

/// 9-bit words of all tokens of a segment, with masked tokens before and behind.
struct Panel {
  int64_t pad = 0;             ///< tokens before the first
  int64_t stride = 0;          ///< of keys
  std::vector<int32_t> keys;   ///< [pair][stride]; empty for values
  std::vector<int32_t> valid;  ///< [stride]: -1 for tokens that exist and no mask hides
  std::vector<int32_t> mask;   ///< the same for windows, which do not see global tokens
  std::vector<int16_t> values; ///< [token][padded dims], shifted; empty for keys
};

/// Part of a panel that lies in a buffer.
struct Slice {
  std::shared_ptr<const Panel> panel;
  int64_t first = 0;
};

/// True if an additive mask of `value` hides a key; an error if it neither hides nor shows it.
runtime::Result<bool> hides(float value);

/// What the slices in one buffer hold.
class PanelStore {
public:
  PanelStore(const Kernel &kernel, std::span<const runtime::TensorView> bindings, bool isKeys)
      : kernel_(kernel), bindings_(bindings), isKeys_(isKeys) {}

  /// Notes that `destination` holds the tokens from `first` on of the segment at `source`, whose
  /// additive mask (of keys) is at `mask` if there is one.
  runtime::Status load(const runtime::Tile &source, const runtime::Tile &mask, int64_t segment,
                       int64_t first, const runtime::Tile &destination);
  /// The slice at a tile, or null if nothing has been loaded there.
  const Slice *find(const runtime::Tile &tile) const {
    auto it = slices_.find(tile.offset);
    return it == slices_.end() ? nullptr : &it->second;
  }

private:
  std::shared_ptr<Panel> build(const runtime::Tile &source, int64_t segment) const;
  runtime::Status hide(const runtime::Tile &mask, Panel &panel) const;

  const Kernel &kernel_;
  std::span<const runtime::TensorView> bindings_;
  bool isKeys_;
  std::unordered_map<int64_t, Slice> slices_; ///< by address in the buffer
  std::shared_ptr<const Panel> last_;
  unsigned lastBinding_ = ~0u;
  int64_t lastOffset_ = -1;
};

} // namespace sparsam::salo

#endif // SPARSAM_TARGETS_SALO_MODEL_PANELS_H
