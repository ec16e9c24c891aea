// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Workload.cpp - what each head of each layer asks of the machine ----===//

#include "targets/spatten/model/Workload.h"

#include "targets/spatten/model/Params.h"

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

//===-- Limits -------------------------------------------------------------===//

/// Keys, and values, of two heads: while the queries of one run, the next one is loaded. [P IV-A]
static Status checkRoom(const Request &request, const char *parameter, int64_t bytes) {
  constexpr int64_t kWordBits = 12;
  const int64_t most = bytes * 8 / (2 * kWordBits * request.headDim);
  if (request.keys <= most)
    return Status();
  return makeError("SpAtten needs room for ", request.keys, " tokens of ", request.headDim,
                   " dimensions; its SRAM holds two heads of ", most, " (parameter '", parameter,
                   "' = ", bytes, " B)");
}

Status checkRequest(const Request &request, const Params &params) {
  if (!params.fitsTree(request.headDim))
    return makeError("SpAtten has no heads of ", request.headDim,
                     " dimensions: the adder tree splits in halves and has ", params.multipliers,
                     " inputs (parameter 'multipliers'); a power of two up to ",
                     std::min(params.multipliers, kMostDimensions), " fits");
  Status status = checkRoom(request, "key_buffer", params.keyBuffer);
  return status ? checkRoom(request, "value_buffer", params.valueBuffer) : status;
}

Status checkPairs(const std::vector<Request> &requests, const Params &params) {
  if (params.isBehavioural) // there, 6 bits come as 8
    return Status();
  std::map<int64_t, int64_t> heads;
  for (const Request &request : requests)
    heads[request.layer] += request.keyBits == 6 ? request.count : 0;
  for (auto [layer, count] : heads)
    if (count % 2 != 0)
      return makeError("layer ", layer, " has ", count,
                       " heads with keys of 6 bits; the fetcher packs two of them together (as "
                       "released), so that their number must be even");
  return Status();
}

//===-- CSV ----------------------------------------------------------------===//

namespace {

struct Column {
  const char *name;
  int64_t min, max;
  bool isRequired;
};

constexpr int64_t kMostRows = 65535;
/// What spreadsheets write in front of UTF-8.
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
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
  Reader(const std::string &text, const std::string &name, const Params &params)
      : stream_(text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text),
        name_(name), params_(params) {}

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
    if (Status status = checkPairs(requests, params_); !status)
      return makeError(name_, ": ", status.error().message);
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
    if (Status status = checkRequest(request, params_); !status)
      return error(status.error().message);
    auto [before, isNew] = lines_.try_emplace({request.layer, request.head}, line_);
    if (!isNew)
      return error("head ", request.head, " of layer ", request.layer, " is in line ",
                   before->second, " already; number the layers of further steps on");
    requests.push_back(request);
    return Status();
  }

  std::stringstream stream_;
  const std::string &name_;
  const Params &params_;
  size_t line_ = 0;
  std::map<std::pair<int64_t, int64_t>, size_t> lines_; ///< of each layer and head
  std::vector<size_t> place_;                           ///< column of each cell
};

} // namespace

Result<std::vector<Request>> parseWorkload(const std::string &text, const std::string &name,
                                           const Params &params) {
  return Reader(text, name, params).read();
}

Result<std::vector<Request>> readWorkload(const std::string &path, const Params &params) {
  auto file = MappedFile::open(path);
  if (!file)
    return file.error();
  std::span<const uint8_t> bytes = (*file)->bytes();
  return parseWorkload(std::string(bytes.begin(), bytes.end()), path, params);
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
