// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MaskPattern.cpp - windows and global tokens that make a mask -------===//

#include "Transforms/MaskBits.h"

#include "llvm/ADT/STLExtras.h"

#include <cstdlib>
#include <limits>

using namespace mlir;

namespace sparsam {

namespace {

/// What is written of one number or of several.
std::string pairsThatDoNotFit(int64_t count) {
  return count == 1 ? "1 pair does not fit: "
                    : std::to_string(count) + " pairs do not fit, the first is ";
}

class Finder {
public:
  explicit Finder(const MaskBits &mask)
      : mask(mask), n(mask.tokens), inRow(size_t(n), 0), inColumn(size_t(n), 0),
        isIgnored(size_t(n), 0) {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        inRow[size_t(i)] += mask.at(i, j);
        inColumn[size_t(j)] += mask.at(i, j);
      }
  }

  FoundPattern run(bool hidesKeys) {
    if (llvm::all_of(mask.visible, [](uint8_t bit) { return bit; })) {
      result.windows.push_back({-(n - 1), 2 * n - 1, 1});
      return result;
    }
    if (llvm::all_of(inRow, [](int64_t keys) { return keys == 0; }))
      return refuse("it hides every pair");
    if (explain())
      return result;
    if (!ignoreHiddenKeys() || !explain())
      return hidesKeys && explainRows() ? result : refuse(describe());
    if (hidesKeys)
      return result;
    return refuse("key " + std::to_string(result.hiddenKeys.front()) +
                  " is hidden from every query" + others(int64_t(result.hiddenKeys.size()) - 1));
  }

private:
  //===-- Patterns that fit ------------------------------------------------===//

  /// True if windows explain the mask, or windows and global tokens.
  bool explain() {
    // In a short sequence a window may explain tokens that see everything.
    return explain(kNoToken) || explain(1.0);
  }

  /// Explains the mask with global tokens that see `share` of all and are seen by as many.
  bool explain(double share) {
    result = FoundPattern();
    findCandidates(share);
    findOffsets();
    chooseGlobals();
    makeWindows(listOffsets());
    countMisfits();
    for (int64_t j = 0; j < n; ++j)
      if (isIgnored[size_t(j)])
        result.hiddenKeys.push_back(j);
    return misfits == 0;
  }

  /// Takes keys that no query sees out of what windows have to explain; false if there are none, or
  /// if a query then sees no key at all.
  bool ignoreHiddenKeys() {
    if (llvm::is_contained(inRow, 0))
      return false;
    for (int64_t j = 0; j < n; ++j)
      isIgnored[size_t(j)] = inColumn[size_t(j)] == 0;
    return llvm::is_contained(isIgnored, 1);
  }

  void findCandidates(double share) {
    const auto shown = double(n - llvm::count(isIgnored, 1));
    candidate.assign(size_t(n), 0);
    for (size_t i = 0; i < candidate.size(); ++i)
      candidate[i] = double(inRow[i]) >= share * shown && double(inColumn[i]) >= share * double(n);
  }

  /// Offsets at which every pair is visible that no candidate explains, if there is such a pair;
  /// when describing, most of them.
  void findOffsets() {
    std::vector<int64_t> shown(size_t(2 * n - 1), 0), all(size_t(2 * n - 1), 0);
    for (int64_t i = 0; i < n; ++i) {
      if (candidate[size_t(i)])
        continue;
      const uint8_t *row = mask.row(i);
      for (int64_t j = 0; j < n; ++j)
        if (!candidate[size_t(j)] && !isIgnored[size_t(j)]) {
          shown[size_t(j - i + n - 1)] += row[j];
          ++all[size_t(j - i + n - 1)];
        }
    }
    isOffset.assign(size_t(2 * n - 1), 0);
    for (size_t o = 0; o < isOffset.size(); ++o)
      isOffset[o] = all[o] > 0 && (isLenient ? 2 * shown[o] > all[o] : shown[o] == all[o]);
  }

  SmallVector<int64_t> listOffsets() const {
    SmallVector<int64_t> offsets;
    for (int64_t o = -(n - 1); o < n; ++o)
      if (isOffset[size_t(o + n - 1)])
        offsets.push_back(o);
    return offsets;
  }

  bool inWindow(int64_t i, int64_t j) const { return isOffset[size_t(j - i + n - 1)]; }

  /// Candidates with a pair that no window explains.
  void chooseGlobals() {
    isGlobal.assign(size_t(n), 0);
    for (int64_t g = 0; g < n; ++g) {
      if (!candidate[size_t(g)])
        continue;
      for (int64_t j = 0; j < n && !isGlobal[size_t(g)]; ++j)
        isGlobal[size_t(g)] = !inWindow(g, j) || !inWindow(j, g);
      if (isGlobal[size_t(g)])
        result.globals.push_back(g);
    }
  }

  /// The longest runs of offsets at equal distances, from the smallest offset on; two offsets that
  /// are not neighbours make no run.
  void makeWindows(ArrayRef<int64_t> offsets) {
    for (size_t at = 0; at < offsets.size();) {
      size_t end = at + 1;
      const int64_t step = end < offsets.size() ? offsets[end] - offsets[at] : 1;
      while (end < offsets.size() && offsets[end] - offsets[end - 1] == step)
        ++end;
      constexpr size_t kRun = 3;
      const bool isRun = step == 1 || end - at >= kRun;
      const size_t width = isRun ? end - at : 1;
      result.windows.push_back({offsets[at], int64_t(width), isRun && width > 1 ? step : 1});
      at += width;
    }
  }

