// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CacheChecker.cpp - checks what a program keeps between runs --------===//

#include "runtime/program/Program.h"
#include "runtime/program/ProgramChecker.h"
#include "runtime/program/Program_generated.h"
#include "runtime/support/Text.h"

#include <set>

namespace sparsam::runtime {

namespace {

class CacheChecker {
public:
  CacheChecker(const program::Program &program, const program::Cache &cache)
      : program_(program), cache_(cache) {
    for (const flatbuffers::Vector<int32_t> *indices : {program.inputs(), program.outputs()})
      for (int32_t index : *indices)
        names_.insert(program.tensors()->Get(uint32_t(index))->name()->str());
  }

  Status run() {
    if (cache_.capacity() > uint64_t(INT32_MAX) || cache_.step() < 1 ||
        cache_.step() > cache_.capacity())
      return makeError("its caches of ", cache_.capacity(), " tokens cannot take ", cache_.step(),
                       " in a run");
    const program::Tensor *length = tensorAt(cache_.length());
    if (!length || length->kind() != program::TensorKind::state ||
        length->dtype() != program::DType::i64 || viewOf(*length).elements() != 1)
      return makeError("its caches have no int64 scalar of kind state for their length");
    for (const program::State *state : *cache_.states())
      if (Status status = checkState(*state); !status)
        return status;
    for (unsigned i = 0; cache_.growing() && i < cache_.growing()->size(); ++i)
      if (Status status = checkGrowing(*cache_.growing()->Get(i)); !status)
        return status;
    return Status();
  }

private:
  const program::Tensor *tensorAt(int32_t index) const {
    return index >= 0 && uint32_t(index) < program_.tensors()->size()
               ? program_.tensors()->Get(uint32_t(index))
               : nullptr;
  }

  Status checkState(const program::State &state) {
    const std::string what = "state '" + printable(state.input()->string_view()) + "'";
    const program::Tensor *tensor = tensorAt(state.tensor());
    if (!tensor || tensor->kind() != program::TensorKind::state)
      return makeError(what, " is tensor ", state.tensor(), ", which is not of kind state");
    for (const flatbuffers::String *name : {state.input(), state.output()})
      if (name->size() == 0 || !names_.insert(name->str()).second)
        return makeError("another input, output or state has the name '",
                         printable(name->string_view()), "'");
    if (state.axis() == -1)
      return Status();
    const Shape shape = viewOf(*tensor).shape;
    if (state.axis() < -1 || state.axis() >= int32_t(shape.size()) ||
        uint64_t(shape[size_t(state.axis())]) != cache_.capacity())
      return makeError(what, " of shape ", toString(shape), " does not hold ", cache_.capacity(),
                       " tokens along axis ", state.axis());
    return Status();
  }

  Status checkGrowing(const program::Growing &growing) {
    const program::Tensor *tensor = tensorAt(growing.tensor());
    if (!tensor || tensor->kind() != program::TensorKind::input ||
        !growing_.insert(growing.tensor()).second)
      return makeError("tensor ", growing.tensor(),
                       " cannot grow: it is no input, or does already");
    const Shape shape = viewOf(*tensor).shape;
    // Before the last run that fits, the caches hold capacity - step tokens.
    if (growing.axis() >= shape.size() || growing.extra() > uint64_t(INT32_MAX) ||
        uint64_t(shape[growing.axis()]) != cache_.capacity() - cache_.step() + growing.extra())
      return makeError("input '", printable(tensor->name()->string_view()), "' of shape ",
                       toString(shape), " cannot grow by ", growing.extra(), " more than ",
                       cache_.capacity() - cache_.step(), " along axis ", growing.axis());
    return Status();
  }

  const program::Program &program_;
  const program::Cache &cache_;
  std::set<std::string> names_;
  std::set<int32_t> growing_;
};

} // namespace

Status checkCache(const program::Program &program, const program::Cache &cache) {
  return CacheChecker(program, cache).run();
}

} // namespace sparsam::runtime
