// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FunctionalWalk.cpp - the numerics of a launch ----------------------===//

#include "targets/spatten/model/FunctionalWalk.h"

#include "runtime/units/HeadWalks.h"
#include "runtime/units/HiddenKeys.h"
#include "targets/spatten/model/Ranking.h"

#include <algorithm>
#include <atomic>
#include <limits>

namespace sparsam::spatten {

using namespace runtime;

namespace {

/// What the heads add to the scores: of each head its own, so that no order of threads matters.
struct Sums {
  std::vector<double> tokens; ///< [heads of all entries, keys seen by the kernel]
  std::vector<double> heads;  ///< [heads of all entries]
  double tokenUnit = 1, headUnit = 1;
  int64_t keys = 0;

  explicit Sums(const Kernel &kernel)
      : tokens(size_t(kernel.totalHeads() * kernel.config.keys)),
        heads(size_t(kernel.totalHeads())), keys(kernel.config.keys) {}
};

//===-- Heads --------------------------------------------------------------===//

/// The walk of one thread, which owns the heads [firstHead, lastHead).
class HeadWalker {
public:
  HeadWalker(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
             int64_t firstHead, int64_t lastHead, Decisions &decisions, Sums &sums)
      : kernel_(kernel), bindings_(bindings), firstHead_(firstHead), lastHead_(lastHead),
        decisions_(decisions), sums_(sums) {
    PipeFormat format = kernel.format(params);
    bool isExact = params.isExact || !kernel.config.words;
    pipe_ = isExact ? makeExactPipe(format) : makeWordPipe(format);
    for (auto [role, buffer] :
         {std::pair(Role::query, &query_), {Role::bias, &bias_}, {Role::output, &output_}})
      buffer->resize(size_t(kernel.memory(role).extent) + 1);
    lists_.resize(size_t(kernel.memory(Role::index).extent) + 1);
    for (Role role : {Role::key, Role::value})
      slots_ = std::max(slots_, kernel.memory(role).extent / format.headDim);
    pipe_->reserve(std::max<int64_t>(slots_, kernel.config.keys));
  }

  Status run() {
    return kernel_.stage.walk(bindings_, [this](const auto &insn, Addressing &addressing) {
      return execute(insn, addressing);
    });
  }
  double tokenUnit() const { return pipe_->tokenUnit(); }
  double headUnit() const { return pipe_->headUnit(); }
  int64_t nonFinite() const { return pipe_->nonFinite(); }

private:
  bool owns() const { return firstHead_ <= head_ && head_ < lastHead_; }

  Status execute(const insn::Config &, Addressing &) { return Status(); }
  Status execute(const insn::BindHead &i, Addressing &a) {
    head_ = a.index(i.head);
    if (head_ < 0 || head_ >= kernel_.totalHeads())
      return makeError("kernel '", kernel_.name(), "': 'bind_head' of head ", head_, " of ",
                       kernel_.totalHeads());
    headShift_ = 0;
    if (Tile heads = a.tile(i.heads); heads.memory != 0) {
      const int64_t entry = head_ / kernel_.config.heads, place = head_ % kernel_.config.heads;
      headShift_ = entry * sourceHeads_ + lists_[size_t(heads.offset + place)] - head_;
    }
    return Status();
  }
  // Sums and rankings come when all heads are done.
  Status execute(const insn::ResetScores &, Addressing &) { return Status(); }
  Status execute(const insn::LoadScores &, Addressing &) { return Status(); }
  Status execute(const insn::StoreScores &, Addressing &) { return Status(); }
  Status execute(const insn::TopkToken &, Addressing &) { return Status(); }
  Status execute(const insn::TopkHead &, Addressing &) { return Status(); }
  Status execute(const insn::Sync &, Addressing &) { return Status(); }

