// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Assembler.cpp - write program files --------------------------------===//

#include "sparsam/Assembler.h"

#include "Assembler/ProgramImage.h"
#include "Assembler/ReleasePages.h"

#include "runtime/program/ProgramHeader.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace mlir;

namespace sparsam {

namespace {

constexpr uint64_t kAlignment = runtime::ProgramHeader::kAlignment;

//===-- Table --------------------------------------------------------------===//

/// Builds the FlatBuffers table of a program.
class TableWriter {
public:
  explicit TableWriter(const ProgramImage &image) : image(image) {}

  void write() {
    std::vector<flatbuffers::Offset<program::Tensor>> tensors;
    for (const TensorImage &tensor : image.tensors)
      tensors.push_back(program::CreateTensorDirect(builder, tensor.name.c_str(), tensor.dtype,
                                                    &tensor.shape, tensor.kind, tensor.offset,
                                                    tensor.bytes));
    std::vector<flatbuffers::Offset<program::Stage>> stages;
    for (const auto &stage : image.stages)
      stages.push_back(std::visit([&](const auto &it) { return writeStage(it); }, stage));
    flatbuffers::Offset<program::Cache> cache = image.cache ? writeCache(*image.cache) : 0;
    auto arch = writeSettings(image.arch), provenance = writeSettings(image.provenance);
    std::string producer = std::string("sparsam ") + SPARSAM_VERSION;
    program::FinishProgramBuffer(
        builder,
        program::CreateProgramDirect(builder, producer.c_str(), image.target.c_str(), &arch,
                                     &provenance, &tensors, &image.inputs, &image.outputs, &stages,
                                     image.arenaBytes, image.dataBytes, image.stateBytes, cache));
  }

  StringRef getBytes() const {
    return {reinterpret_cast<const char *>(builder.GetBufferPointer()), builder.GetSize()};
  }

private:
  using AttributeOffset = flatbuffers::Offset<program::Attribute>;

  std::vector<AttributeOffset> writeSettings(const Settings &settings) {
    std::vector<AttributeOffset> offsets;
    for (const auto &[name, setting] : settings)
      offsets.push_back(writeSetting(name, setting));
    return offsets;
  }

  AttributeOffset writeSetting(const std::string &name, const Setting &setting) {
    using Kind = program::AttributeKind;
    auto make = [&](Kind kind, int64_t i = 0, double f = 0, const char *s = nullptr,
                    const std::vector<int64_t> *ints = nullptr,
                    const std::vector<double> *floats = nullptr) {
      return program::CreateAttributeDirect(builder, name.c_str(), kind, i, f, s, ints, floats);
    };
    if (auto *integer = std::get_if<int64_t>(&setting))
      return make(Kind::integer, *integer);
    if (auto *real = std::get_if<double>(&setting))
      return make(Kind::real, 0, *real);
    if (auto *flag = std::get_if<bool>(&setting))
      return make(Kind::flag, *flag);
    if (auto *text = std::get_if<std::string>(&setting))
      return make(Kind::text, 0, 0, text->c_str());
    if (auto *integers = std::get_if<std::vector<int64_t>>(&setting))
      return make(Kind::integers, 0, 0, nullptr, integers);
    return make(Kind::reals, 0, 0, nullptr, nullptr, &std::get<std::vector<double>>(setting));
  }

  flatbuffers::Offset<program::Cache> writeCache(const CacheImage &cache) {
    std::vector<flatbuffers::Offset<program::State>> states;
    for (const StateImage &state : cache.states)
      states.push_back(program::CreateStateDirect(builder, state.tensor, state.input.c_str(),
                                                  state.output.c_str(), state.axis));
    std::vector<flatbuffers::Offset<program::Growing>> growing;
    for (const GrowingImage &input : cache.growing)
      growing.push_back(program::CreateGrowing(builder, input.tensor, input.axis, input.extra));
    return program::CreateCacheDirect(builder, cache.length, cache.capacity, cache.step, &states,
                                      &growing);
  }

  flatbuffers::Offset<program::Stage> writeStage(const HostStage &stage) {
    auto attributes = writeSettings(stage.attributes);
    auto host = program::CreateHostKernelDirect(builder, stage.op.c_str(), stage.name.c_str(),
                                                &stage.inputs, &stage.outputs, &attributes);
    return program::CreateStage(builder, host, 0);
  }

  flatbuffers::Offset<program::Stage> writeStage(const AcceleratorStage &stage) {
    std::vector<flatbuffers::Offset<program::Memory>> memories;
    for (const MemoryImage &memory : stage.kernel.memories)
      memories.push_back(program::CreateMemoryDirect(
          builder, memory.name.c_str(), memory.elementBits, uint64_t(memory.elements)));
    std::vector<program::Descriptor> descriptors;
    for (const DescriptorImage &descriptor : stage.kernel.descriptors)
      descriptors.push_back(convert(descriptor));
    auto accelerator = program::CreateAcceleratorStageDirect(
        builder, stage.target.c_str(), stage.name.c_str(), &stage.bindings, stage.inputs, &memories,
        &descriptors, &stage.kernel.words);
    return program::CreateStage(builder, 0, accelerator);
  }

