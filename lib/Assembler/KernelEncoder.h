// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelEncoder.h - command words and descriptors of a kernel --------===//
#ifndef SPARSAM_LIB_ASSEMBLER_KERNELENCODER_H
#define SPARSAM_LIB_ASSEMBLER_KERNELENCODER_H

#include "isa/Isa.h"

#include <array>
#include <compare>
#include <string>
#include <vector>

namespace sparsam {

/// An address generator, as Program.fbs describes it.
struct DescriptorImage {
  /// Per loop level, counted from the outermost.
  struct Term {
    int64_t stride = 0;
    int64_t rowStep = 0;
    int64_t modulus = 0;
    auto operator<=>(const Term &) const = default;
  };
  int64_t base = 0;
  int64_t rows = 0, cols = 0, rowStride = 0;
  int64_t rowBase = 0, rowLimit = 0;
  unsigned memory = 0; ///< 0: a number, 1: DRAM, m: on-chip memory m - 2
  unsigned binding = 0;
  std::array<Term, isa::LoopOp::kMaxDepth> terms;
  auto operator<=>(const DescriptorImage &) const = default;
};

/// An on-chip memory as a kernel uses it.
struct MemoryImage {
  std::string name;
  unsigned elementBits;
  int64_t elements; ///< end of the last buffer
};

/// The binary form of a kernel.
struct KernelImage {
  std::vector<MemoryImage> memories;
  std::vector<DescriptorImage> descriptors;
  std::vector<uint32_t> words;
};

/// Encodes a kernel in machine form whose buffers have offsets. Errors are emitted at the op.
mlir::FailureOr<KernelImage> encodeKernel(isa::KernelOp kernel);

} // namespace sparsam

#endif // SPARSAM_LIB_ASSEMBLER_KERNELENCODER_H
