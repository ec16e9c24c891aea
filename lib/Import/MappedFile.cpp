// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MappedFile.cpp - a file mapped into memory, read-only --------------===//

#include "MappedFile.h"

#include "llvm/ADT/ScopeExit.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

namespace sparsam {

static Error getSystemError() {
  return createStringError(errnoAsErrorCode(), "%s", std::strerror(errno));
}

Expected<std::shared_ptr<MappedFile>> MappedFile::open(const std::string &path) {
  // Without O_NONBLOCK, opening a named pipe waits for a writer.
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return getSystemError();
  llvm::scope_exit close([&] { ::close(descriptor); });
  struct stat status;
  if (::fstat(descriptor, &status) != 0)
    return getSystemError();
  if (!S_ISREG(status.st_mode))
    return createStringError("it is not a regular file");
  auto length = static_cast<size_t>(status.st_size);
  if (length == 0)
    return std::shared_ptr<MappedFile>(new MappedFile(nullptr, 0));
  void *data = ::mmap(nullptr, length, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (data == MAP_FAILED)
    return getSystemError();
  return std::shared_ptr<MappedFile>(new MappedFile(data, length));
}

MappedFile::~MappedFile() {
  if (data)
    ::munmap(data, length);
}

mlir::AsmResourceBlob getResource(std::shared_ptr<MappedFile> file, ArrayRef<char> bytes) {
  constexpr size_t cacheLineBytes = 64;
  auto address = reinterpret_cast<uintptr_t>(bytes.data()) | cacheLineBytes;
  size_t alignment = address & (~address + 1);
  return mlir::UnmanagedAsmResourceBlob::allocateWithAlign(
      bytes, alignment, [file = std::move(file)](void *, size_t, size_t) mutable { file.reset(); });
}

} // namespace sparsam
