// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ExternalData.cpp - tensors in files beside the model ---------------===//
//
// A model may be a stranger's: only files inside its own folder are read.

#include "Tensors.h"
#include "sparsam/Import.h"

#include "mlir/IR/Diagnostics.h"

#include <filesystem>
#include <set>

using namespace mlir;
namespace fs = std::filesystem;

namespace sparsam {

static bool isInside(const fs::path &path, const fs::path &folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
         folder.end();
}

FailureOr<std::shared_ptr<MappedFile>>
TensorReader::openExternal(StringRef location, const std::string &what, Location loc) {
  auto it = externalFiles.find(location.str());
  if (it != externalFiles.end())
    return it->second;
  auto refuse = [&](const Twine &why) -> FailureOr<std::shared_ptr<MappedFile>> {
    return emitError(loc) << what << " has its data in '" << location << "', " << why;
  };
  fs::path relative(location.str());
  if (location.empty() || location.contains('\0') || relative.is_absolute() ||
      llvm::is_contained(relative, ".."))
    return refuse("which is not a path inside the folder of the model");
  std::error_code error;
  fs::path folder = fs::canonical(fs::absolute(modelPath).parent_path(), error);
  if (error)
    return refuse("but the folder of the model cannot be read: " + error.message());
  fs::path path = fs::canonical(folder / relative, error);
  if (error)
    return refuse("but the file '" + (folder / relative).string() +
                  "' cannot be read: " + error.message());
  if (!isInside(path, folder))
    return refuse("which is a link to a file outside the folder of the model");
  auto file = MappedFile::open(path.string());
  if (!file)
    return refuse("but the file '" + path.string() +
                  "' cannot be read: " + llvm::toString(file.takeError()));
  externalFiles[location.str()] = *file;
  return *file;
}

LogicalResult TensorReader::readExternal(const proto::TensorProto &tensor, int64_t bytesNeeded,
                                         Data &data, const std::string &what, Location loc) {
  StringRef location, offsetText = "0", lengthText;
  for (const proto::StringStringEntryProto &entry : tensor.external_data()) {
    if (entry.key() == "location")
      location = entry.value();
    else if (entry.key() == "offset")
      offsetText = entry.value();
    else if (entry.key() == "length")
      lengthText = entry.value();
  }
  uint64_t offset, length = bytesNeeded;
  if (offsetText.getAsInteger(10, offset))
    return emitError(loc) << what << " has the offset '" << offsetText
                          << "' in its external data, which is not a number";
  if (!lengthText.empty() && lengthText.getAsInteger(10, length))
    return emitError(loc) << what << " has the length '" << lengthText
                          << "' in its external data, which is not a number";
  if (length != static_cast<uint64_t>(bytesNeeded))
    return emitError(loc) << what << " has " << length
                          << " bytes of external data, but its type needs " << bytesNeeded;
  FailureOr<std::shared_ptr<MappedFile>> file = openExternal(location, what, loc);
  if (failed(file))
    return failure();
  uint64_t fileBytes = (*file)->bytes().size();
  if (offset > fileBytes || length > fileBytes - offset)
    return emitError(loc) << what << " has " << length << " bytes of data at byte " << offset
                          << " of '" << location << "', which has only " << fileBytes << " bytes";
  data.file = *file;
  data.bytes = (*file)->bytes().slice(offset, length);
  return success();
}

std::vector<std::string> listExternalFiles(const std::string &path) {
  auto file = MappedFile::open(path);
  llvm::Expected<ReducedModel> reduced =
      file ? reduceModel((*file)->bytes()) : llvm::Expected<ReducedModel>(file.takeError());
  proto::ModelProto model;
  // The import will say what is wrong with it.
  if (!reduced) {
    llvm::consumeError(reduced.takeError());
    return {};
  }
  if (!model.ParseFromArray(reduced->bytes.data(), static_cast<int>(reduced->bytes.size())))
    return {};
  std::set<std::string> files;
  auto add = [&](const proto::TensorProto &tensor) {
    for (const proto::StringStringEntryProto &entry : tensor.external_data())
      if (entry.key() == "location")
        files.insert((fs::path(path).parent_path() / entry.value()).string());
  };
  for (const proto::TensorProto &initializer : model.graph().initializer())
    add(initializer);
  for (const proto::NodeProto &node : model.graph().node())
    for (const proto::AttributeProto &attribute : node.attribute())
      add(attribute.t());
  return {files.begin(), files.end()};
}

} // namespace sparsam
