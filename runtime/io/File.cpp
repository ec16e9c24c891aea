// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- File.cpp - mapped input files and output files that appear whole ---===//

#include "runtime/io/File.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sparsam::runtime {

static Error systemError(const char *action, const std::string &path, int code) {
  return makeError("cannot ", action, " ", path, ": ", std::strerror(code));
}

//===-- MappedFile ---------------------------------------------------------===//

Result<std::shared_ptr<MappedFile>> MappedFile::open(const std::string &path) {
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return systemError("open", path, errno);
  struct stat info;
  if (fstat(descriptor, &info) != 0) {
    int code = errno;
    close(descriptor);
    return systemError("read", path, code);
  }
  if (!S_ISREG(info.st_mode)) {
    close(descriptor);
    return makeError("cannot read ", path, ": it is not a regular file");
  }
  std::shared_ptr<MappedFile> file(new MappedFile());
  file->size_ = size_t(info.st_size);
  if (file->size_ > 0) {
    void *data = mmap(nullptr, file->size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    int code = errno;
    if (data == MAP_FAILED) {
      file->size_ = 0;
      close(descriptor);
      return systemError("map", path, code);
    }
    file->data_ = static_cast<const uint8_t *>(data);
  }
  close(descriptor);
  return file;
}

MappedFile::~MappedFile() {
  if (size_ > 0)
    munmap(const_cast<uint8_t *>(data_), size_);
}

//===-- OutputFile ---------------------------------------------------------===//

/// Follows links to where the file lies, so that renaming replaces the file and not the link.
static std::string resolveLinks(const std::string &path) {
  char buffer[PATH_MAX];
  return realpath(path.c_str(), buffer) ? std::string(buffer) : path;
}

Result<std::unique_ptr<OutputFile>> OutputFile::create(const std::string &path) {
  std::unique_ptr<OutputFile> output(new OutputFile());
  output->path_ = resolveLinks(path);
  struct stat info;
  bool exists = stat(output->path_.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode))
    return makeError("cannot write ", path, ": it is a folder");
  if (exists && !S_ISREG(info.st_mode)) {
    // A pipe or device is written in place: a rename would replace it.
    output->file_ = std::fopen(output->path_.c_str(), "wb");
    if (!output->file_)
      return systemError("write", path, errno);
    return output;
  }
  std::string name = output->path_ + ".partial-XXXXXX";
  int descriptor = mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0)
    return systemError("write", path, errno);
  output->temporary_ = name;
  // mkostemp makes private files; the result gets the permissions it would have had.
  mode_t mask = umask(0);
  umask(mask);
  fchmod(descriptor, exists ? info.st_mode & 0777 : 0666 & ~mask);
  output->file_ = fdopen(descriptor, "wb");
  if (!output->file_) {
    int code = errno;
    close(descriptor);
    return systemError("write", path, code);
  }
  return output;
}

OutputFile::~OutputFile() {
  if (file_)
    std::fclose(file_);
  if (!temporary_.empty())
    unlink(temporary_.c_str());
}

Status OutputFile::write(std::span<const uint8_t> bytes) {
  assert(file_ && "written after commit");
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size())
    return systemError("write", path_, errno);
  position_ += bytes.size();
  return Status();
}

Status OutputFile::write(std::string_view text) {
  return write({reinterpret_cast<const uint8_t *>(text.data()), text.size()});
}

Status OutputFile::commit() {
  assert(file_ && "committed twice");
  bool isFlushed = std::fclose(file_) == 0;
  file_ = nullptr;
  if (!isFlushed)
    return systemError("write", path_, errno);
  if (temporary_.empty())
    return Status();
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0)
    return systemError("write", path_, errno);
  temporary_.clear();
  return Status();
}

Status writeTextFile(const std::string &path, std::string_view text) {
  auto file = OutputFile::create(path);
  if (!file)
    return file.error();
  if (Status status = (*file)->write(text); !status)
    return status;
  return (*file)->commit();
}

} // namespace sparsam::runtime