  Status execute(const insn::SetLength &i, Addressing &a) {
    Tile source = a.tile(i.length);
    if (bindings_[source.binding].dtype != DType::i64)
      return makeError("kernel '", kernel_.name(), "': the number of tokens must be int64");
    length_ = bindings_[source.binding].as<int64_t>()[source.offset];
    if (length_ >= 0)
      return Status();
    return makeError("kernel '", kernel_.name(), "': ", length_, " tokens cannot exist");
  }
  /// Lists serve all heads of an entry, whoever owns them.
  Status execute(const insn::SetTokens &i, Addressing &a) {
    return loadList(a.tile(i.source), a.tile(i.destination), kernel_.config.keys, "tokens");
  }
  Status execute(const insn::SetHeads &i, Addressing &a) {
    sourceHeads_ = i.of;
    return loadList(a.tile(i.source), a.tile(i.destination), i.of, "heads");
  }
  Status loadList(const Tile &source, const Tile &destination, int64_t count, const char *what) {
    if (bindings_[source.binding].dtype != DType::i64)
      return makeError("kernel '", kernel_.name(), "': survivors must be int64");
    const int64_t *list = bindings_[source.binding].as<int64_t>() + source.offset;
    for (uint32_t j = 0; j < source.cols; ++j) {
      if (list[j] < 0 || list[j] >= count || (j > 0 && list[j] <= list[j - 1]))
        return makeError("kernel '", kernel_.name(), "': survivor ", j, " is ", list[j],
                         "; a list must ascend within the ", count, " ", what);
      lists_[size_t(destination.offset + j)] = list[j];
    }
    return Status();
  }

  /// Moves rows of the current head to the head that stands in the list of survivors.
  Status moveToHead(Tile &source) const {
    source.offset += headShift_ * int64_t(kernel_.config.keys) * source.rowStride;
    const int64_t end =
        source.offset + (int64_t(source.rows) - 1) * source.rowStride + int64_t(source.cols);
    if (headShift_ == 0 || (source.offset >= 0 && end <= bindings_[source.binding].elements()))
      return Status();
    return makeError("kernel '", kernel_.name(), "': head ", head_ + headShift_,
                     " lies outside of its tensor");
  }

  /// Rows of `tile`, all or those that the list names, to `put(rows, count, slot)`.
  template <typename Put>
  void eachRun(const Tile &source, const Tile &tokens, int64_t slot, Put put) {
    const float *data = bindings_[source.binding].as<float>() + source.offset;
    if (tokens.memory == 0)
      return put(data, std::min<int64_t>(source.validRows, length_), slot);
    for (uint32_t j = 0; j < std::min<int64_t>(tokens.cols, length_); ++j)
      put(data + lists_[size_t(tokens.offset + j)] * source.rowStride, int64_t(1), slot + j);
  }
  /// `load`: RowPipe::loadKeys or loadValues.
  Status loadRows(void (RowPipe::*load)(const float *, int64_t, int64_t), Tile source,
                  const Tile &tokens, int64_t slot) {
    Status status = moveToHead(source);
    if (status)
      eachRun(source, tokens, slot, [&](const float *rows, int64_t count, int64_t at) {
        (pipe_.get()->*load)(rows, count, at);
      });
    return status;
  }
  int64_t slotOf(const Tile &tile) const { return tile.offset / kernel_.config.head_dim; }

  Status execute(const insn::LoadK &i, Addressing &a) {
    return owns() ? loadRows(&RowPipe::loadKeys, a.tile(i.source), a.tile(i.tokens),
                             slotOf(a.tile(i.destination)))
                  : Status();
  }
  Status execute(const insn::LoadV &i, Addressing &a) {
    return owns() ? loadRows(&RowPipe::loadValues, a.tile(i.source), a.tile(i.tokens),
                             slotOf(a.tile(i.destination)))
                  : Status();
  }
  void copyRow(const Tile &source, const Tile &destination, std::vector<float> &buffer) {
    const float *data = bindings_[source.binding].as<float>() + source.offset;
    std::copy_n(data, source.cols, &buffer[size_t(destination.offset)]);
  }
  Status execute(const insn::LoadQ &i, Addressing &a) {
    if (owns())
      copyRow(a.tile(i.source), a.tile(i.destination), query_);
    return Status();
  }
  Status execute(const insn::LoadBias &i, Addressing &a) {
    copyRow(a.tile(i.source), a.tile(i.destination), bias_);
    return Status();
  }
  Status execute(const insn::StoreOut &i, Addressing &a) {
    if (!owns())
      return Status();
    Tile source = a.tile(i.source), destination = a.tile(i.destination);
    std::copy_n(&output_[size_t(source.offset)], source.cols,
                bindings_[destination.binding].as<float>() + destination.offset);
    return Status();
  }

