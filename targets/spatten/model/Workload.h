// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Workload.h - what each head of each layer asks of the machine ------===//
#ifndef SPARSAM_TARGETS_SPATTEN_MODEL_WORKLOAD_H
#define SPARSAM_TARGETS_SPATTEN_MODEL_WORKLOAD_H

#include "runtime/support/Result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sparsam::spatten {

struct Params;

/// One head of one layer: the shape in which the authors published their workloads. Widths of 10
/// and 12 bits, and of -1, mean 8 and 4 forced low bits for keys, and 8 for values. [R TestSpAtten]
struct Request {
  int64_t layer = 0, head = 0;
  int64_t headDim = 64, queries = 1, keys = 1;
  int64_t keyBits = 8, valueBits = 8;
  int64_t values = 1;    ///< kept per query
  bool needsLsb = false; ///< a second fetch of 4 bits
  int64_t topk = 0;      ///< survivors of a ranking behind this head; 0: none
  int64_t count = 1;     ///< so many requests alike

  /// Bits of the first fetch, and of the second one.
  int64_t fetchedKeyBits() const { return keyBits < 0 || keyBits > 8 ? 8 : keyBits; }
  int64_t fetchedLowBits() const { return keyBits < 0 || keyBits > 8 || needsLsb ? 4 : 0; }
  /// Rows of V: those that a single query keeps; all where they stay for many queries.
  int64_t fetchedValues() const { return queries > 1 ? keys : values; }
  int64_t fetchedValueBits() const { return valueBits < 0 || valueBits > 8 ? 8 : valueBits; }
};

/// Refuses a head that the machine could not hold, or not add up.
runtime::Status checkRequest(const Request &request, const Params &params);
/// Refuses layers with an odd number of heads of 6 bits, which the fetcher packs in pairs.
runtime::Status checkPairs(const std::vector<Request> &requests, const Params &params);

/// Reads a CSV file with the header
/// `layer,head,head_dim,queries,keys,key_bits,value_bits[,values][,lsb][,topk]`, columns in any
/// order, one row per layer and head. Errors name file and line.
runtime::Result<std::vector<Request>> readWorkload(const std::string &path, const Params &params);
/// The same from text; `name` stands for the file.
runtime::Result<std::vector<Request>> parseWorkload(const std::string &text,
                                                    const std::string &name, const Params &params);

/// The published decode workloads: prompt of 992 tokens, 32 iterations with 993 to 1024 keys. [R
/// workloads]
enum class Published { gpt2Small, gpt2SmallDense, gpt2Medium, gpt2MediumDense };
std::vector<Request> publishedWorkload(Published which);

/// Keys that layer `layer` of a published schedule keeps of a full context, by the layer's number;
/// all where the ratio is 1.
int64_t publishedKeys(Published which, int64_t layer, int64_t maxContext);
/// Heads that live in layer `layer`.
int64_t publishedHeads(Published which, int64_t layer);
int64_t publishedLayers(Published which);

} // namespace sparsam::spatten

#endif // SPARSAM_TARGETS_SPATTEN_MODEL_WORKLOAD_H
