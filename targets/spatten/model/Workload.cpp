// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Workload.cpp - what each head of each layer asks of the machine ----===//

#include "targets/spatten/model/Workload.h"

#include "runtime/io/File.h"
#include "runtime/support/Text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <sstream>

namespace sparsam::spatten {

using namespace runtime;

//===-- CSV ----------------------------------------------------------------===//

namespace {

struct Column {
  const char *name;
  int64_t min, max;
  bool isRequired;
};

constexpr int64_t kMostRows = 65535;
constexpr std::array<Column, 10> kColumns = {{{"layer", 0, 1 << 20, true},
                                              {"head", 0, 1 << 20, true},
                                              {"head_dim", 1, 512, true},
                                              {"queries", 1, 1 << 24, true},
                                              {"keys", 1, kMostRows, true},
                                              {"key_bits", -1, 12, true},
                                              {"value_bits", -1, 12, true},
                                              {"values", 0, kMostRows, false},
                                              {"lsb", 0, 1, false},
                                              {"topk", 0, kMostRows, false}}};

std::vector<std::string> split(const std::string &line) {
  std::vector<std::string> cells;
  std::stringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) {
    size_t first = cell.find_first_not_of(" \t\r"), last = cell.find_last_not_of(" \t\r");
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  return cells;
}

class Reader {
public:
  Reader(const std::string &text, const std::string &name) : stream_(text), name_(name) {}

  Result<std::vector<Request>> read() {
    std::vector<Request> requests;
    for (std::string line; std::getline(stream_, line);) {
      ++line_;
      if (line.find_first_not_of(" \t\r") == std::string::npos)
        continue;
      if (Status status = place_.empty() ? readHeader(line) : readRow(line, requests); !status)
        return status.error();
    }
    if (requests.empty())
      return makeError(name_,
                       " holds no workload; the first line names the columns: ", columnNames());
    return requests;
  }

private:
  template <typename... Parts> Error error(const Parts &...parts) const {
    return makeError(name_, ":", line_, ": ", parts...);
  }
  static std::string columnNames() {
    std::vector<std::string> names;
    for (const Column &column : kColumns)
      names.push_back(column.name);
    return join(names, ",");
  }

  Status readHeader(const std::string &line) {
    for (const std::string &cell : split(line)) {
      auto it = std::find_if(kColumns.begin(), kColumns.end(),
                             [&](const Column &column) { return cell == column.name; });
      if (it == kColumns.end())
        return error("there is no column '", printable(cell), "'; there are: ", columnNames());
      size_t column = size_t(it - kColumns.begin());
      if (std::find(place_.begin(), place_.end(), column) != place_.end())
        return error("column '", cell, "' is there twice");
      place_.push_back(column);
    }
    for (size_t c = 0; c < kColumns.size(); ++c)
      if (kColumns[c].isRequired && std::find(place_.begin(), place_.end(), c) == place_.end())
        return error("column '", kColumns[c].name, "' is missing");
    return Status();
  }

  Status readRow(const std::string &line, std::vector<Request> &requests) {
    std::vector<std::string> cells = split(line);
    if (cells.size() != place_.size())
      return error("has ", cells.size(), " values for ", place_.size(), " columns");
    std::array<std::optional<int64_t>, kColumns.size()> values;
    for (size_t i = 0; i < cells.size(); ++i) {
      const Column &column = kColumns[place_[i]];
      std::optional<int64_t> value = parseInteger(cells[i]);
      if (!value || *value < column.min || *value > column.max)
        return error("expects ", column.name, " from ", column.min, " to ", column.max, ", got '",
                     printable(cells[i]), "'");
      values[place_[i]] = value;
    }
    Request request{*values[0], *values[1], *values[2], *values[3],
                    *values[4], *values[5], *values[6]};
    request.values = values[7].value_or(request.keys);
    request.needsLsb = values[8].value_or(0) != 0;
    request.topk = values[9].value_or(0);
    for (auto [what, bits] :
         {std::pair("key_bits", request.keyBits), std::pair("value_bits", request.valueBits)})
      if (bits != -1 && (bits < 4 || bits % 2 != 0))
        return error("expects ", what, " of 4, 6, 8, 10 or 12, or -1 for full words, got ", bits);
    if (request.values > request.keys)
      return error("fetches ", request.values, " values of ", request.keys, " keys");
    requests.push_back(request);
    return Status();
  }

