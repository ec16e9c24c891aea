// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FunctionalWalk.cpp - the numerics of a launch ----------------------===//

#include "targets/salo/model/FunctionalWalk.h"

#include "runtime/units/HeadWalks.h"
#include "targets/salo/model/Array.h"
#include "targets/salo/model/Kernels.h"
#include "targets/salo/model/Panels.h"

#include <algorithm>
#include <numeric>

namespace sparsam::salo {

using namespace runtime;

namespace {

/// The walk of one thread, which owns the heads [firstHead, lastHead).
class Walker {
public:
  Walker(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
         int64_t firstHead, int64_t lastHead, Observed &observed)
      : kernel_(kernel), bindings_(bindings), firstHead_(firstHead), lastHead_(lastHead),
        observed_(observed), dims_(kernel.config.head_dim), width_(kernels::rowWidth(dims_)),
        array_(kernel, params), keys_(kernel, bindings, true), values_(kernel, bindings, false) {
    for (Role role : {Role::query, Role::key, Role::value})
      words_[size_t(role)].resize(size_t(kernel.memory(role).extent) + size_t(kernels::kDims));
    const size_t rows = size_t(kernel.memory(Role::output).extent / grain() + 1);
    merged_.resize(rows * size_t(width_));
    sums_.resize(rows);
  }

  Status run() {
    return kernel_.stage.walk(bindings_, [this](const auto &insn, Addressing &addressing) {
      return execute(insn, addressing);
    });
  }
  int64_t aliasedScores() const { return array_.aliasedScores(); }

private:
  int64_t grain() const { return kernel_.memory(Role::output).grain; }
  bool owned() const { return firstHead_ <= head_ && head_ < lastHead_; }
  Error error(const std::string &text) const {
    return makeError("kernel '", kernel_.name(), "': ", text);
  }

  //===-- Configuration ----------------------------------------------------===//

  Status execute(const insn::Config &, Addressing &) { return Status(); }
  Status execute(const insn::SetGlobal &, Addressing &) { return Status(); }
  Status execute(const insn::SelectHead &i, Addressing &a) {
    head_ = a.index(i.head);
    segment_ = a.index(i.segment);
    if (head_ < 0 || head_ >= int64_t(kernel_.config.heads) || segment_ < 0 ||
        segment_ >= int64_t(kernel_.config.segments))
      return error("'select_head' names head " + std::to_string(head_) + ", segment " +
                   std::to_string(segment_) + ", beyond those of 'config'");
    return Status();
  }

  //===-- Transfer ---------------------------------------------------------===//