  static program::Descriptor convert(const DescriptorImage &from) {
    std::array<program::Term, isa::LoopOp::kMaxDepth> terms;
    for (auto [term, source] : llvm::zip(terms, from.terms))
      term = program::Term(source.stride, int32_t(source.rowStep), uint32_t(source.modulus));
    return program::Descriptor(
        from.base, uint32_t(from.rows), uint32_t(from.cols), uint64_t(from.rowStride),
        int32_t(from.rowBase), uint32_t(from.rowLimit), uint16_t(from.memory),
        uint16_t(from.binding),
        flatbuffers::span<const program::Term, isa::LoopOp::kMaxDepth>(terms));
  }

  const ProgramImage &image;
  flatbuffers::FlatBufferBuilder builder;
};

//===-- Data ---------------------------------------------------------------===//

/// Writes the bytes of a constant; fails at `loc` if it has none.
LogicalResult writeConstant(raw_ostream &out, ElementsAttr constant, const PageReleaser &pages,
                            Location loc) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(constant)) {
    const AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return emitError(loc) << "has no data for the resource '" << resource.getRawHandle().getKey()
                            << "'";
    out.write(blob->getData().data(), blob->getData().size());
    pages.release(blob->getData());
    return success();
  }
  auto dense = dyn_cast<DenseElementsAttr>(constant);
  if (!dense)
    return emitError(loc) << "cannot be assembled: constants must be dense";
  if (dense.getElementType().isInteger(1)) {
    for (bool bit : dense.getValues<bool>())
      out << char(bit);
    return success();
  }
  ArrayRef<char> raw = dense.getRawData();
  for (int64_t i = 0, n = dense.isSplat() ? dense.getNumElements() : 1; i < n; ++i)
    out.write(raw.data(), raw.size());
  return success();
}

/// Bytes into 64-bit words, so that what is written has the alignment of a program file.
class WordStream : public raw_ostream {
public:
  explicit WordStream(std::vector<uint64_t> &words)
      : raw_ostream(/*unbuffered=*/true), words(words) {}

private:
  void write_impl(const char *data, size_t size) override {
    words.resize(llvm::divideCeil(bytes + size, sizeof(uint64_t)));
    std::memcpy(reinterpret_cast<char *>(words.data()) + bytes, data, size);
    bytes += size;
  }
  uint64_t current_pos() const override { return bytes; }
  void reserveExtraSpace(uint64_t size) override {
    words.reserve(llvm::divideCeil(bytes + size, sizeof(uint64_t)));
  }

  std::vector<uint64_t> &words;
  uint64_t bytes = 0;
};

/// Writes frame, table and data.
LogicalResult writeProgram(raw_ostream &out, const ProgramImage &image, Location loc) {
  TableWriter table(image);
  table.write();
  runtime::ProgramHeader header{};
  std::memcpy(header.magic, runtime::ProgramHeader::kMagic, sizeof header.magic);
  header.version = runtime::ProgramHeader::kVersion;
  header.tableOffset = sizeof header;
  header.tableBytes = table.getBytes().size();
  header.dataOffset = llvm::alignTo(header.tableOffset + header.tableBytes, kAlignment);
  header.dataBytes = image.dataBytes;
  out.reserveExtraSpace(header.dataOffset + header.dataBytes);
  out.write(reinterpret_cast<const char *>(&header), sizeof header);
  out << table.getBytes();
  out.write_zeros(unsigned(header.dataOffset - header.tableOffset - header.tableBytes));
  PageReleaser pages;
  uint64_t position = 0;
  for (const auto &[offset, constant] : image.data) {
    out.write_zeros(unsigned(offset - position));
    uint64_t start = out.tell();
    if (failed(writeConstant(out, constant, pages, loc)))
      return failure();
    position = offset + (out.tell() - start);
  }
  if (position != image.dataBytes)
    return emitError(loc) << "has constants of " << position << " bytes where their types need "
                          << image.dataBytes;
  return success();
}

} // namespace

LogicalResult assembleToFile(ModuleOp module, const std::string &path, const Provenance &provenance,
                             ProgramCheck check) {
  FailureOr<ProgramImage> image = buildProgram(module, provenance);
  if (failed(image))
    return failure();
  auto fail = [&](llvm::Error error) {
    return emitError(module.getLoc())
           << "cannot write " << path << ": " << llvm::toString(std::move(error));
  };
  // A rename within the folder is atomic: nobody ever sees half a program under this name.
  llvm::Expected<llvm::sys::fs::TempFile> file =
      llvm::sys::fs::TempFile::create(path + ".%%%%%%.tmp");
  if (!file)
    return fail(file.takeError());
  llvm::raw_fd_ostream out(file->FD, /*shouldClose=*/false);
  LogicalResult result = writeProgram(out, *image, module.getLoc());
  out.flush();
  std::error_code code = out.error();
  out.clear_error();
  if (succeeded(result) && !code && check)
    result = check(file->TmpName);
  if (failed(result) || code) {
    llvm::consumeError(file->discard());
    return failed(result) ? failure() : LogicalResult(fail(llvm::errorCodeToError(code)));
  }
  if (llvm::Error error = file->keep(path))
    return fail(std::move(error));
  return success();
}

FailureOr<std::vector<uint64_t>> assembleToMemory(ModuleOp module, const Provenance &provenance) {
  FailureOr<ProgramImage> image = buildProgram(module, provenance);
  if (failed(image))
    return failure();
  std::vector<uint64_t> words;
  WordStream out(words);
  if (failed(writeProgram(out, *image, module.getLoc())))
    return failure();
  return words;
}

} // namespace sparsam
