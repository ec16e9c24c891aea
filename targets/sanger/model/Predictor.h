// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Predictor.h - numerics of the prediction pipe ----------------------===//
#ifndef SPARSAM_TARGETS_SANGER_MODEL_PREDICTOR_H
#define SPARSAM_TARGETS_SANGER_MODEL_PREDICTOR_H

#include "targets/sanger/model/Kernel.h"
#include "targets/sanger/model/Kernels.h"
#include "targets/sanger/model/Selection.h"

namespace sparsam::sanger {

/// Quantiser, low-bit array and threshold unit, with the buffers between them. Works in float as
/// the software reference does (sheet 2.1): every formula names its line there.
class Predictor {
public:
  Predictor(const Kernel &kernel, const RowTags &tags);

  /// Codes of a tile whose 16-bit rows start at `source`.
  void quantize(Role role, const float *source, const runtime::Tile &from, const runtime::Tile &to);
  /// Scores of a tile; the bias is null or holds `biasRows` rows.
  void score(const runtime::Tile &query, const runtime::Tile &key, const float *bias,
             int64_t biasStride, const runtime::Tile &score);
  /// Mask bits of one row of scores. `predicted` receives those above the threshold, `executed`
  /// those after the policy for empty rows.
  void threshold(const runtime::Tile &scores, uint32_t row, uint64_t *predicted,
                 uint64_t *executed);

private:
  /// The codes of a key tile, one key per lane, and what goes with them; made when a score first
  /// needs it.
  struct Panel {
    runtime::Tile tile;
    kernels::KeyPanel keys;    ///< factors: nk / sy
    std::vector<int32_t> tags; ///< which key; -1: padding
    int64_t firstTag = 0, lastTag = 0;
  };
  const Panel &panelOf(const runtime::Tile &key);
  void hidePairs(int64_t query, const Panel &keys, float *scores) const;

  struct CodeBuffer {
    std::vector<int8_t> codes; ///< of queries: with kernels::queryOffset
    std::vector<float> norms;  ///< one per row
  };
  CodeBuffer &buffer(Role role) { return role == Role::lowQuery ? queries_ : keys_; }

  const Kernel &kernel_;
  const RowTags &tags_;
  CodeBuffer queries_, keys_;
  std::vector<Panel> panels_;
  std::vector<float> scores_;
  std::vector<float> queryFactors_, exponentials_;
  float queryScale_ = 0, keyScale_ = 0; ///< sx, sy
};

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_MODEL_PREDICTOR_H