  /// A global token's row: also notes which token it is.
  Status loadGlobal(const Tile &source, Role role, const Tile &destination, float factor) {
    const int64_t token = source.offset / dims_ % kernel_.headKeys();
    globalTokens_[size_t(role)][destination.offset] = token;
    return loadRows(source, role, destination, factor);
  }
  /// Rows that are not there read as zero.
  Status loadRows(const Tile &source, Role role, const Tile &destination, float factor) {
    if (!owned())
      return Status();
    std::vector<int16_t> &buffer = words_[size_t(role)];
    const float *data = bindings_[source.binding].as<float>() + source.offset;
    for (uint32_t r = 0; r < std::min(destination.rows, destination.validRows); ++r) {
      int16_t *row = &buffer[size_t(destination.offset + r * destination.rowStride)];
      if (r < source.validRows)
        kernels::quantize(data + r * source.rowStride, size_t(dims_), factor, row);
      else
        std::fill_n(row, dims_, int16_t(0));
    }
    return Status();
  }
  Status execute(const insn::LoadQuery &i, Addressing &a) {
    const Tile source = a.tile(i.source), destination = a.tile(i.destination);
    queryRows_[destination.offset] = {source.row, std::min(source.validRows, source.rows)};
    array_.forgetQueries();
    return loadRows(source, Role::query, destination, kernel_.config.q_factor);
  }
  Status execute(const insn::LoadGlobalQuery &i, Addressing &a) {
    return loadGlobal(a.tile(i.source), Role::query, a.tile(i.destination),
                      kernel_.config.q_factor);
  }
  Status execute(const insn::LoadGlobalKey &i, Addressing &a) {
    const Tile mask = a.tile(i.mask);
    int32_t &valid = globalValid_[a.tile(i.destination).offset];
    valid = -1;
    if (owned() && mask.memory != 0) {
      Result<bool> hidden = hides(bindings_[mask.binding].as<float>()[mask.offset]);
      if (!hidden)
        return error(hidden.error().message);
      valid = *hidden ? 0 : -1;
    }
    return loadGlobal(a.tile(i.source), Role::key, a.tile(i.destination), kernel_.config.k_factor);
  }
  Status execute(const insn::LoadGlobalValue &i, Addressing &a) {
    return loadGlobal(a.tile(i.source), Role::value, a.tile(i.destination),
                      kernel_.config.v_factor);
  }
  Status execute(const insn::LoadKey &i, Addressing &a) {
    if (!owned())
      return Status();
    Status status = keys_.load(a.tile(i.source), a.tile(i.mask), segment_, a.index(i.first),
                               a.tile(i.destination));
    return status ? status : Status(error(status.error().message));
  }
  Status execute(const insn::LoadValue &i, Addressing &a) {
    if (!owned())
      return Status();
    return values_.load(a.tile(i.source), Tile(), segment_, a.index(i.first),
                        a.tile(i.destination));
  }
  Status execute(const insn::StoreOutput &i, Addressing &a) {
    if (!owned())
      return Status();
    const Tile source = a.tile(i.source), destination = a.tile(i.destination);
    float *data = bindings_[destination.binding].as<float>() + destination.offset;
    const float step = 1.0f / (1 << pe::kSumFraction) / kernel_.config.v_factor;
    for (uint32_t r = 0; r < std::min(source.validRows, destination.validRows); ++r) {
      const int32_t *row = &merged_[size_t(slot(source, r) * width_)];
      for (int64_t d = 0; d < dims_; ++d)
        data[r * destination.rowStride + d] = float(row[d]) * step;
    }
    return Status();
  }

  //===-- Compute ----------------------------------------------------------===//

  /// Number of a row among the merged rows.
  int64_t slot(const Tile &output, uint32_t row) const {
    return (output.offset + row * output.rowStride) / grain();
  }

  Status execute(const insn::TileAttn &i, Addressing &a) {
    if (!owned())
      return Status();
    const Tile query = a.tile(i.query), key = a.tile(i.key), value = a.tile(i.value);
    auto rows = queryRows_.find(query.offset);
    const Slice *keys = keys_.find(key), *values = values_.find(value);
    if (rows == queryRows_.end() || !keys || !values)
      return error("'tile_attn' before its queries, keys and values were loaded");
    if (keys->first != values->first)
      return error("'tile_attn' with keys from token " + std::to_string(keys->first) +
                   " on and values from token " + std::to_string(values->first) + " on");
    rows_ = rows->second;
    Pass pass{rows_.first, rows_.valid, i.cols, i.row_from, i.row_to, i.row_cols};
    array_.setQueries(words_[size_t(Role::query)].data() + query.offset, query);
    array_.setGlobals(rowsAt(Role::key, a.tile(i.global_key)),
                      rowsAt(Role::value, a.tile(i.global_value)),
                      rowsAt(Role::query, a.tile(i.global_query)));
    array_.run(pass, *keys, *values);
    array_.record(pass, *keys, head_, segment_, observed_.pairs);
    return Status();
  }
  WordRows rowsAt(Role role, const Tile &tile) const {
    WordRows rows;
    if (tile.memory == 0)
      return rows;
    rows = {words_[size_t(role)].data() + tile.offset, tile.rowStride, tile.rows, {}, {}};
    for (uint32_t r = 0; r < tile.rows; ++r) {
      auto token = globalTokens_[size_t(role)].find(tile.offset + r * tile.rowStride);
      if (token != globalTokens_[size_t(role)].end())
        rows.tokens.push_back(token->second);
      auto valid = globalValid_.find(tile.offset + r * tile.rowStride);
      rows.valid.push_back(valid != globalValid_.end() ? valid->second : -1);
    }
    return rows;
  }

