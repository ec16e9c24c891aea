// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Decoder.cpp - greedy decoding with a session -----------------------===//

#include "tools/sparsam/Decoder.h"

#include "runtime/program/Program_generated.h"
#include "runtime/support/Text.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace sparsam::driver {

using namespace runtime;

Result<Tensor> toTokens(const std::string &name, const Tensor &tensor) {
  const bool isInteger = tensor.dtype() == DType::i64 || tensor.dtype() == DType::i32;
  if (!isInteger || tensor.elements() < 1)
    return makeError("input '", name, "' must hold token numbers (int64, at least one), got ",
                     runtime::name(tensor.dtype()), " of shape ", toString(tensor.shape()));
  Tensor tokens(DType::i64, {1, tensor.elements()});
  for (int64_t i = 0; i < tensor.elements(); ++i)
    tokens.as<int64_t>()[i] =
        tensor.dtype() == DType::i64 ? tensor.as<int64_t>()[i] : tensor.as<int32_t>()[i];
  return tokens;
}

/// The shape of an input of the program; null if it has none of that name.
static const program::Tensor *findInput(const Session &session, const std::string &name) {
  const program::Program &table = session.program().table();
  for (int32_t index : *table.inputs())
    if (table.tensors()->Get(uint32_t(index))->name()->string_view() == name)
      return table.tensors()->Get(uint32_t(index));
  return nullptr;
}

static Status missing(const Session &session, const char *what, const std::string &name,
                      const char *option) {
  return makeError("the program has no ", what, " '", printable(name), "' (", option, ")");
}

Status Decoder::prepare() {
  const program::Program &table = session_.program().table();
  if (!session_.hasState())
    return makeError(session_.program().name(),
                     " keeps no caches; compile the model with --cache NAME=1024");
  if (session_.step() != 1)
    return makeError(session_.program().name(), " takes ", session_.step(),
                     " tokens in a run; compile the model for one, --shape ", names_.tokens,
                     "=1x1");
  const program::Tensor *tokens = findInput(session_, names_.tokens);
  if (!tokens)
    return missing(session_, "input", names_.tokens, "--token-input");
  const auto &outputs = *table.outputs();
  if (std::none_of(outputs.begin(), outputs.end(), [&](int32_t index) {
        return table.tensors()->Get(uint32_t(index))->name()->string_view() == names_.logits;
      }))
    return missing(session_, "output", names_.logits, "--logits-output");
  TensorMap caches;
  for (const program::State *state : *table.cache()->states())
    for (const std::string &name : {state->input()->str(), state->output()->str()})
      if (auto it = given_.find(name); it != given_.end()) {
        caches.insert(*it);
        given_.erase(it);
      }
  // What a prompt hands over for rankings that this program does not make.
  std::erase_if(given_, [](const auto &named) { return named.first.starts_with("sparsam."); });
  return caches.empty() ? Status() : session_.setState(caches);
}

/// What is given of a tensor, and ones behind it along `axis`.
template <typename T> static void fillUp(Tensor &mask, size_t axis, const Tensor *given) {
  int64_t inner = 1;
  for (size_t d = axis + 1; d < mask.shape().size(); ++d)
    inner *= mask.shape()[d];
  const int64_t extent = mask.shape()[axis], known = given ? given->shape()[axis] : 0;
  for (int64_t i = 0; i < mask.elements(); ++i) {
    const int64_t row = i / (extent * inner), at = i / inner % extent;
    const int64_t from = (row * known + at) * inner + i % inner;
    mask.as<T>()[i] = at < known ? given->as<T>()[from] : T(1);
  }
}

