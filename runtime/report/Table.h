// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Table.h - tables for people ----------------------------------------===//
#ifndef SPARSAM_RUNTIME_REPORT_TABLE_H
#define SPARSAM_RUNTIME_REPORT_TABLE_H

#include <string>
#include <vector>

namespace sparsam::runtime {

/// Rows of texts under headings; columns whose cells all begin as numbers are aligned to the right.
class Table {
public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

  /// A row may be shorter than the headings; the rest stays empty.
  void addRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  /// Every line indented by two blanks and ended by a line feed.
  std::string toString() const;

private:
  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
};

/// Numbers for people: "12 345 678".
std::string groupDigits(long long value);
/// Four significant digits with a prefix: "1.234 ms", "56.78 MB", "9.012 nJ".
std::string formatSeconds(double seconds);
std::string formatBytes(double bytes);
std::string formatPicojoules(double picojoules);
/// "12.3 %".
std::string formatPercent(double fraction);

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_REPORT_TABLE_H