  void mergeRow(int64_t slot, bool init, pe::Sum sum, const int16_t *out) {
    int32_t *row = &merged_[size_t(slot * width_)];
    pe::Sum &running = sums_[size_t(slot)];
    if (init) {
      running = sum;
      std::copy_n(out, dims_, row);
      return;
    }
    const int32_t weight = pe::mergeWeight(running, sum);
    if (weight != 256)
      kernels::mergeRow(weight, out, dims_, row);
  }
  Status execute(const insn::Merge &i, Addressing &a) {
    if (!owned())
      return Status();
    const Tile output = a.tile(i.output), global = a.tile(i.global_output);
    for (uint32_t r = 0; r < std::min(output.rows, rows_.valid); ++r)
      mergeRow(slot(output, r), i.init, array_.sum(r), array_.out(r));
    for (uint32_t r = 0; global.memory != 0 && r < global.rows; ++r)
      mergeRow(slot(global, r), false, array_.globalSum(r), array_.globalOut(r));
    return Status();
  }
  Status execute(const insn::Clear &i, Addressing &a) {
    const Tile output = a.tile(i.output);
    for (uint32_t r = 0; owned() && r < std::min(output.rows, output.validRows); ++r) {
      sums_[size_t(slot(output, r))] = pe::Sum();
      std::fill_n(&merged_[size_t(slot(output, r) * width_)], width_, 0);
    }
    return Status();
  }

  struct QueryRows {
    int64_t first = 0;
    uint32_t valid = 0;
  };

  const Kernel &kernel_;
  std::span<const TensorView> bindings_;
  int64_t firstHead_, lastHead_;
  Observed &observed_;
  int64_t dims_, width_;
  Array array_;
  PanelStore keys_, values_;
  int64_t head_ = 0, segment_ = 0;
  std::array<std::vector<int16_t>, 3> words_;        ///< query, key and value buffers
  std::unordered_map<int64_t, QueryRows> queryRows_; ///< by address
  std::array<std::unordered_map<int64_t, int64_t>, 3> globalTokens_; ///< by address
  std::unordered_map<int64_t, int32_t> globalValid_;                 ///< of keys, by address
  QueryRows rows_;                                                   ///< of the pass in the array
  std::vector<int32_t> merged_;
  std::vector<pe::Sum> sums_; ///< of merged rows
};

} // namespace

/// Every tensor that the program touches holds floats.
static Status checkBindings(const Kernel &kernel, std::span<const TensorView> bindings) {
  for (size_t i = 0; i < bindings.size(); ++i) {
    if (bindings[i].dtype != DType::f32)
      return makeError("kernel '", kernel.name(), "' needs float32 tensors, binding ", i, " is ",
                       runtime::name(bindings[i].dtype));
    if (!bindings[i].data && bindings[i].elements() > 0)
      return makeError("kernel '", kernel.name(), "': binding ", i, " has no data");
  }
  if (kernel.queryBinding < 0)
    return makeError("kernel '", kernel.name(), "' loads no queries");
  const insn::Config &config = kernel.config;
  const int64_t elements = bindings[size_t(kernel.queryBinding)].elements();
  if (double(config.heads) * double(kernel.headQueries()) * config.head_dim != double(elements))
    return makeError("kernel '", kernel.name(), "': 'config' says ", config.heads, " heads of ",
                     kernel.headQueries(), " queries and ", config.head_dim,
                     " dimensions, but their tensor has ", elements, " elements");
  return Status();
}

Status walkFunctional(const Kernel &kernel, const Params &params,
                      std::span<const TensorView> bindings, Observed &observed) {
  if (Status status = checkBindings(kernel, bindings); !status)
    return status;
  const int64_t heads = kernel.config.heads;
  auto [batch, headsPerEntry] = batchAndHeads(bindings[size_t(kernel.queryBinding)].shape, heads);
  Status allocated = withinMemory(
      kernel.name(), "for its masks", [&, batch = batch, headsPerEntry = headsPerEntry] {
        observed.pairs = BitTensor(batch, headsPerEntry, kernel.headQueries(), kernel.headKeys());
        return Status();
      });
  if (!allocated)
    return allocated;
  std::vector<int64_t> aliased(threadCount(), 0);
  Status status = walkHeads(kernel.name(), heads, [&](int64_t part, int64_t first, int64_t last) {
    Walker walker(kernel, params, bindings, first, last, observed);
    Status status = walker.run();
    aliased[size_t(part)] = walker.aliasedScores();
    return status;
  });
  observed.aliasedScores = std::accumulate(aliased.begin(), aliased.end(), observed.aliasedScores);
  return status;
}

} // namespace sparsam::salo
