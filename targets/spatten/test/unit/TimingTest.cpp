// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TimingTest.cpp - closed forms, traffic and workloads ---------------===//

#include "targets/spatten/model/Analysis.h"
#include "targets/spatten/model/Channels.h"
#include "targets/spatten/model/ClosedForms.h"
#include "targets/spatten/model/Pipeline.h"

#include <gtest/gtest.h>

#include <numeric>

using namespace sparsam;
using namespace sparsam::spatten;

/// Worked example: 2 heads, 40 queries, 37 keys, 8 + 8 bits.
static std::vector<Request> example() {
  Request row;
  row.queries = 40;
  row.keys = row.values = 37;
  row.count = 2;
  return {row};
}

// B = ceil(37 / 8) = 5; dram 2 * 2 * 5; fill 2 * 40 * 5; drain 11 + 87 + 5 + 5.
TEST(Behavioural, gives_the_cycles_of_the_worked_example) {
  Params params;
  BehaviouralCycles cycles = behaviouralCycles(params, example());
  EXPECT_EQ(cycles.dram, 20);
  EXPECT_EQ(cycles.fill, 400);
  EXPECT_EQ(cycles.drain, 108);
  EXPECT_EQ(cycles.topk, 0);
  EXPECT_EQ(cycles.total(), 528);
}

TEST(Behavioural, gives_the_cycles_of_the_small_machine) {
  Params params;
  params.multipliers = 64;
  params.channels = 2;
  EXPECT_EQ(behaviouralCycles(params, example()).total(), 3248);
}

// One round at least: 5 + (floor(37 / 4) + 4) + ceil(20 / 8), and no more than a round per key.
TEST(Behavioural, charges_a_ranking_its_rounds) {
  Params params;
  params.topkParallelism = 4;
  std::vector<Request> rows = example();
  rows[0].topk = 20;
  BehaviouralCycles cycles = behaviouralCycles(params, rows);
  EXPECT_GE(cycles.topk, 2 * (5 + 13 + 3));
  EXPECT_LT(cycles.topk, 2 * (5 + 37 * 13 + 3));
  params.pivot.seed = 2;
  EXPECT_NE(behaviouralCycles(params, rows).topk, cycles.topk);
  rows[0].topk = 37; // all survive: bypassed
  EXPECT_EQ(behaviouralCycles(params, rows).topk, 0);
}

TEST(Traffic, counts_one_query_of_a_head) {
  Request r;
  r.keys = 204;
  r.values = 40;
  r.keyBits = r.valueBits = 6;
  std::vector<Request> rows{r};
  EXPECT_EQ(traffic(rows).total(), 11904); // 208 * 48 + 40 * 48
  rows[0].needsLsb = true;
  EXPECT_EQ(traffic(rows).lowBytes, 6656); // 208 * 32
}

/// The authors' GPT-2 workloads (mit-han-lab/spatten, MIT licence), regenerated from their
/// schedules.
TEST(Traffic, matches_the_published_workloads) {
  auto total = [](Published which) { return traffic(publishedWorkload(which)).total(); };
  EXPECT_EQ(total(Published::gpt2Small), 83704064);
  EXPECT_EQ(total(Published::gpt2SmallDense), 746127360);
  EXPECT_EQ(total(Published::gpt2Medium), 714776576);
  EXPECT_EQ(total(Published::gpt2MediumDense), 1989672960);
  Traffic small = traffic(publishedWorkload(Published::gpt2Small));
  EXPECT_EQ(small.keyBytes, 62337024);
  EXPECT_EQ(small.lowBytes, 8644352);
  EXPECT_EQ(small.valueBytes, 12722688);
}

TEST(Traffic, counts_the_operations_of_the_published_workloads) {
  EXPECT_EQ(operations(publishedWorkload(Published::gpt2Small)), 196909056);
  EXPECT_EQ(operations(publishedWorkload(Published::gpt2Medium)), 1022899456);
  EXPECT_EQ(operations(publishedWorkload(Published::gpt2MediumDense)), 3172466688);
}

// 204 keys at 6 bits: 208 * 48 / 32 / 16 = 19.5 cycles of DRAM; Q x K 26; values 3.75.
TEST(Pipelined, gives_the_cycles_of_each_module) {
  Params params;
  Request r;
  r.keys = 204;
  r.values = 40;
  r.keyBits = r.valueBits = 6;
  PipelineCycles cycles = pipelineCycles(params, r, 60);
  EXPECT_DOUBLE_EQ(cycles.keys, 19.5);
  EXPECT_DOUBLE_EQ(cycles.values, 3.75);
  EXPECT_DOUBLE_EQ(cycles.qk, 26);
  EXPECT_DOUBLE_EQ(cycles.pv, 5);
  EXPECT_DOUBLE_EQ(cycles.topk, (26 + 60) / 2.0 + 5);
  EXPECT_DOUBLE_EQ(cycles.interval(), 48);
}

