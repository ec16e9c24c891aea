// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Result.h - a value or an error message ----------------------------===//
//
// The runtime reports what a user can cause (bad files, bad shapes, bad options) through these
// types. No exception leaves the runtime; broken invariants are asserts.
//
#ifndef SPARSAM_RUNTIME_SUPPORT_RESULT_H
#define SPARSAM_RUNTIME_SUPPORT_RESULT_H

#include <cassert>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

namespace sparsam::runtime {

/// A message for people: lower case, no full stop, naming the place and the remedy.
struct Error {
  std::string message;
};

/// Builds an Error from anything that can be streamed: `makeError("expects ", 4, " heads, got ",
/// n)`.
template <typename... Parts> Error makeError(const Parts &...parts) {
  std::ostringstream text;
  (text << ... << parts);
  return Error{text.str()};
}

/// A `T`, or why there is none.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  T &operator*() {
    assert(ok());
    return *value_;
  }
  const T &operator*() const {
    assert(ok());
    return *value_;
  }
  T *operator->() {
    assert(ok());
    return &*value_;
  }
  const T *operator->() const {
    assert(ok());
    return &*value_;
  }
  T take() {
    assert(ok());
    return std::move(*value_);
  }
  const Error &error() const {
    assert(!ok());
    return error_;
  }

private:
  std::optional<T> value_;
  Error error_;
};

/// Success, or why not.
template <> class [[nodiscard]] Result<void> {
public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error &error() const {
    assert(!ok());
    return *error_;
  }

private:
  std::optional<Error> error_;
};

using Status = Result<void>;

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_SUPPORT_RESULT_H