  Status execute(const insn::Query &i, Addressing &a) {
    return owns() ? runQuery(i, a, slotOf(a.tile(i.key)), a.tile(i.key).rows) : Status();
  }
  Status execute(const insn::QueryStream &i, Addressing &a) {
    if (!owns())
      return Status();
    Tile key = a.tile(i.key), tokens = a.tile(i.tokens);
    if (Status status = loadRows(&RowPipe::loadKeys, key, tokens, 0); !status)
      return status;
    if (Status status = loadRows(&RowPipe::loadValues, a.tile(i.value), tokens, 0); !status)
      return status;
    return runQuery(i, a, 0, tokens.memory != 0 ? tokens.cols : key.rows);
  }

  template <typename Insn>
  Status runQuery(const Insn &i, Addressing &a, int64_t slot, int64_t rows) {
    const insn::Config &c = kernel_.config;
    const int64_t row = a.index(i.row);
    if (row < 0 || row >= int64_t(c.queries))
      return makeError("kernel '", kernel_.name(), "': query ", row, " of ", c.queries);
    Tile bias = a.tile(i.bias), tokens = a.tile(i.tokens);
    rows = std::min(rows, length_);
    RowKeys keys;
    keys.first = slot;
    keys.count = c.causal ? std::clamp<int64_t>(row + rows - c.queries + 1, 0, rows) : rows;
    keys.bias = bias.memory != 0 ? &bias_[size_t(bias.offset)] : nullptr;
    keys.biasStep = bias.cols == 1 ? 0 : 1;
    keys.stream = uint64_t(head_ * c.queries + row);
    double *tokenSums = a.tile(i.token_scores).memory != 0 ? sumsOfHead() : nullptr;
    double *headSum = a.tile(i.head_scores).memory != 0 ? &sums_.heads[size_t(head_)] : nullptr;
    pipe_->run(&query_[size_t(a.tile(i.query).offset)], keys,
               &output_[size_t(a.tile(i.output).offset)], tokenSums, headSum);
    record(row, keys, tokens);
    return Status();
  }
  double *sumsOfHead() { return &sums_.tokens[size_t(head_ * sums_.keys)]; }

  void record(int64_t row, const RowKeys &keys, const Tile &tokens) {
    const RowDecisions &d = pipe_->decisions();
    std::span<uint64_t> pairs = decisions_.pairs.row(head_, row);
    std::span<uint64_t> values = decisions_.values.row(head_, row);
    for (int64_t j = 0; j < keys.count; ++j) {
      int64_t key = tokens.memory != 0 ? lists_[size_t(tokens.offset + j)] : j;
      pairs[size_t(key / 64)] |= uint64_t(1) << (key % 64);
      values[size_t(key / 64)] |= uint64_t(d.keepsValue[size_t(j)]) << (key % 64);
      if (keys.bias && keys.bias[j * keys.biasStep] <= kHidesKey)
        decisions_.hidden.set(head_, row, key);
    }
    if (d.needsLsb)
      decisions_.lsb.set(head_, row, 0);
    decisions_.rounds[size_t(head_ * kernel_.config.queries + row)] = d.rounds;
  }

