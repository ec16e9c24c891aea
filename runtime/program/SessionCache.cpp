// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SessionCache.cpp - what a session keeps from run to run ------------===//

#include "runtime/program/Program_generated.h"
#include "runtime/program/SessionState.h"
#include "runtime/support/Text.h"

#include <algorithm>
#include <cstring>

namespace sparsam::runtime {

const program::Cache *Session::State::cache() const { return program->table().cache(); }

bool Session::hasState() const { return state_->cache() != nullptr; }
int64_t Session::length() const { return hasState() ? state_->length() : 0; }
int64_t Session::capacity() const { return hasState() ? int64_t(state_->cache()->capacity()) : 0; }
int64_t Session::step() const { return hasState() ? int64_t(state_->cache()->step()) : 0; }

Status Session::State::allocateState() {
  const program::Program &table = program->table();
  std::optional<Tensor> memory;
  if (table.state_bytes() <= uint64_t(INT64_MAX))
    memory = Tensor::tryAllocate(DType::u8, {int64_t(table.state_bytes())});
  if (!memory)
    return makeError("not enough memory for the ", table.state_bytes(), " bytes of its caches");
  kept = *memory;
  for (unsigned i = 0; i < table.tensors()->size(); ++i)
    if (table.tensors()->Get(i)->kind() == program::TensorKind::state)
      tensors[i].data = kept.as<uint8_t>() + table.tensors()->Get(i)->offset();
  return Status();
}

int64_t &Session::State::length() { return *tensors[size_t(cache()->length())].as<int64_t>(); }

void Session::reset() {
  if (hasState())
    std::memset(state_->kept.as<void>(), 0, state_->kept.bytes());
}

//===-- Parts of a tensor along an axis ------------------------------------===//

namespace {

/// Tensors that differ along one axis: pieces of whole rows, one after the other in each.
struct Pieces {
  int64_t count = 1, rowBytes; ///< how many, and bytes of one entry along the axis

