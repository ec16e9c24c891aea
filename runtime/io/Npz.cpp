// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Npz.cpp - NumPy's .npz archives ------------------------------------===//
//
// An .npz file is a zip archive of .npy files. Sizes in it are claims: memory is reserved only for
// what the archive could really hold.
//

#include "runtime/io/Npy.h"

#include "runtime/io/File.h"
#include "runtime/io/NpyHeader.h"
#include "runtime/support/Text.h"

#include <zip.h>

#include <list>
#include <vector>

#include <sys/stat.h>

namespace sparsam::runtime {

namespace {
struct ZipDiscard {
  void operator()(zip_t *archive) const { zip_discard(archive); }
};
struct ZipFileClose {
  void operator()(zip_file_t *file) const { zip_fclose(file); }
};
using ZipArchive = std::unique_ptr<zip_t, ZipDiscard>;
using ZipFile = std::unique_ptr<zip_file_t, ZipFileClose>;
} // namespace

/// Deflate cannot expand more than this.
static constexpr uint64_t kMaxExpansion = 1032;
/// 1980-01-01, the earliest date of a zip archive: equal contents give equal bytes.
static constexpr zip_uint16_t kFixedDate = 0x21;

static std::string zipMessage(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string message = zip_error_strerror(&error);
  zip_error_fini(&error);
  return message;
}

static Result<ZipArchive> openArchive(const std::string &path) {
  // A folder or a missing file gets the same message as everywhere else.
  if (auto file = MappedFile::open(path); !file)
    return file.error();
  int code = 0;
  ZipArchive archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (!archive)
    return makeError("cannot read archive ", path, ": ", zipMessage(code));
  return archive;
}

/// Reads exactly `bytes` bytes; false at the end of the entry or an error of the archive.
static bool readExactly(zip_file_t *file, uint8_t *destination, uint64_t bytes) {
  while (bytes > 0) {
    zip_int64_t got = zip_fread(file, destination, bytes);
    if (got <= 0)
      return false;
    destination += got;
    bytes -= uint64_t(got);
  }
  return true;
}

/// Reads and parses the header of an entry.
static Result<NpyHeader> readHeader(zip_file_t *file) {
  std::vector<uint8_t> header(kNpyPreambleBytes);
  if (!readExactly(file, header.data(), header.size()))
    return makeError("it ends inside of the header");
  auto length = npyHeaderBytes(header);
  if (!length)
    return length.error();
  if (*length < header.size())
    return makeError("its header is not a dictionary literal");
  header.resize(*length);
  if (!readExactly(file, header.data() + kNpyPreambleBytes, header.size() - kNpyPreambleBytes))
    return makeError("it ends inside of the header");
  return parseNpyHeader(header);
}

/// Reads one array; errors name neither archive nor array.
static Result<Tensor> readEntry(zip_t *archive, const zip_stat_t &stat) {
  constexpr zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
  if ((stat.valid & needed) != needed || stat.size / kMaxExpansion > stat.comp_size)
    return makeError("its size in the archive is impossible");
  ZipFile file(zip_fopen_index(archive, stat.index, 0));
  if (!file)
    return makeError(zip_strerror(archive));
  Result<NpyHeader> header = readHeader(file.get());
  if (!header)
    return header.error();
  if (header->headerBytes > stat.size || stat.size - header->headerBytes != header->dataBytes)
    return makeError("shape ", toString(header->shape), " of ", name(header->dtype), " needs ",
                     header->dataBytes, " bytes of data, the archive has ",
                     stat.size > header->headerBytes ? stat.size - header->headerBytes : 0);
  std::optional<Tensor> tensor = Tensor::tryAllocate(header->dtype, header->shape);
  if (!tensor)
    return makeError("not enough memory for ", header->dataBytes, " bytes");
  if (!readExactly(file.get(), tensor->as<uint8_t>(), header->dataBytes))
    return makeError("its data is damaged: ", zip_file_strerror(file.get()));
  // The checksum is compared when the end is reached.
  uint8_t extra;
  if (zip_fread(file.get(), &extra, 1) != 0)
    return makeError("its data is damaged: ", zip_file_strerror(file.get()));
  return header->isFortranOrder ? fromFortranOrder(*tensor) : std::move(*tensor);
}

Result<TensorMap> readNpz(const std::string &path) {
  auto archive = openArchive(path);
  if (!archive)
    return archive.error();
  TensorMap tensors;
  for (zip_int64_t i = 0, n = zip_get_num_entries(archive->get(), 0); i < n; ++i) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat_index(archive->get(), zip_uint64_t(i), 0, &stat) != 0 ||
        !(stat.valid & ZIP_STAT_NAME))
      return makeError("cannot read archive ", path, ": ", zip_strerror(archive->get()));
    std::string name = stat.name;
    if (name.size() < 4 || name.compare(name.size() - 4, 4, ".npy") != 0)
      return makeError("cannot read archive ", path, ": entry '", printable(name),
                       "' is not a .npy array");
    name.resize(name.size() - 4);
    stat.index = zip_uint64_t(i);
    Result<Tensor> tensor = readEntry(archive->get(), stat);
    if (!tensor)
      return makeError("cannot read array '", printable(name), "' of ", path, ": ",
                       tensor.error().message);
    if (!tensors.emplace(name, tensor.take()).second)
      return makeError("cannot read archive ", path, ": array '", printable(name),
                       "' is there twice");
  }
  return tensors;
}

/// Adds one array; `header` must live until the archive is closed.
static bool addEntry(zip_t *archive, const std::string &name, const std::string &header,
                     const Tensor &tensor) {
  // libzip takes non-const pointers and does not write through them.
  zip_buffer_fragment_t parts[2] = {
      {reinterpret_cast<zip_uint8_t *>(const_cast<char *>(header.data())), header.size()},
      {tensor.as<zip_uint8_t>(), tensor.bytes()}};
  zip_source_t *source = zip_source_buffer_fragment(archive, parts, tensor.bytes() ? 2 : 1, 0);
  if (!source)
    return false;
  zip_int64_t index = zip_file_add(archive, (name + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    return false;
  }
  return zip_set_file_compression(archive, zip_uint64_t(index), ZIP_CM_STORE, 0) == 0 &&
         zip_file_set_dostime(archive, zip_uint64_t(index), 0, kFixedDate, 0) == 0;
}

Status writeNpz(const std::string &path, const TensorMap &tensors) {
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    return makeError("cannot write ", path, ": it is not a regular file");
  if (tensors.empty()) {
    // libzip deletes an archive without entries; NumPy's is the bare end record.
    static constexpr char kEmpty[22] = {'P', 'K', 5, 6};
    return writeTextFile(path, {kEmpty, sizeof kEmpty});
  }
  int code = 0;
  // libzip writes under a temporary name and renames it in zip_close.
  ZipArchive archive(zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
  if (!archive)
    return makeError("cannot write ", path, ": ", zipMessage(code));
  std::list<std::string> headers;
  for (const auto &[name, tensor] : tensors) {
    headers.push_back(makeNpyHeader(tensor.dtype(), tensor.shape()));
    if (!addEntry(archive.get(), name, headers.back(), tensor))
      return makeError("cannot write array '", printable(name), "' to ", path, ": ",
                       zip_strerror(archive.get()));
  }
  if (zip_close(archive.get()) != 0)
    return makeError("cannot write ", path, ": ", zip_strerror(archive.get()));
  archive.release();
  return Status();
}

} // namespace sparsam::runtime
