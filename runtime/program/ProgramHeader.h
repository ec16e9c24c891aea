// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ProgramHeader.h - the frame of a program file ----------------------===//
//
// With Program.fbs the whole schema of the file: the compiler includes both and nothing else of the
// runtime.
//
#ifndef SPARSAM_RUNTIME_PROGRAM_PROGRAMHEADER_H
#define SPARSAM_RUNTIME_PROGRAM_PROGRAMHEADER_H

#include <cstdint>

namespace sparsam::runtime {

/// The frame of a program file: 8 bytes magic "SPARSAM\n", u32 version, u32 zero, u64 offset and
/// u64 length of the FlatBuffers table, u64 offset and u64 length of the data sections (offset a
/// multiple of 64).
struct ProgramHeader {
  static constexpr char kMagic[8] = {'S', 'P', 'A', 'R', 'S', 'A', 'M', '\n'};
  static constexpr uint32_t kVersion = 1;
  static constexpr uint64_t kAlignment = 64;
  char magic[8];
  uint32_t version;
  uint32_t reserved;
  uint64_t tableOffset, tableBytes;
  uint64_t dataOffset, dataBytes;
};
static_assert(sizeof(ProgramHeader) == 48);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_PROGRAM_PROGRAMHEADER_H
