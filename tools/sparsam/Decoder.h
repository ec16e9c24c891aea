// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Decoder.h - greedy decoding with a session -------------------------===//
#ifndef SPARSAM_TOOLS_SPARSAM_DECODER_H
#define SPARSAM_TOOLS_SPARSAM_DECODER_H

#include "runtime/program/Session.h"

#include <string>

namespace sparsam::driver {

/// What inputs and outputs of a decoder are called.
struct DecoderNames {
  std::string tokens = "input_ids", positions = "position_ids", logits = "logits";
};

/// A token that came out of a run, and what the run cost.
struct Decoded {
  int64_t token = 0;
  runtime::RunResult result;
};

/// Feeds tokens to a program and takes the likeliest next one.
class Decoder {
public:
  /// `given` are inputs besides tokens and positions: caches are set from them; an input that grows
  /// with the caches is continued with ones; all others stay the same in every step.
  Decoder(runtime::Session &session, DecoderNames names, runtime::TensorMap given)
      : session_(session), names_(std::move(names)), given_(std::move(given)) {}

  /// Checks that the program decodes one token at a time, and fills its caches if they are given.
  runtime::Status prepare();
  /// Runs the program on a token behind those in the caches.
  runtime::Result<Decoded> step(int64_t token, const runtime::RunOptions &options);
  /// Runs a program without caches on a whole prompt.
  runtime::Result<Decoded> prompt(const runtime::Tensor &tokens,
                                  const runtime::RunOptions &options);

private:
  runtime::Result<runtime::TensorMap> makeInputs(const runtime::Tensor &tokens) const;
  runtime::Result<Decoded> run(const runtime::Tensor &tokens, const runtime::RunOptions &options);

  runtime::Session &session_;
  DecoderNames names_;
  runtime::TensorMap given_;
};

/// A tensor of token numbers [1, n] as int64; fails on other types, and where it is empty.
runtime::Result<runtime::Tensor> toTokens(const std::string &name, const runtime::Tensor &tensor);

} // namespace sparsam::driver

#endif // SPARSAM_TOOLS_SPARSAM_DECODER_H
