// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NpyHeader.h - the header of an array in .npy form ------------------===//
#ifndef SPARSAM_RUNTIME_IO_NPYHEADER_H
#define SPARSAM_RUNTIME_IO_NPYHEADER_H

#include "runtime/program/Tensor.h"
#include "runtime/support/Result.h"

#include <span>
#include <string>

namespace sparsam::runtime {

/// What the header says.
struct NpyHeader {
  DType dtype = DType::f32;
  Shape shape;
  bool isFortranOrder = false;
  uint64_t headerBytes = 0; ///< offset of the first element
  uint64_t dataBytes = 0;
};

/// Bytes before the header's text: magic, version, length.
constexpr uint64_t kNpyPreambleBytes = 12;
/// Longer header texts are refused; NumPy itself warns beyond 10000.
constexpr uint64_t kNpyMaxHeaderBytes = 65536;

/// Length of the whole header (preamble and text) from its first bytes. Errors do not name the
/// file.
Result<uint64_t> npyHeaderBytes(std::span<const uint8_t> preamble);

/// Parses a whole header. Errors do not name the file.
Result<NpyHeader> parseNpyHeader(std::span<const uint8_t> header);

/// The header NumPy would write for a C-ordered array.
std::string makeNpyHeader(DType dtype, const Shape &shape);

/// Turns elements in Fortran order into C order.
Tensor fromFortranOrder(const Tensor &tensor);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_IO_NPYHEADER_H