// GFLOPS of the pruned GPT-2-small workload by comparators, derived in the design's notes:
// saturates as the paper's does, later.
TEST(Pipelined, saturates_with_the_top_k_parallelism) {
  std::vector<Request> rows = publishedWorkload(Published::gpt2Small);
  double before = 0;
  for (auto [parallelism, expected] :
       {std::pair(1, 97.0), {2, 176.0}, {4, 301.0}, {8, 471.0}, {16, 644.0}, {32, 766.0}}) {
    Params params;
    params.topkParallelism = parallelism;
    double gflops = operations(rows) / pipelinedCycles(params, rows);
    EXPECT_NEAR(gflops, expected, 0.06 * expected) << parallelism;
    EXPECT_GT(gflops, before);
    before = gflops;
  }
}

// 12 heads of 40 queries and keys: Q x K 5 cycles per query; 2 * 40 * 64 B / 32 B / 16 = 10 cycles
// to load the first head; 11 + 87 + 5 + 5 + 100 to fill the pipe.
TEST(Pipelined, loads_heads_with_many_queries_once) {
  Params params;
  params.dramLatency = runtime::Cycle(100);
  params.requestQueue = 1024; // so that it does not hold up queries
  Request heads;
  heads.queries = heads.keys = heads.values = 40;
  heads.count = 12;
  EXPECT_DOUBLE_EQ(pipelinedCycles(params, std::span(&heads, 1)), 12 * 40 * 5 + 10 + 208);
  const auto report = analyzeWorkload({heads}, params);
  EXPECT_NEAR(report["cycles"].get<double>(), report["cycles_closed_form"].get<double>(), 50);
  // Values that a query does not keep are loaded with the others.
  const int64_t bytes = traffic(std::span(&heads, 1)).valueBytes;
  heads.values = 8;
  EXPECT_EQ(traffic(std::span(&heads, 1)).valueBytes, bytes);
  EXPECT_EQ(bytes, 12 * 40 * 64);
}

TEST(Pipeline, overlaps_queries_up_to_the_slowest_module) {
  Params params;
  runtime::Scheduler scheduler;
  Pipeline pipeline(params, scheduler);
  QueryWork work;
  work.keyFetch = 20;
  work.valueFetch = 4;
  work.block = work.softmax = 26;
  work.topk = 48;
  work.mix = 5;
  constexpr int64_t kQueries = 200;
  for (int64_t i = 0; i < kQueries; ++i)
    pipeline.run(work, {}, {});
  const double each = double(scheduler.finish().value) / kQueries;
  EXPECT_GE(each, 48);
  EXPECT_LT(each, 50);
}

TEST(Pipeline, hides_second_fetches_behind_other_queries) {
  auto cycles = [](double bubble) {
    Params params;
    params.lsbBubble = bubble;
    params.dramLatency = runtime::Cycle(100);
    runtime::Scheduler scheduler;
    Pipeline pipeline(params, scheduler);
    QueryWork work{20, 10, 4, 26, 26, true, 0, 5};
    for (int64_t i = 0; i < 100; ++i)
      pipeline.run(work, {}, {});
    return scheduler.finish().value;
  };
  EXPECT_LT(cycles(0), 100 * 2 * 26 + 1000);
  EXPECT_GE(cycles(1), 100 * (2 * 26 + 187));
}

TEST(Channels, fills_all_channels_with_consecutive_rows) {
  Params params;
  Channels channels(params);
  std::vector<int64_t> rows(37);
  std::iota(rows.begin(), rows.end(), 0);
  // 40 rows of 64 bytes: 80 granules over 16 channels.
  EXPECT_EQ(channels.fetchRows(Plane::keyHigh, rows, 512, 0), 5);
  EXPECT_EQ(channels.bytes(Plane::keyHigh), 2560);
}

TEST(Channels, waits_for_the_busiest_channel) {
  Params params;
  Channels channels(params);
  // Rows of one granule that all lie in channel 0, then three more to fill up the group.
  EXPECT_EQ(channels.fetchRows(Plane::value, std::vector<int64_t>{0, 16, 32, 48, 64}, 256, 0), 5);
  EXPECT_EQ(channels.load()[0], 5 * 32);
}

// GPT-2-medium, one layer, one token: 12 * 1024^2 weights of 8 bits over 512 bytes per cycle; with
// many tokens the 1024 multipliers are busy longer.
TEST(EndToEnd, streams_weights_or_multiplies) {
  Params params;
  const double weights = 12.0 * 1024 * 1024;
  EXPECT_DOUBLE_EQ(fcCycles(params, weights, 1), weights / 512);
  EXPECT_DOUBLE_EQ(fcCycles(params, weights, 992), weights * 992 / 1024);
  params.fcBits = 12;
  EXPECT_DOUBLE_EQ(fcCycles(params, weights, 1), weights * 1.5 / 512);
}

//===-- Workload tables ----------------------------------------------------===//

static const char *kHeader = "layer,head,head_dim,queries,keys,key_bits,value_bits";

static std::string errorOf(const std::string &text) {
  auto rows = parseWorkload(text, "w.csv", Params());
  return rows ? "no error" : rows.error().message;
}

