// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Text.h - small helpers for messages and numbers in text ------------===//
#ifndef SPARSAM_RUNTIME_SUPPORT_TEXT_H
#define SPARSAM_RUNTIME_SUPPORT_TEXT_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sparsam::runtime {

/// The candidate with the smallest edit distance to `name`, if it is close enough to be a typing
/// error.
std::optional<std::string> nearestName(std::string_view name,
                                       const std::vector<std::string> &candidates);

/// "; did you mean 'pes'?" or, where nothing is near, "; there are: a, b, c" (at most `limit` of
/// them).
std::string suggestion(std::string_view name, const std::vector<std::string> &candidates,
                       size_t limit = 12);

/// "a, b, c".
std::string join(const std::vector<std::string> &parts, std::string_view separator = ", ");

/// Reads the whole of `text` as a number; nothing for anything else, infinities and NaN included.
std::optional<int64_t> parseInteger(std::string_view text);
std::optional<double> parseReal(std::string_view text);

/// Shortest text that reads back as the same double.
std::string formatReal(double value);

/// Makes a text from a file fit for a message: control characters become '?', long texts are cut.
std::string printable(std::string_view text, size_t limit = 80);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_SUPPORT_TEXT_H
