// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MappedFile.h - a file mapped into memory, read-only ----------------===//
#ifndef SPARSAM_LIB_IMPORT_MAPPEDFILE_H
#define SPARSAM_LIB_IMPORT_MAPPEDFILE_H

#include "mlir/IR/AsmState.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace sparsam {

/// A regular file mapped read-only; unmapped with the last reference. Weights point into it and
/// keep it alive.
class MappedFile {
public:
  /// Maps the file; the error says why it cannot be read, without its name.
  static llvm::Expected<std::shared_ptr<MappedFile>> open(const std::string &path);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  llvm::ArrayRef<char> bytes() const { return {static_cast<const char *>(data), length}; }

private:
  MappedFile(void *data, size_t length) : data(data), length(length) {}

  void *data;
  size_t length;
};

/// A resource over `bytes` of `file`. Its alignment is that of the place in the file, which may
/// be 1.
mlir::AsmResourceBlob getResource(std::shared_ptr<MappedFile> file, llvm::ArrayRef<char> bytes);

} // namespace sparsam

#endif // SPARSAM_LIB_IMPORT_MAPPEDFILE_H