TEST(Workload, reads_rows_in_any_order_of_columns) {
  auto rows = parseWorkload(
      "keys,layer,head,head_dim,queries,key_bits,value_bits,topk\n37,1,2,64,40,6,-1,20\n"
      "37,1,3,64,40,6,-1,20\n",
      "w.csv", Params());
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  const Request &r = rows->front();
  EXPECT_EQ(r.layer, 1);
  EXPECT_EQ(r.head, 2);
  EXPECT_EQ(r.keys, 37);
  EXPECT_EQ(r.values, 37);
  EXPECT_EQ(r.queries, 40);
  EXPECT_EQ(r.topk, 20);
  EXPECT_EQ(r.fetchedValueBits(), 8);
}

TEST(Workload, refuses_heads_that_the_machine_cannot_hold) {
  const std::string header = kHeader;
  EXPECT_EQ(errorOf(header + "\n0,0,64,1,1024,8,8\n"), "no error");
  EXPECT_EQ(
      errorOf(header + "\n0,0,64,1,1025,8,8\n"),
      "w.csv:2: SpAtten needs room for 1025 tokens of 64 dimensions; its SRAM holds two heads "
      "of 1024 (parameter 'key_buffer' = 196608 B)");
  EXPECT_EQ(errorOf(header + "\n0,0,100,1,9,8,8\n"),
            "w.csv:2: SpAtten has no heads of 100 dimensions: the adder tree splits in halves and "
            "has 512 inputs (parameter 'multipliers'); a power of two up to 512 fits");
  Params params;
  params.valueBuffer = 98304;
  auto rows = parseWorkload(header + "\n0,0,64,1,513,8,8\n", "w.csv", params);
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().message,
            "w.csv:2: SpAtten needs room for 513 tokens of 64 dimensions; its SRAM holds two heads "
            "of 512 (parameter 'value_buffer' = 98304 B)");
  params.multipliers = 32;
  rows = parseWorkload(header + "\n0,0,64,1,9,8,8\n", "w.csv", params);
  ASSERT_FALSE(rows.ok());
  EXPECT_NE(rows.error().message.find("a power of two up to 32 fits"), std::string::npos);
}

TEST(Workload, refuses_a_head_that_is_there_twice) {
  EXPECT_EQ(
      errorOf(std::string(kHeader) + "\n0,3,64,1,9,8,8\n1,3,64,1,9,8,8\n0,3,64,1,8,8,8\n"),
      "w.csv:4: head 3 of layer 0 is in line 2 already; number the layers of further steps on");
}

TEST(Workload, refuses_a_head_of_six_bits_without_its_pair) {
  const std::string text = std::string(kHeader) + "\n5,0,64,1,9,6,8\n5,1,64,1,9,8,8\n";
  EXPECT_EQ(
      errorOf(text),
      "w.csv: layer 5 has 1 heads with keys of 6 bits; the fetcher packs two of them together "
      "(as released), so that their number must be even");
  EXPECT_EQ(errorOf(text + "5,2,64,1,9,6,8\n"), "no error");
  Params serial; // 6 bits come as 8
  serial.isBehavioural = true;
  EXPECT_TRUE(parseWorkload(text, "w.csv", serial).ok());
}

/// What the authors ran stays within what the machine holds.
TEST(Workload, holds_the_published_workloads) {
  for (Published which : {Published::gpt2Small, Published::gpt2SmallDense, Published::gpt2Medium,
                          Published::gpt2MediumDense}) {
    const std::vector<Request> rows = publishedWorkload(which);
    for (const Request &row : rows)
      EXPECT_TRUE(checkRequest(row, Params()).ok()) << row.keys;
    EXPECT_TRUE(checkPairs(rows, Params()).ok());
  }
}

TEST(Workload, explains_what_is_wrong) {
  const std::string header = kHeader;
  EXPECT_EQ(errorOf(""), "w.csv holds no workload; the first line names the columns: "
                         "layer,head,head_dim,queries,keys,key_bits,value_bits,values,lsb,topk");
  EXPECT_EQ(errorOf("layer,head\n"), "w.csv:1: column 'head_dim' is missing");
  EXPECT_EQ(errorOf("layer,tail\n"),
            "w.csv:1: there is no column 'tail'; there are: "
            "layer,head,head_dim,queries,keys,key_bits,value_bits,values,lsb,topk");
  EXPECT_EQ(errorOf("layer,layer\n"), "w.csv:1: column 'layer' is there twice");
  EXPECT_EQ(errorOf(header + "\n0,0,64\n"), "w.csv:2: has 3 values for 7 columns");
  EXPECT_EQ(errorOf(header + "\n0,0,64,1,0,8,8\n"),
            "w.csv:2: expects keys from 1 to 65535, got '0'");
  EXPECT_EQ(errorOf(header + "\n0,0,64,1,9,7,8\n"),
            "w.csv:2: expects key_bits of 4, 6, 8, 10 or 12, or -1 for full words, got 7");
  EXPECT_EQ(errorOf(header + ",values\n0,0,64,1,9,8,8,10\n"),
            "w.csv:2: fetches 10 values of 9 keys");
}
