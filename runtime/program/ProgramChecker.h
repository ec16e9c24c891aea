// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ProgramChecker.h - checks what a program's table claims ------------===//
//
// Internal to runtime/program. The FlatBuffers verifier has checked that the table can be read;
// these checks are about what its numbers mean.
//
#ifndef SPARSAM_RUNTIME_PROGRAM_PROGRAMCHECKER_H
#define SPARSAM_RUNTIME_PROGRAM_PROGRAMCHECKER_H

#include "runtime/program/Tensor.h"
#include "runtime/support/Result.h"

namespace sparsam::program {
struct Cache;
struct Program;
struct Tensor;
} // namespace sparsam::program

namespace sparsam::runtime {

/// Checks every index, offset, shape, kind and name. `dataBytes` is the length of the data sections
/// in the file.
Status checkProgram(const program::Program &program, uint64_t dataBytes);

/// Checks what the program keeps between runs, once its tensors are checked.
Status checkCache(const program::Program &program, const program::Cache &cache);

/// Type and shape of a checked tensor; no data.
TensorView viewOf(const program::Tensor &tensor);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_PROGRAM_PROGRAMCHECKER_H
