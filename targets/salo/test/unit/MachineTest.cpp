// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MachineTest.cpp - whole cores, PE by PE, and their cycles ----------===//

#include "TestCore.h"

#include "targets/salo/model/ClosedForms.h"
#include "targets/salo/model/Panels.h"
#include "targets/salo/model/Pe.h"

#include <cmath>

using namespace sparsam::salo;
using namespace sparsam::salo::test;
using namespace sparsam::runtime;

namespace {

/// A row that attends to `keys`, from the left PE to the right one.
struct Row {
  pe::Sum sum;
  std::vector<int32_t> out;
};
Row attend(const Core &core, int64_t head, int64_t query, const std::vector<int64_t> &keys) {
  const int64_t d = core.shape.dims, base = head * core.shape.tokens * d;
  auto word = [&](const std::vector<float> &x, int64_t token, int64_t i, float factor = 1) {
    return pe::toWord(x[size_t(base + token * d + i)] * factor);
  };
  Row row;
  row.out.assign(size_t(d), 0);
  std::vector<pe::Sum> own;
  for (int64_t key : keys) {
    int32_t score = 0;
    for (int64_t i = 0; i < d; ++i)
      score = pe::accumulate(score, word(core.query, query, i, core.shape.factor),
                             word(core.key, key, i));
    own.push_back(pe::exponential(score, 3));
    row.sum = pe::addToLeft(row.sum, own.back());
  }
  for (size_t c = 0; c < keys.size(); ++c) {
    const int32_t p = pe::probability(own[c], pe::inverse(row.sum.value), row.sum.exponent);
    for (int64_t i = 0; i < d; ++i)
      row.out[size_t(i)] = pe::mix(row.out[size_t(i)], p, word(core.value, keys[c], i));
  }
  return row;
}

void merge(Row &running, const Row &tile) {
  const int32_t weight = pe::mergeWeight(running.sum, tile.sum);
  for (size_t i = 0; i < tile.out.size(); ++i)
    running.out[i] = pe::mergeOutput(weight, running.out[i], tile.out[i]);
}

/// Keys of a window pass that exist and are not global, the last one first.
std::vector<int64_t> windowKeys(const Core &core, int64_t query, int64_t first, int64_t cols) {
  std::vector<int64_t> keys;
  for (int64_t c = 0; c < cols; ++c) {
    const int64_t key = query + first + cols - 1 - c;
    if (key >= 0 && key < core.shape.tokens && key != core.shape.global)
      keys.push_back(key);
  }
  return keys;
}

void expectRow(const Core &core, int64_t head, int64_t query, const Row &row) {
  const int64_t d = core.shape.dims, at = (head * core.shape.tokens + query) * d;
  for (int64_t i = 0; i < d; ++i)
    ASSERT_EQ(core.result[size_t(at + i)], float(row.out[size_t(i)]) / 256)
        << "head " << head << " query " << query << " dim " << i;
}

/// Expects the results of a window of two or more passes.
void expectWindow(const Core &core) {
  const int64_t cols = core.arch.integer("pe_cols");
  for (int64_t head = 0; head < core.shape.heads; ++head)
    for (int64_t query = 0; query < core.shape.tokens; ++query) {
      Row running{{}, std::vector<int32_t>(size_t(core.shape.dims), 0)};
      for (int64_t p = 0; p < core.shape.passes; ++p)
        merge(running, attend(core, head, query,
                              windowKeys(core, query, core.shape.first + p * cols, cols)));
      expectRow(core, head, query, running);
    }
}

const std::vector<std::string> kSmall{"pe_rows=4", "pe_cols=4"};

TEST(SaloMachine, computes_a_window_of_two_passes) {
  Core core({}, kSmall);
  core.run();
  expectWindow(core);
}

TEST(SaloMachine, computes_ragged_tiles_of_several_heads) {
  Core core({3, 13, 6, -5, 3, -1, 1.5f}, {"pe_rows=5", "pe_cols=3"});
  core.run();
  expectWindow(core);
}

// The window -3..0 shows the last row of tile t the keys 4t to 4t + 3: every key once.
TEST(SaloMachine, counts_a_global_token_once) {
  for (int64_t global : {0, 5, 11}) {
    Core core({2, 12, 4, -3, 1, global}, kSmall);
    core.run();
    for (int64_t head = 0; head < 2; ++head) {
      for (int64_t query = 0; query < 12; ++query) {
        std::vector<int64_t> keys = windowKeys(core, query, -3, 4);
        keys.push_back(global);
        if (query != global)
          expectRow(core, head, query, attend(core, head, query, keys));
      }
      Row running{{}, std::vector<int32_t>(4, 0)};
      for (int64_t t = 0; t < 12; t += 4)
        merge(running, attend(core, head, global, {t + 3, t + 2, t + 1, t}));
      expectRow(core, head, global, running);
    }
    const BitTensor &pairs = core.masks.kernels.at("attention_0");
    EXPECT_EQ(pairs.row(0, global)[0], 0xfffu);
    for (int64_t query = 0; query < 12; ++query)
      EXPECT_TRUE(pairs.get(1, query, global));
  }
}

// With more columns than rows a global row sees the first C - R keys of a tile again.
TEST(SaloMachine, masks_keys_that_pass_a_global_row_again) {
  Core core({1, 12, 4, -3, 1, 2}, {"pe_rows=4", "pe_cols=6"});
  core.run();
  Row running{{}, std::vector<int32_t>(4, 0)};
  for (const std::vector<int64_t> &keys :
       {std::vector<int64_t>{5, 4, 3, 2, 1, 0}, {9, 8, 7, 6}, {11, 10}})
    merge(running, attend(core, 0, 2, keys));
  expectRow(core, 0, 2, running);
}

TEST(SaloMachine, shows_and_hides_keys_but_adds_nothing) {
  EXPECT_FALSE(*hides(0));
  EXPECT_FALSE(*hides(-0.0f));
  EXPECT_TRUE(*hides(-10000));
  EXPECT_TRUE(*hides(-INFINITY));
  for (float value : {1.5f, -9999.0f, NAN}) {
    ASSERT_FALSE(hides(value).ok()) << value;
    EXPECT_NE(hides(value).error().message.find("shows a key (0) or hides it (-10000 or less)"),
              std::string::npos);
  }
}

TEST(SaloMachine, notes_pairs_and_scores_out_of_range) {
  Core core({}, kSmall);
  LaunchReport report = core.run();
  // Window -4..3 on 8 tokens: rows of 4, 5, 6, 7, 8, 7, 6, 5 keys.
  EXPECT_EQ(report.metrics["nnz"], 48);
  EXPECT_DOUBLE_EQ(report.metrics["density"], 0.75);
  EXPECT_FALSE(report.metrics.contains("scores_out_of_range"));
  EXPECT_FALSE(report.metrics.contains("warnings"));
  for (float &x : core.query)
    x = 12;
  for (float &x : core.key)
    x = 12; // 4 * 144 = 576 >= 128
  report = core.run();
  EXPECT_EQ(report.metrics["scores_out_of_range"], 48);
  ASSERT_EQ(report.metrics["warnings"].size(), 1u);
  EXPECT_EQ(report.metrics["warnings"][0],
            "scores beyond the 5-bit exponents alias, as on the machine (48 of them); calibrate on "
            "samples that reach as far (--calibrate), or lower `score_limit`");
}

TEST(SaloMachine, says_what_is_no_number) {
  Core core({}, kSmall);
  core.query[0] = core.value[1] = NAN;
  core.key[2] = core.key[3] = INFINITY;
  LaunchReport report = core.run();
  EXPECT_EQ(report.metrics["warnings"][0],
            "there are values that are NaN or infinite (1 in Q, 2 in K, 1 in V); the machine's "
            "words have neither: NaN is taken as 0, infinity as the largest word");
}

TEST(SaloMachine, multiplies_by_the_factors) {
  Core plain({}, kSmall), scaled({}, kSmall);
  plain.run();
  scaled.program.config.q_factor /= 4; // powers of two: the words stay
  scaled.program.config.k_factor = 4;
  scaled.program.config.v_factor = 2;
  for (float &x : scaled.query)
    x *= 4;
  for (float &x : scaled.key)
    x /= 4;
  for (float &x : scaled.value)
    x /= 2;
  scaled.run();
  for (size_t i = 0; i < plain.result.size(); ++i)
    EXPECT_EQ(scaled.result[i], plain.result[i] / 2) << i;
}

//===-- Cycles -------------------------------------------------------------===//

TEST(SaloMachine, takes_the_cycles_of_the_closed_form_with_an_ideal_memory) {
  Core core({}, {"pe_rows=4", "pe_cols=4", "memory=ideal"});
  LaunchReport report = core.run();
  EXPECT_EQ(report.metrics["passes"], 4);
  EXPECT_EQ(report.metrics["cycles_array"], 67);
  EXPECT_EQ(report.metrics["cycles_closed_form"], 67);
  // The last merge ends `merge_cycles` behind the last output.
  EXPECT_EQ(report.cycles.value, 67 + core.arch.integer("merge_cycles"));
}

TEST(SaloMachine, takes_the_published_cycles_of_a_layer) {
  Core core({6, 784, 64, -112, 8, -1}, {"memory=ideal"}); // ViL stage 2: ceil(225 / 32) passes
  EXPECT_EQ(core.run(RunMode::timing).metrics["cycles_array"], 196831);
}

TEST(SaloMachine, waits_for_a_slow_memory) {
  Core ideal({}, {"pe_rows=4", "pe_cols=4", "memory=ideal"}), real({}, kSmall),
      slow({}, {"pe_rows=4", "pe_cols=4", "dram_bandwidth_gbps=1"});
  const int64_t fast = ideal.run().cycles.value, usual = real.run().cycles.value;
  EXPECT_LT(fast, usual);
  EXPECT_LT(usual, slow.run().cycles.value);
}

// Per head: queries and outputs once; each of 2 tiles and 2 passes loads the keys and values of its
// slice that exist: tokens -4 to 2, 0 to 6, 0 to 6 and 4 to 10 of 8: 3 + 7 + 7 + 4.
TEST(SaloMachine, moves_the_words_that_exist) {
  Core core({}, kSmall);
  LaunchReport report = core.run();
  EXPECT_EQ(report.dramRead.value, 2 * 4 * (8 + 2 * 21));
  EXPECT_EQ(report.dramWritten.value, 2 * 4 * 8);
}

TEST(SaloMachine, times_without_numerics_alike) {
  Core core({2, 24, 8, -8, 2, -1}, {});
  const int64_t cycles = core.run().cycles.value;
  EXPECT_EQ(core.run(RunMode::timing).cycles.value, cycles);
  EXPECT_EQ(core.run(RunMode::functional).cycles.value, 0);
}

} // namespace