  void countMisfits() {
    misfits = 0;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        const bool fits = isGlobal[size_t(i)] || isGlobal[size_t(j)] || inWindow(i, j);
        if (isIgnored[size_t(j)] || fits == bool(mask.at(i, j)))
          continue;
        if (misfits++ == 0) {
          query = i;
          key = j;
        }
      }
  }

  //===-- What does not fit ------------------------------------------------===//

  static FoundPattern refuse(std::string misfit) {
    FoundPattern none;
    none.misfit = std::move(misfit);
    return none;
  }

  static std::string others(int64_t count) {
    return count > 0 ? ", as " + std::to_string(count) + " more" : "";
  }

  std::string describe() {
    if (auto row = llvm::find(inRow, 0); row != inRow.end())
      return "query " + std::to_string(row - inRow.begin()) + " sees no key" +
             others(llvm::count(inRow, 0) - 1);
    if (int64_t length = findRowLength())
      return "it is a window in two dimensions, over rows of " + std::to_string(length) +
             " tokens: windows of one dimension reach across the ends of rows";
    explainMost();
    if (mask.at(query, key) && inColumn[size_t(key)] == n)
      return "key " + std::to_string(key) + " is visible to every query, but query " +
             std::to_string(key) + " does not see every key; a global token does both";
    if (mask.at(query, key) && inRow[size_t(query)] == n)
      return "query " + std::to_string(query) + " sees every key, but key " +
             std::to_string(query) + " is not visible to every query; a global token does both";
    return pairsThatDoNotFit(misfits) + "query " + std::to_string(query) + " with key " +
           std::to_string(key) + ", which is " + (mask.at(query, key) ? "visible" : "hidden");
  }

  /// The pattern that disagrees with the fewest pairs, of those whose windows are visible for the
  /// most part.
  void explainMost() {
    isLenient = true;
    constexpr double kMost = 0.9;
    double best = kNoToken;
    int64_t fewest = std::numeric_limits<int64_t>::max();
    for (double share : {kNoToken, 1.0, kMost}) {
      explain(share);
      if (misfits < fewest)
        best = share;
      fewest = std::min(fewest, misfits);
    }
    explain(best);
  }

  //===-- Windows in two dimensions ----------------------------------------===//

  /// A window of tokens in rows is one window for each distance of rows, if so many hidden tokens
  /// follow each row that none of them reaches the next.
  bool explainRows() {
    const int64_t length = llvm::is_contained(inRow, 0) ? 0 : findRowLength();
    if (length == 0)
      return false;
    const int64_t rows = n / length;
    result = FoundPattern();
    result.rowLength = length;
    forEachDistance(length, [&](int64_t, int64_t x) {
      result.rowPadding = std::max(result.rowPadding, std::abs(x));
    });
    const int64_t padded = length + result.rowPadding;
    SmallVector<int64_t> offsets;
    forEachDistance(length, [&](int64_t y, int64_t x) { offsets.push_back(y * padded + x); });
    makeWindows(offsets);
    for (int64_t place = 0; place < rows * padded; ++place)
      if (place % padded >= length)
        result.hiddenKeys.push_back(place);
    return true;
  }

  /// Calls `visit` with the visible distances in rows and in a row, in order.
  void forEachDistance(int64_t length, llvm::function_ref<void(int64_t, int64_t)> visit) const {
    const int64_t rows = n / length, width = 2 * length - 1;
    for (int64_t y = 1 - rows; y < rows; ++y)
      for (int64_t x = 1 - length; x < length; ++x)
        if (atDistance[size_t((y + rows - 1) * width + x + length - 1)])
          visit(y, x);
  }

  /// The length of rows of tokens such that their distance in both dimensions says which pairs are
  /// visible; 0 if there is none.
  int64_t findRowLength() {
    for (int64_t length = 2; 2 * length <= n; ++length)
      if (n % length == 0 && isOfTwoDimensions(length))
        return length;
    return 0;
  }
  bool isOfTwoDimensions(int64_t length) {
    constexpr uint8_t kUnknown = 2;
    const int64_t rows = n / length, width = 2 * length - 1;
    atDistance.assign(size_t((2 * rows - 1) * width), kUnknown);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        const int64_t y = j / length - i / length, x = j % length - i % length;
        uint8_t &bit = atDistance[size_t((y + rows - 1) * width + x + length - 1)];
        if (bit != kUnknown && bit != mask.at(i, j))
          return false;
        bit = mask.at(i, j);
      }
    return true;
  }

  static constexpr double kNoToken = 2; ///< no token sees twice as many as there are
  const MaskBits &mask;
  const int64_t n;
  std::vector<int64_t> inRow, inColumn; ///< visible pairs
  std::vector<uint8_t> isIgnored;       ///< keys that are hidden beside the pattern
  bool isLenient = false;               ///< looks for what fits for the most part
  FoundPattern result;
  std::vector<uint8_t> candidate, isOffset, isGlobal;
  std::vector<uint8_t> atDistance; ///< in rows and in a row: whether pairs are visible
  /// Pairs for which the pattern and the mask disagree, and the first of them.
  int64_t misfits = 0, query = 0, key = 0;
};

} // namespace

FoundPattern findPattern(const MaskBits &mask, bool hidesKeys) {
  return Finder(mask).run(hidesKeys);
}

} // namespace sparsam
