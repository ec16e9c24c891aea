// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ProgramChecker.cpp - checks what a program's table claims ----------===//

#include "runtime/program/ProgramChecker.h"

#include "runtime/program/Program.h"
#include "runtime/program/Program_generated.h"
#include "runtime/support/Text.h"

#include <set>
#include <string>

namespace sparsam::runtime {

/// Tensors of more dimensions do not exist in ONNX models.
static constexpr unsigned kMaxRank = 32;

namespace {

/// The FlatBuffers verifier does not look at the alignment of the elements of a vector. Without
/// elements, as in the shape of a scalar, there is none.
template <typename Vector> bool isAligned(const Vector *vector) {
  return !vector || vector->size() == 0 ||
         reinterpret_cast<uintptr_t>(vector->Data()) % alignof(uint64_t) == 0;
}

class Checker {
public:
  Checker(const program::Program &program, uint64_t dataBytes)
      : program_(program), dataBytes_(dataBytes) {}

  Status run() {
    if (program_.data_bytes() != dataBytes_)
      return makeError("its table claims ", program_.data_bytes(), " bytes of data, the file has ",
                       dataBytes_);
    for (unsigned i = 0; i < program_.tensors()->size(); ++i)
      if (Status status = checkTensor(*program_.tensors()->Get(i)); !status)
        return status;
    if (Status status = checkInterface(*program_.inputs(), "input", true); !status)
      return status;
    if (Status status = checkAllInputsBound(); !status)
      return status;
    if (Status status = checkInterface(*program_.outputs(), "output", false); !status)
      return status;
    if (Status status = program_.cache() ? checkCache(program_, *program_.cache()) : Status();
        !status)
      return status;
    for (auto attributes : {program_.arch(), program_.provenance()})
      if (Status status = checkAttributes(attributes, "the program"); !status)
        return status;
    for (unsigned i = 0; i < program_.stages()->size(); ++i)
      if (Status status = checkStage(*program_.stages()->Get(i), i); !status)
        return status;
    return Status();
  }

private:
  static std::string quoted(const flatbuffers::String *name) {
    return "'" + printable(name->string_view()) + "'";
  }

  Status checkTensor(const program::Tensor &tensor) {
    std::string what = "tensor " + quoted(tensor.name());
    if (tensor.name()->size() == 0)
      return makeError("a tensor has no name");
    if (tensor.dtype() > program::DType::MAX || tensor.kind() > program::TensorKind::MAX)
      return makeError(what, " has an unknown type or kind");
    if (tensor.shape() && tensor.shape()->size() > kMaxRank)
      return makeError(what, " has ", tensor.shape()->size(), " dimensions; at most ", kMaxRank,
                       " are possible");
    if (!isAligned(tensor.shape()))
      return makeError(what, " has a misaligned shape");
    TensorView view = viewOf(tensor);
    std::optional<uint64_t> bytes = checkedBytes(view.dtype, view.shape);
    if (!bytes)
      return makeError(what, " has the impossible shape ", toString(view.shape));
    if (*bytes != tensor.bytes())
      return makeError(what, " of shape ", toString(view.shape), " has ", *bytes,
                       " bytes, its table says ", tensor.bytes());
    if (tensor.kind() == program::TensorKind::input || tensor.kind() == program::TensorKind::output)
      return Status();
    const auto [space, where] = spaceOf(tensor.kind());
    if (tensor.offset() % ProgramHeader::kAlignment != 0)
      return makeError(what, " lies at ", tensor.offset(), ", which is no multiple of ",
                       ProgramHeader::kAlignment);
    if (tensor.offset() > space || *bytes > space - tensor.offset())
      return makeError(what, " [", tensor.offset(), ", +", *bytes, ") does not lie inside of the ",
                       space, " bytes of ", where);
    return Status();
  }

  std::pair<uint64_t, const char *> spaceOf(program::TensorKind kind) const {
    if (kind == program::TensorKind::constant)
      return {dataBytes_, "data"};
    if (kind == program::TensorKind::state)
      return {program_.state_bytes(), "the state"};
    return {program_.arena_bytes(), "the arena"};
  }

  /// Inputs or outputs: indices of tensors with names of their own.
  Status checkInterface(const flatbuffers::Vector<int32_t> &indices, const char *what,
                        bool areInputs) {
    std::set<std::string> names;
    for (int32_t index : indices) {
      const program::Tensor *tensor = tensorAt(index);
      if (!tensor)
        return noTensor("the program", what, index);
      if (areInputs && tensor->kind() != program::TensorKind::input)
        return makeError("tensor ", quoted(tensor->name()), " is used as an input, but is none");
      if (!names.insert(tensor->name()->str()).second)
        return makeError("two ", what, "s have the name ", quoted(tensor->name()));
    }
    return Status();
  }

