// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Encoder.cpp - command words from instructions ----------------------===//

#include "isa/Encoder.h"

#include <bit>
#include <cassert>

using namespace mlir;

namespace sparsam::isa {

Encoder::~Encoder() = default;

void Encoder::begin(uint8_t opcode) {
  groupStart = words.size();
  words.push_back(opcode);
  usedBits = 16;
}

void Encoder::end() {
  size_t length = words.size() - groupStart;
  assert(length < 256 && "an instruction has at most 255 words");
  words[groupStart] |= uint32_t(length) << 8;
}

void Encoder::field(uint64_t value, unsigned bits) {
  assert(bits <= 32 && (bits == 32 || value < (uint64_t(1) << bits)) &&
         "verified by the instruction's ODS");
  if (usedBits + bits > 32) {
    words.push_back(0);
    usedBits = 0;
  }
  words.back() |= uint32_t(value << usedBits);
  usedBits += bits;
}

void Encoder::real(float value) { field(std::bit_cast<uint32_t>(value), 32); }

LogicalResult Encoder::descriptor(Value value) {
  constexpr uint16_t kAbsent = 0xffff;
  FailureOr<uint16_t> index = value ? getDescriptor(value) : FailureOr<uint16_t>(kAbsent);
  if (failed(index))
    return failure();
  field(*index, 16);
  return success();
}

LogicalResult Encoder::counter(Value value) {
  FailureOr<uint8_t> number = getCounter(value);
  if (failed(number))
    return failure();
  field(*number, 8);
  return success();
}

} // namespace sparsam::isa
