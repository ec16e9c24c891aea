// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- File.h - mapped input files and output files that appear whole -----===//
#ifndef SPARSAM_RUNTIME_IO_FILE_H
#define SPARSAM_RUNTIME_IO_FILE_H

#include "runtime/support/Result.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sparsam::runtime {

/// A file mapped read-only (private), released with the object.
class MappedFile {
public:
  static Result<std::shared_ptr<MappedFile>> open(const std::string &path);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  std::span<const uint8_t> bytes() const { return {data_, size_}; }

private:
  MappedFile() = default;
  const uint8_t *data_ = nullptr;
  size_t size_ = 0;
};

/// A file that is written under a temporary name in the same folder and gets its final name by
/// commit(); without commit() nothing is left behind.
class OutputFile {
public:
  static Result<std::unique_ptr<OutputFile>> create(const std::string &path);
  ~OutputFile();

  Status write(std::span<const uint8_t> bytes);
  Status write(std::string_view text);
  /// Bytes written so far.
  uint64_t position() const { return position_; }
  Status commit();

private:
  OutputFile() = default;
  std::string path_, temporary_;
  std::FILE *file_ = nullptr;
  uint64_t position_ = 0;
};

/// Writes `text` to `path`, whole or not at all.
Status writeTextFile(const std::string &path, std::string_view text);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_IO_FILE_H
