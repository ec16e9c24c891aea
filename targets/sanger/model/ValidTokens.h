// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ValidTokens.h - which tokens are no padding ------------------------===//
//
// Statistics of masks leave padding out: the valid pairs are those of a valid query and a valid
// key. [R modeling_bert, _eval_load_balance]
//
#ifndef SPARSAM_TARGETS_SANGER_MODEL_VALIDTOKENS_H
#define SPARSAM_TARGETS_SANGER_MODEL_VALIDTOKENS_H

#include "runtime/kernel/MaskTrace.h"
#include "runtime/program/Tensor.h"

#include <span>
#include <string>

namespace sparsam::sanger {

/// Bits of [batch, 1, 1, tokens].
struct ValidTokens {
  runtime::BitTensor queries, keys;

  bool operator==(const ValidTokens &) const = default;
};

/// Every token of `masks`.
ValidTokens allTokens(const runtime::BitTensor &masks);

/// The first ones, so many as `lengths` says for all or for each batch entry; empty: all. Errors
/// name the length that does not fit.
runtime::Result<ValidTokens> firstTokens(const runtime::BitTensor &masks,
                                         std::span<const int64_t> lengths);

/// Keys of `masks` that the bias [batch or 1, heads or 1, queries or 1, keys] shows to some query:
/// bits of [batch, 1, 1, keys].
runtime::BitTensor shownKeys(const runtime::BitTensor &masks, const runtime::TensorView &bias);

/// What follows from the valid keys: where there are as many queries, these are the same tokens.
/// Errors say what does not fit.
runtime::Result<ValidTokens> tokensOfKeys(const runtime::BitTensor &masks,
                                          const runtime::BitTensor &keys);

/// The trace entry of a kernel's valid keys; there is none where all are.
inline std::string validName(const std::string &kernel) { return kernel + ".valid"; }

} // namespace sparsam::sanger

#endif // SPARSAM_TARGETS_SANGER_MODEL_VALIDTOKENS_H