  /// A tensor of kind input that the caller never binds would have no data.
  Status checkAllInputsBound() {
    std::set<int32_t> bound(program_.inputs()->begin(), program_.inputs()->end());
    for (uint32_t i = 0; i < program_.tensors()->size(); ++i)
      if (program_.tensors()->Get(i)->kind() == program::TensorKind::input &&
          !bound.count(int32_t(i)))
        return makeError("tensor ", quoted(program_.tensors()->Get(i)->name()),
                         " is an input, but is not among the program's inputs");
    return Status();
  }

  Status checkStage(const program::Stage &stage, unsigned index) {
    if (bool(stage.host()) == bool(stage.accelerator()))
      return makeError("stage ", index, " must have either a host kernel or an accelerator kernel");
    return stage.host() ? checkHost(*stage.host(), index)
                        : checkAccelerator(*stage.accelerator(), index);
  }

  Status checkHost(const program::HostKernel &kernel, unsigned index) {
    std::string what =
        "stage " + std::to_string(index) + " (" + printable(kernel.op()->string_view()) + ")";
    if (kernel.inputs())
      for (int32_t input : *kernel.inputs())
        if (input != -1 && !tensorAt(input))
          return noTensor(what, "input", input);
    if (kernel.outputs())
      for (int32_t output : *kernel.outputs())
        if (Status status = checkWritten(what, output); !status)
          return status;
    return checkAttributes(kernel.attributes(), what);
  }

  Status checkAccelerator(const program::AcceleratorStage &stage, unsigned index) {
    std::string what = "stage " + std::to_string(index) + " (kernel " + quoted(stage.name()) + ")";
    if (!kernels_.insert(stage.name()->str()).second)
      return makeError(what, " has the name of another kernel");
    std::string target = program_.target() ? program_.target()->str() : "";
    if (target.empty())
      return makeError(what, " needs an accelerator, but the program names no target");
    if (stage.target()->string_view() != target)
      return makeError(what, " is for target ", quoted(stage.target()), ", the program for '",
                       printable(target), "'");
    if (!isAligned(stage.descriptors()))
      return makeError(what, " has misaligned address descriptors");
    unsigned count = stage.bindings() ? stage.bindings()->size() : 0;
    if (stage.inputs() > count)
      return makeError(what, " has ", stage.inputs(), " inputs among ", count, " bindings");
    for (unsigned i = 0; i < count; ++i) {
      int32_t binding = stage.bindings()->Get(i);
      if (!tensorAt(binding))
        return noTensor(what, "binding", binding);
      if (i < stage.inputs())
        continue;
      if (Status status = checkWritten(what, binding); !status)
        return status;
    }
    return Status();
  }

  Status checkWritten(const std::string &what, int32_t index) {
    const program::Tensor *tensor = tensorAt(index);
    if (!tensor)
      return noTensor(what, "output", index);
    if (tensor->kind() == program::TensorKind::input ||
        tensor->kind() == program::TensorKind::constant)
      return makeError(what, " writes tensor ", quoted(tensor->name()),
                       ", which is an input or a constant");
    return Status();
  }

  Status
  checkAttributes(const flatbuffers::Vector<flatbuffers::Offset<program::Attribute>> *attributes,
                  const std::string &what) {
    std::set<std::string> names;
    for (unsigned i = 0; attributes && i < attributes->size(); ++i) {
      const program::Attribute *attribute = attributes->Get(i);
      if (attribute->kind() > program::AttributeKind::MAX ||
          (attribute->kind() == program::AttributeKind::text && !attribute->s()) ||
          !isAligned(attribute->ints()) || !isAligned(attribute->floats()))
        return makeError("attribute ", quoted(attribute->name()), " of ", what,
                         " has no readable value");
      if (!names.insert(attribute->name()->str()).second)
        return makeError("attribute ", quoted(attribute->name()), " of ", what, " is there twice");
    }
    return Status();
  }

  const program::Tensor *tensorAt(int32_t index) const {
    return index >= 0 && uint32_t(index) < program_.tensors()->size()
               ? program_.tensors()->Get(uint32_t(index))
               : nullptr;
  }

  Error noTensor(const std::string &what, const char *role, int32_t index) const {
    return makeError(what, " has tensor ", index, " as ", role, "; there are ",
                     program_.tensors()->size());
  }

  const program::Program &program_;
  uint64_t dataBytes_;
  std::set<std::string> kernels_;
};

} // namespace

Status checkProgram(const program::Program &program, uint64_t dataBytes) {
  return Checker(program, dataBytes).run();
}

} // namespace sparsam::runtime