/// The input with `extent` entries along `axis`: those of `given` (may be null), then ones.
static Result<Tensor> continued(const program::Tensor &input, size_t axis, int64_t extent,
                                const Tensor *given) {
  Shape shape(input.shape()->begin(), input.shape()->end());
  shape[axis] = extent;
  Tensor mask(DType(input.dtype()), shape);
  if (given) {
    shape[axis] = given->shape().size() == shape.size() ? given->shape()[axis] : 0;
    if (given->dtype() != mask.dtype() || given->shape() != shape)
      return makeError("input '", input.name()->str(), "' must be ", name(mask.dtype()),
                       " of shape ", toString(mask.shape()), ", or less along axis ", axis,
                       ", got ", name(given->dtype()), " of shape ", toString(given->shape()));
  }
  switch (mask.dtype()) {
  case DType::i64:
    fillUp<int64_t>(mask, axis, given);
    return mask;
  case DType::i32:
    fillUp<int32_t>(mask, axis, given);
    return mask;
  case DType::f32:
    fillUp<float>(mask, axis, given);
    return mask;
  case DType::boolean:
    fillUp<uint8_t>(mask, axis, given);
    return mask;
  default:
    return makeError("input '", input.name()->str(), "' grows with the caches, but is ",
                     name(mask.dtype()), "; masks are int64, int32, float32 or bool");
  }
}

Result<TensorMap> Decoder::makeInputs(const Tensor &tokens) const {
  TensorMap inputs = given_;
  inputs[names_.tokens] = tokens;
  const int64_t length = session_.length(), count = tokens.elements();
  if (findInput(session_, names_.positions) &&
      (session_.hasState() || !inputs.count(names_.positions))) {
    Tensor positions(DType::i64, {1, count});
    for (int64_t i = 0; i < count; ++i)
      positions.as<int64_t>()[i] = length + i;
    inputs[names_.positions] = positions;
  }
  const program::Program &table = session_.program().table();
  for (unsigned i = 0;
       table.cache() && table.cache()->growing() && i < table.cache()->growing()->size(); ++i) {
    const program::Growing *growing = table.cache()->growing()->Get(i);
    const program::Tensor &input = *table.tensors()->Get(uint32_t(growing->tensor()));
    auto it = given_.find(input.name()->str());
    auto mask = continued(input, growing->axis(), length + int64_t(growing->extra()),
                          it == given_.end() ? nullptr : &it->second);
    if (!mask)
      return mask.error();
    inputs[input.name()->str()] = mask.take();
  }
  return inputs;
}

/// The index of the largest of the last `width` logits.
static Result<int64_t> likeliest(const std::string &name, const TensorMap &outputs) {
  auto it = outputs.find(name);
  if (it == outputs.end() || it->second.dtype() != DType::f32 || it->second.shape().empty() ||
      it->second.elements() < 1)
    return makeError("output '", printable(name), "' is not there, or holds no float32 logits");
  const int64_t width = it->second.shape().back();
  const float *last = it->second.as<float>() + it->second.elements() - width;
  if (!std::all_of(last, last + width, [](float x) { return !std::isnan(x); }))
    return makeError("output '", printable(name), "' holds logits that are not numbers");
  return std::max_element(last, last + width) - last;
}

Result<Decoded> Decoder::run(const Tensor &tokens, const RunOptions &options) {
  auto inputs = makeInputs(tokens);
  if (!inputs)
    return inputs.error();
  auto result = session_.run(*inputs, options);
  if (!result)
    return result.error();
  auto token = likeliest(names_.logits, result->outputs);
  if (!token)
    return token.error();
  return Decoded{*token, result.take()};
}

Result<Decoded> Decoder::step(int64_t token, const RunOptions &options) {
  Tensor tokens(DType::i64, {1, 1});
  *tokens.as<int64_t>() = token;
  return run(tokens, options);
}

Result<Decoded> Decoder::prompt(const Tensor &tokens, const RunOptions &options) {
  // Inputs that only the decoding program has are not for this one; a mask that is missing hides
  // nothing.
  const program::Program &table = session_.program().table();
  TensorMap known;
  for (int32_t index : *table.inputs()) {
    const program::Tensor &input = *table.tensors()->Get(uint32_t(index));
    const std::string name = input.name()->str();
    if (auto it = given_.find(name); it != given_.end())
      known.insert(*it);
    else if (name == "attention_mask" && input.shape() && input.shape()->size() == 2) {
      auto mask = continued(input, 1, input.shape()->Get(1), nullptr);
      if (!mask)
        return mask.error();
      known[name] = mask.take();
    }
  }
  given_ = std::move(known);
  return run(tokens, options);
}

} // namespace sparsam::driver
