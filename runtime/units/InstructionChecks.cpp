// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- InstructionChecks.cpp - what instructions are checked for ----------===//

#include "runtime/units/InstructionChecks.h"

namespace sparsam::runtime {

Status InstructionChecks::all(std::initializer_list<Status> statuses) {
  for (const Status &status : statuses)
    if (!status)
      return status;
  return Status();
}

Status InstructionChecks::expect(const char *what, int64_t got, const char *limitName,
                                 int64_t limit) {
  if (got == limit)
    return Status();
  return makeError("expects ", what, " = ", limit, " (", limitName, "), got ", got);
}

Status InstructionChecks::expectAtMost(const char *what, int64_t got, const char *limitName,
                                       int64_t limit) {
  if (got <= limit)
    return Status();
  return makeError("expects at most ", limit, " ", what, " (", limitName, "), got ", got);
}

Status InstructionChecks::expectShape(uint16_t descriptor, int64_t rows, int64_t cols,
                                      const char *what) const {
  const AddressGenerator &t = tile(descriptor);
  if (int64_t(t.rows) == rows && int64_t(t.cols) == cols)
    return Status();
  return makeError("expects ", what, " of ", rows, "x", cols, ", got ", t.rows, "x", t.cols);
}

Status InstructionChecks::expectSameShape(uint16_t a, uint16_t b) const {
  const AddressGenerator &x = tile(a), &y = tile(b);
  if (x.rows == y.rows && x.cols == y.cols)
    return Status();
  return makeError("expects tiles of one shape, got ", x.rows, "x", x.cols, " and ", y.rows, "x",
                   y.cols);
}

Status InstructionChecks::expectResult(uint16_t destination) const {
  const unsigned binding = tile(destination).binding;
  if (binding >= inputs_)
    return Status();
  return makeError("binding ", binding, " is an input and cannot be stored to");
}

} // namespace sparsam::runtime