  std::stringstream stream_;
  const std::string &name_;
  size_t line_ = 0;
  std::vector<size_t> place_; ///< column of each cell
};

} // namespace

Result<std::vector<Request>> parseWorkload(const std::string &text, const std::string &name) {
  return Reader(text, name).read();
}

Result<std::vector<Request>> readWorkload(const std::string &path) {
  auto file = MappedFile::open(path);
  if (!file)
    return file.error();
  std::span<const uint8_t> bytes = (*file)->bytes();
  return parseWorkload(std::string(bytes.begin(), bytes.end()), path);
}

//===-- Published ----------------------------------------------------------===//

/// Keys kept from layer `first` on, as a ratio of the largest context; and heads that live from
/// there on.
namespace {
struct KeyStep {
  int64_t first;
  double ratio;
};
struct HeadStep {
  int64_t first, heads;
};
} // namespace

static bool isSmall(Published which) {
  return which == Published::gpt2Small || which == Published::gpt2SmallDense;
}
static bool isDense(Published which) {
  return which == Published::gpt2SmallDense || which == Published::gpt2MediumDense;
}

int64_t publishedLayers(Published which) { return isSmall(which) ? 12 : 24; }

int64_t publishedKeys(Published which, int64_t layer, int64_t maxContext) {
  static constexpr KeyStep small[] = {{0, 0.9}, {1, 0.7}, {2, 0.2}, {6, 0.1}};
  static constexpr KeyStep medium[] = {{0, 1}, {2, 0.9}, {3, 0.8}, {5, 0.6}, {11, 0.3}};
  double ratio = 1;
  if (!isDense(which))
    for (const KeyStep &step :
         isSmall(which) ? std::span<const KeyStep>(small) : std::span<const KeyStep>(medium))
      ratio = layer >= step.first ? step.ratio : ratio;
  return int64_t(std::floor(ratio * double(maxContext)));
}

int64_t publishedHeads(Published which, int64_t layer) {
  if (isSmall(which))
    return 12;
  int64_t heads = 16;
  static constexpr HeadStep medium[] = {{16, 13}, {22, 10}};
  if (!isDense(which))
    for (const HeadStep &step : medium)
      heads = layer >= step.first ? step.heads : heads;
  return heads;
}

/// Heads of layer `layer` that fetch low bits in iteration `iteration` of GPT-2-small. [R
/// workloads]
static int64_t lowBitHeads(int64_t iteration, int64_t layer) {
  if (iteration == 0) // 51 of 144; the keys of all layers are alike
    return layer < 4 ? 12 : layer == 4 ? 3 : 0;
  if (layer == 0)
    return iteration < 10 ? 12 : iteration == 10 ? 4 : 0;
  return layer == 1 ? (iteration < 14 ? 12 : iteration == 14 ? 4 : 0) : 0;
}

std::vector<Request> publishedWorkload(Published which) {
  constexpr int64_t kIterations = 32, kFirst = 993, kContext = 1024;
  const double valueRatio = isDense(which) ? 1 : isSmall(which) ? 0.2 : 0.3;
  std::vector<Request> requests;
  for (int64_t iteration = 0; iteration < kIterations; ++iteration)
    for (int64_t layer = 0; layer < publishedLayers(which); ++layer) {
      const int64_t live = kFirst + iteration;
      // The first iteration has no ranking yet.
      Request request;
      request.layer = layer;
      request.keys = iteration == 0 ? live : std::min(live, publishedKeys(which, layer, kContext));
      const int64_t base = iteration == 0 || request.keys == live ? kContext : request.keys;
      request.values = std::min<int64_t>(request.keys, int64_t(valueRatio * double(base)));
      request.keyBits = which == Published::gpt2Small ? 6 : -1;
      request.valueBits = which == Published::gpt2Small ? 6 : -1;
      request.count = publishedHeads(which, layer);
      if (which == Published::gpt2Small && lowBitHeads(iteration, layer) > 0) {
        Request twice = request;
        twice.needsLsb = true;
        twice.count = lowBitHeads(iteration, layer);
        requests.push_back(twice);
        request.count -= twice.count;
      }
      if (request.count > 0)
        requests.push_back(request);
    }
  return requests;
}

} // namespace sparsam::spatten