  Pieces(const TensorView &tensor, size_t axis) : rowBytes(byteWidth(tensor.dtype)) {
    for (size_t d = 0; d < tensor.shape.size(); ++d)
      (d < axis ? count : rowBytes) *= d == axis ? 1 : tensor.shape[d];
  }
  /// Copies `entries` of each piece.
  void copy(const TensorView &from, int64_t fromExtent, const TensorView &to, int64_t toExtent,
            int64_t entries) const {
    for (int64_t i = 0; entries > 0 && i < count; ++i)
      std::memcpy(to.as<char>() + i * toExtent * rowBytes,
                  from.as<char>() + i * fromExtent * rowBytes, size_t(entries * rowBytes));
  }
};

/// The shape with another extent in one dimension.
Shape with(Shape shape, size_t axis, int64_t extent) {
  shape[axis] = extent;
  return shape;
}

} // namespace

//===-- Set and get --------------------------------------------------------===//

TensorMap Session::State::pickState(const TensorMap &inputs) const {
  TensorMap picked;
  for (unsigned i = 0; cache() && i < cache()->states()->size(); ++i)
    if (auto it = inputs.find(cache()->states()->Get(i)->input()->str()); it != inputs.end())
      picked.insert(*it);
  return picked;
}

/// The number of tokens in `given` for a state of shape `wanted`.
static Result<int64_t> tokensIn(const std::string &name, const Tensor &given,
                                const TensorView &wanted, int axis, int64_t capacity) {
  if (given.dtype() != wanted.dtype)
    return makeError("state '", name, "' must be ", runtime::name(wanted.dtype), ", got ",
                     runtime::name(given.dtype()));
  const bool hasRank = given.shape().size() == wanted.shape.size();
  const int64_t tokens = axis < 0 || !hasRank ? 0 : given.shape()[size_t(axis)];
  const Shape expected = axis < 0 ? wanted.shape : with(wanted.shape, size_t(axis), tokens);
  if (!hasRank || given.shape() != expected)
    return makeError("state '", name, "' must have shape ", toString(wanted.shape),
                     axis < 0 ? "" : ", or less along axis " + std::to_string(axis), ", got ",
                     toString(given.shape()));
  if (tokens > capacity)
    return makeError("state '", name, "' holds ", tokens, " tokens, the program was compiled for ",
                     capacity, " (--cache)");
  return tokens;
}

/// Copies between what the session keeps and a tensor with fewer tokens along `axis`, or as many.
static void copyState(const TensorView &from, const TensorView &to, int axis) {
  if (axis < 0) {
    std::memcpy(to.data, from.data, to.bytes());
    return;
  }
  const int64_t fromExtent = from.shape[size_t(axis)], toExtent = to.shape[size_t(axis)];
  Pieces(to, size_t(axis)).copy(from, fromExtent, to, toExtent, std::min(fromExtent, toExtent));
}

/// True for a state that the model does not have: a pass of the compiler made it. It starts with
/// zeros.
static bool isOfCompiler(const program::State &state) {
  return state.input()->string_view().starts_with("sparsam.");
}

Status Session::State::setState(const TensorMap &given) {
  const auto &states = *cache()->states();
  std::vector<const Tensor *> found;
  std::optional<int64_t> tokens;
  for (const program::State *state : states) {
    auto it = given.find(state->input()->str());
    it = it == given.end() ? given.find(state->output()->str()) : it;
    if (it == given.end() && isOfCompiler(*state)) {
      found.push_back(nullptr);
      continue;
    }
    if (it == given.end())
      return makeError("state '", state->input()->str(),
                       "' is missing: all caches are given, or none");
    auto held = tokensIn(it->first, it->second, tensors[size_t(state->tensor())], state->axis(),
                         int64_t(cache()->capacity()));
    if (!held)
      return held.error();
    if (state->axis() >= 0 && tokens.value_or(*held) != *held)
      return makeError("state '", it->first, "' holds ", *held, " tokens, the others ", *tokens);
    tokens = state->axis() >= 0 ? *held : tokens;
    found.push_back(&it->second);
  }
  for (unsigned i = 0; i < states.size(); ++i) {
    const TensorView &kept = tensors[size_t(states.Get(i)->tensor())];
    if (found[i])
      copyState(found[i]->view(), kept, states.Get(i)->axis());
    else
      std::memset(kept.data, 0, kept.bytes());
  }
  length() = tokens.value_or(0);
  return Status();
}

Status Session::setState(const TensorMap &tensors) {
  if (!hasState())
    return makeError("the program has no caches; compile the model with --cache");
  return state_->setState(tensors);
}

void Session::State::addState(TensorMap &outputs) const {
  for (const program::State *state : *cache()->states()) {
    const TensorView &from = tensors[size_t(state->tensor())];
    const int64_t tokens = *tensors[size_t(cache()->length())].as<int64_t>();
    Tensor copy(from.dtype,
                state->axis() < 0 ? from.shape : with(from.shape, size_t(state->axis()), tokens));
    copyState(from, copy.view(), state->axis());
    outputs[state->output()->str()] = std::move(copy);
  }
}

TensorMap Session::state() const {
  TensorMap result;
  if (hasState())
    state_->addState(result);
  return result;
}

//===-- Inputs that grow ---------------------------------------------------===//

Result<std::optional<Tensor>> Session::State::fillUp(unsigned index, const std::string &name,
                                                     const Tensor &value) {
  const program::Growing *growing = nullptr;
  for (unsigned i = 0; cache() && cache()->growing() && i < cache()->growing()->size(); ++i)
    if (cache()->growing()->Get(i)->tensor() == int32_t(index))
      growing = cache()->growing()->Get(i);
  if (!growing)
    return std::optional<Tensor>();
  const TensorView &wanted = tensors[index];
  const int64_t extent = length() + int64_t(growing->extra());
  const Shape expected = with(wanted.shape, growing->axis(), extent);
  if (value.shape() != expected)
    return makeError("input '", name, "' must have shape ", toString(expected),
                     " (the caches hold ", length(), " tokens), got ", toString(value.shape()));
  Tensor filled(value.dtype(), wanted.shape);
  Pieces(filled.view(), growing->axis())
      .copy(value.view(), extent, filled.view(), wanted.shape[growing->axis()], extent);
  return std::optional<Tensor>(std::move(filled));
}

} // namespace sparsam::runtime
