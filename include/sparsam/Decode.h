// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Decode.h - decoders that keep a cache of keys and values -----------===//
#ifndef SPARSAM_DECODE_H
#define SPARSAM_DECODE_H

#include "sparsam/Import.h"

namespace sparsam {

/// The dimension of the inputs that counts the tokens of earlier runs (`--cache past=1024`).
struct CacheOptions {
  std::string symbol;
  int64_t capacity = 0; ///< tokens that the caches have room for; 0: no caches, a run starts anew
};

/// Reads a decoder and raises it (as the pipeline `sparsam-raise`), once for all lengths of its
/// caches up to the capacity. Inputs that count tokens become arguments that are kept from run to
/// run (`sattn.state`), what is appended to them `sattn.cache_append`, and attention over them gets
/// the number of `valid` keys. Errors name the node that depends on the number of tokens in another
/// way.
///
/// The model is imported at three lengths. What the three have in common is the program; numbers
/// that differ must lie on a line and become arithmetic on the length.
mlir::OwningOpRef<mlir::ModuleOp> importDecoder(const std::string &path,
                                                const ImportOptions &options,
                                                const CacheOptions &cache,
                                                mlir::MLIRContext *context);

} // namespace sparsam

#endif // SPARSAM_DECODE_H
