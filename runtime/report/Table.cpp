// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Table.cpp - tables for people --------------------------------------===//

#include "runtime/report/Table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace sparsam::runtime {

/// Characters of UTF-8 text.
static size_t displayWidth(const std::string &text) {
  return size_t(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

static bool looksNumeric(const std::string &cell) {
  return cell.empty() || cell == "-" || (cell[0] >= '0' && cell[0] <= '9') ||
         (cell[0] == '-' && cell.size() > 1 && cell[1] >= '0' && cell[1] <= '9');
}

std::string Table::toString() const {
  size_t columns = headings_.size();
  std::vector<size_t> widths(columns);
  std::vector<bool> isNumeric(columns, true);
  for (size_t c = 0; c < columns; ++c) {
    widths[c] = displayWidth(headings_[c]);
    for (const auto &row : rows_)
      if (c < row.size()) {
        widths[c] = std::max(widths[c], displayWidth(row[c]));
        isNumeric[c] = isNumeric[c] && looksNumeric(row[c]);
      }
  }
  std::string text;
  auto addLine = [&](const std::vector<std::string> &cells) {
    std::string line;
    for (size_t c = 0; c < columns; ++c) {
      std::string cell = c < cells.size() ? cells[c] : "";
      std::string padding(widths[c] - displayWidth(cell), ' ');
      line += "  " + (isNumeric[c] ? padding + cell : cell + padding);
    }
    line.resize(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  };
  addLine(headings_);
  std::vector<std::string> rules;
  for (size_t width : widths)
    rules.emplace_back(width, '-');
  addLine(rules);
  for (const auto &row : rows_)
    addLine(row);
  return text;
}

std::string groupDigits(long long value) {
  std::string digits = std::to_string(value);
  size_t first = digits[0] == '-' ? 1 : 0;
  for (size_t i = digits.size(); i > first + 3;) {
    i -= 3;
    digits.insert(i, " ");
  }
  return digits;
}

/// `value` in the largest of `units` (each 1/step of the next) that leaves a number of at least 1.
static std::string scaled(double value, double step, const std::vector<const char *> &units) {
  size_t unit = 0;
  while (unit + 1 < units.size() && std::abs(value) >= step) {
    value /= step;
    ++unit;
  }
  char text[64];
  std::snprintf(text, sizeof text, "%.4g %s", value, units[unit]);
  return text;
}

std::string formatSeconds(double seconds) {
  return scaled(seconds * 1e9, 1000, {"ns", "us", "ms", "s"});
}
std::string formatBytes(double bytes) { return scaled(bytes, 1000, {"B", "kB", "MB", "GB", "TB"}); }
std::string formatPicojoules(double picojoules) {
  return scaled(picojoules, 1000, {"pJ", "nJ", "uJ", "mJ", "J"});
}

std::string formatPercent(double fraction) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", fraction * 100);
  return text;
}

} // namespace sparsam::runtime