  const Kernel &kernel_;
  std::span<const TensorView> bindings_;
  int64_t firstHead_, lastHead_, head_ = 0, slots_ = 0;
  int64_t length_ = std::numeric_limits<int64_t>::max(); ///< tokens that exist
  Decisions &decisions_;
  Sums &sums_;
  std::unique_ptr<RowPipe> pipe_;
  std::vector<float> query_, bias_, output_;
  std::vector<int64_t> lists_;              ///< the index memory
  int64_t sourceHeads_ = 0, headShift_ = 0; ///< from the current head to its place in DRAM
};

//===-- Scores and rankings ------------------------------------------------===//

/// The walk over scores and rankings: those before an entry's heads, whose survivors the heads work
/// on, or those that follow when the heads are done.
class RankWalker {
public:
  enum class Phase { before, after };
  RankWalker(const Kernel &kernel, const Params &params, std::span<const TensorView> bindings,
             const Sums &sums, Decisions &decisions, Phase phase)
      : kernel_(kernel), params_(params), bindings_(bindings), sums_(sums), decisions_(decisions),
        phase_(phase), scores_(size_t(kernel.memory(Role::importance).extent) + 1) {}

  Status run() {
    return kernel_.stage.walk(bindings_, [this](const auto &insn, Addressing &addressing) {
      return execute(insn, addressing);
    });
  }

private:
  template <typename T> Status execute(const T &, Addressing &) { return Status(); }

  Status execute(const insn::BindHead &i, Addressing &a) {
    entry_ = a.index(i.head) / kernel_.config.heads;
    isBehindHeads_ = true;
    return Status();
  }
  Status execute(const insn::SetLength &i, Addressing &a) {
    Tile source = a.tile(i.length);
    if (bindings_[source.binding].dtype == DType::i64)
      length_ = std::max<int64_t>(bindings_[source.binding].as<int64_t>()[source.offset], 0);
    return Status();
  }
  Status execute(const insn::ResetScores &i, Addressing &a) {
    Tile tile = a.tile(i.scores);
    std::fill_n(&scores_[size_t(tile.offset)], tile.cols, 0.0f);
    return Status();
  }
  Status execute(const insn::LoadScores &i, Addressing &a) {
    Tile source = a.tile(i.source), destination = a.tile(i.destination);
    std::copy_n(bindings_[source.binding].as<float>() + source.offset, source.cols,
                &scores_[size_t(destination.offset)]);
    return Status();
  }
  Status execute(const insn::Query &i, Addressing &a) { return add(i, a); }
  Status execute(const insn::QueryStream &i, Addressing &a) { return add(i, a); }

  /// The last query of an entry's last head brings the sums of all of them.
  template <typename Insn> Status add(const Insn &i, Addressing &a) {
    const insn::Config &c = kernel_.config;
    if (a.index(i.row) + 1 != c.queries || ++headsDone_ % c.heads != 0)
      return Status();
    if (Tile tile = a.tile(i.token_scores); tile.memory != 0)
      addTokens(&scores_[size_t(tile.offset)], std::min<int64_t>(tile.cols, c.keys));
    if (Tile tile = a.tile(i.head_scores); tile.memory != 0)
      for (int64_t h = 0; h < c.heads; ++h) {
        float &score = scores_[size_t(tile.offset + h)];
        score = float(double(score) + sums_.heads[size_t(entry_ * c.heads + h)] * sums_.headUnit);
      }
    return Status();
  }
  void addTokens(float *scores, int64_t count) {
    const int64_t heads = kernel_.config.heads;
    for (int64_t j = 0; j < count; ++j) {
      double sum = 0;
      for (int64_t h = 0; h < heads; ++h)
        sum += sums_.tokens[size_t((entry_ * heads + h) * sums_.keys + j)];
      scores[j] = float(double(scores[j]) + sum * sums_.tokenUnit);
    }
  }

  Status execute(const insn::StoreScores &i, Addressing &a) {
    if (phase_ == Phase::before)
      return Status();
    Tile source = a.tile(i.source), destination = a.tile(i.destination);
    std::copy_n(&scores_[size_t(source.offset)], source.cols,
                bindings_[destination.binding].as<float>() + destination.offset);
    return Status();
  }
  Status execute(const insn::TopkToken &i, Addressing &a) {
    const Tile scores = a.tile(i.scores);
    return rank(scores, a.tile(i.survivors), std::clamp<int64_t>(length_, 1, scores.cols),
                i.protect_first, i.protect_last, decisions_.tokens, decisions_.tokenRanking);
  }
  Status execute(const insn::TopkHead &i, Addressing &a) {
    const Tile scores = a.tile(i.scores);
    return rank(scores, a.tile(i.survivors), scores.cols, 0, 0, decisions_.heads,
                decisions_.headRanking);
  }
  /// `exist` scores are of something; what does not exist ranks last, in its order.
  Status rank(const Tile &scores, const Tile &survivors, int64_t exist, int64_t first, int64_t last,
              BitTensor &kept, std::vector<Rounds> &rounds) {
    if (isBehindHeads_ != (phase_ == Phase::after))
      return Status();
    Ranking ranking = rankScores({&scores_[size_t(scores.offset)], size_t(exist)},
                                 std::min<int64_t>(survivors.cols, exist), first, last,
                                 Pivots(params_.pivot, ~uint64_t(entry_)));
    for (int64_t token = exist; int64_t(ranking.survivors.size()) < survivors.cols; ++token)
      ranking.survivors.push_back(token);
    if (kept.keys() == 0)
      kept = BitTensor(kernel_.config.entries, 1, 1, scores.cols);
    if (bindings_[survivors.binding].dtype != DType::i64)
      return makeError("kernel '", kernel_.name(), "': survivors must be int64");
    int64_t *list = bindings_[survivors.binding].as<int64_t>() + survivors.offset;
    for (size_t j = 0; j < ranking.survivors.size(); ++j) {
      list[j] = ranking.survivors[j];
      kept.set(entry_, 0, list[j]);
    }
    rounds[size_t(entry_)] = std::move(ranking.rounds);
    return Status();
  }

  const Kernel &kernel_;
  const Params &params_;
  std::span<const TensorView> bindings_;
  const Sums &sums_;
  Decisions &decisions_;
  Phase phase_;
  std::vector<float> scores_;
  int64_t entry_ = 0, headsDone_ = 0;
  int64_t length_ = std::numeric_limits<int64_t>::max();
  bool isBehindHeads_ = false;
};

/// Every tensor has data of a type that the program works on.
Status checkBindings(const Kernel &kernel, std::span<const TensorView> bindings) {
  for (size_t i = 0; i < bindings.size(); ++i) {
    if (bindings[i].dtype != DType::f32 && bindings[i].dtype != DType::i64)
      return makeError("kernel '", kernel.name(), "' needs float32 and int64 tensors, binding ", i,
                       " is ", runtime::name(bindings[i].dtype));
    if (!bindings[i].data && bindings[i].elements() > 0)
      return makeError("kernel '", kernel.name(), "': binding ", i, " has no data");
  }
  return Status();
}

} // namespace

/// All heads, on all threads.
static Status walkHeads(const Kernel &kernel, const Params &params,
                        std::span<const TensorView> bindings, Decisions &decisions, Sums &sums) {
  std::atomic<int64_t> nonFinite{0};
  Status status = runtime::walkHeads(
      kernel.name(), kernel.totalHeads(), [&](int64_t part, int64_t first, int64_t last) {
        HeadWalker walker(kernel, params, bindings, first, last, decisions, sums);
        Status status = walker.run();
        if (part == 0) {
          sums.tokenUnit = walker.tokenUnit();
          sums.headUnit = walker.headUnit();
        }
        nonFinite += walker.nonFinite();
        return status;
      });
  decisions.nonFinite = nonFinite;
  return status;
}

Status walkFunctional(const Kernel &kernel, const Params &params,
                      std::span<const TensorView> bindings, Decisions &decisions) {
  if (Status status = checkBindings(kernel, bindings); !status)
    return status;
  Sums sums(kernel);
  using Phase = RankWalker::Phase;
  if (Status status = RankWalker(kernel, params, bindings, sums, decisions, Phase::before).run();
      !status)
    return status;
  if (Status status = walkHeads(kernel, params, bindings, decisions, sums); !status)
    return status;
  return RankWalker(kernel, params, bindings, sums, decisions, Phase::after).run();
}

} // namespace sparsam::spatten
