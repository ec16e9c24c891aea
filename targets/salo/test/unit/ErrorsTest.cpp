// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ErrorsTest.cpp - programs that the machine refuses -----------------===//

#include "TestCore.h"

#include <cmath>

using namespace sparsam::salo;
using namespace sparsam::salo::test;
using namespace sparsam::runtime;

namespace {

const CoreShape kGlobal{1, 8, 4, -3, 1, 2};

/// Loads a changed program and expects a message with `part`.
void expectRefused(const std::function<void(Core &)> &change, const std::string &part,
                   const CoreShape &shape = {},
                   std::vector<std::string> settings = {"pe_rows=4", "pe_cols=4"}) {
  Core core(shape, settings);
  change(core);
  Status status = core.load();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find(part), std::string::npos) << status.error().message;
}

TEST(SaloErrors, refuses_bad_configurations) {
  expectRefused([](Core &c) { c.program.config.q_factor = NAN; },
                "q_factor must be a number in [-16777216, 16777216], got nan");
  expectRefused([](Core &c) { c.program.config.k_factor = INFINITY; },
                "k_factor must be a number in [-16777216, 16777216], got inf");
  expectRefused([](Core &c) { c.program.config.v_factor = 0; },
                "v_factor must not be 0: outputs are divided by it");
  expectRefused([](Core &) {}, "at most 2 dimensions per head (parameter 'merge_dims'), got 4", {},
                {"pe_rows=4", "pe_cols=4", "merge_dims=2"});
  expectRefused([](Core &c) { c.program.prologue = {c.program.config}; },
                "'config' is there twice");
  expectRefused([](Core &) {}, "version 2 runs no programs: it picks its patterns at run time", {},
                {"pe_rows=4", "pe_cols=4", "version=2"});
}

TEST(SaloErrors, refuses_bad_global_tokens) {
  expectRefused([](Core &c) { c.program.prologue = {insn::SetGlobal{8}}; },
                "global token 8 is none of the 8 tokens of a head");
  expectRefused([](Core &c) { c.program.prologue = {insn::SetGlobal{2}}; },
                "token 2 is declared global twice", kGlobal);
  expectRefused(
      [](Core &c) {
        Address source = c.program.dram(0, 4);
        source.terms = {}; // outside of the loop over heads
        insn::LoadQuery load;
        load.source = c.program.address(source);
        load.destination = c.program.address(c.program.onChip(CoreProgram::query, 4));
        c.program.prologue = {load, insn::SetGlobal{2}};
      },
      "'set_global' must come before the first load");
}

TEST(SaloErrors, refuses_memories_that_do_not_fit) {
  expectRefused([](Core &c) { c.program.memories.push_back({"cache", 16, 4}); },
                "uses memory 'cache', which SALO does not have");
  expectRefused([](Core &) {}, "'key_buffer'", {}, {"pe_rows=4", "pe_cols=4", "key_buffer=32"});
}

TEST(SaloErrors, refuses_tiles_that_the_array_does_not_hold) {
  expectRefused([](Core &c) { c.program.changePass = [](insn::TileAttn &i) { i.cols = 5; }; },
                "at most 4 columns (parameter 'pe_cols'), got 5");
  expectRefused([](Core &c) { c.program.changePass = [](insn::TileAttn &i) { i.row_cols = 5; }; },
                "at most 4 row_cols (parameter 'pe_cols'), got 5");
  expectRefused(
      [](Core &c) {
        c.program.changePass = [&c](insn::TileAttn &i) {
          i.query = c.program.address(c.program.onChip(CoreProgram::query, 5));
        };
      },
      "at most 4 query rows (parameter 'pe_rows'), got 5");
  expectRefused(
      [](Core &c) {
        c.program.changePass = [&c](insn::TileAttn &i) {
          i.key = c.program.address(c.program.onChip(CoreProgram::key, 6));
        };
      },
      "keys of a slice = 7 (rows + pe_cols - 1), got 6");
}

TEST(SaloErrors, refuses_globals_that_the_array_does_not_hold) {
  expectRefused(
      [](Core &c) {
        c.program.changePass = [](insn::TileAttn &i) { i.global_value = kAbsentOperand; };
      },
      "expects global keys with their values", kGlobal);
  expectRefused([](Core &) {}, "at most 0 global keys (parameter 'globals'), got 1", kGlobal,
                {"pe_rows=4", "pe_cols=4", "globals=0"});
  expectRefused(
      [](Core &c) {
        c.program.changeMerge = [](insn::Merge &i) { i.global_output = kAbsentOperand; };
      },
      "expects rows for the 1 global queries of the pass", kGlobal);
}

TEST(SaloErrors, refuses_a_pass_without_its_merge) {
  expectRefused([](Core &c) { c.program.hasMerge = false; },
                "'merge' must follow 'tile_attn': its outputs are leaving the array");
  expectRefused(
      [](Core &c) {
        insn::Merge merge;
        merge.output = c.program.address(c.program.onChip(CoreProgram::output, 4));
        merge.global_output = kAbsentOperand;
        c.program.prologue = {merge};
      },
      "'merge' must follow 'tile_attn'");
  expectRefused(
      [](Core &c) { c.program.changePass = [&c](insn::TileAttn &i) { c.program.epilogue = {i}; }; },
      "kernel 'attention_0' ends after 'tile_attn', before its 'merge'");
}

TEST(SaloErrors, refuses_keys_and_values_of_different_tokens) {
  Core core({}, {"pe_rows=4", "pe_cols=4"});
  core.program.changeValues = [&core](insn::LoadValue &i) {
    Address next = core.program.addresses[i.first];
    ++next.base;
    i.first = core.program.address(next);
  };
  ASSERT_TRUE(core.load().ok());
  auto report = core.launch(RunMode::full);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().message, "kernel 'attention_0': 'tile_attn' with keys from token -4 on "
                                    "and values from token -3 on");
}

TEST(SaloErrors, refuses_other_numbers_of_queries_than_of_keys) {
  auto change = [](Core &c) {
    c.program.config.queries = 4;
    c.program.config.keys = 5;
    c.program.config.segments = 2;
  };
  expectRefused(change, "expects as many queries as keys in each of 2 segments, got 4 and 5");
  expectRefused([](Core &c) { c.program.config.queries = 7; },
                "expects as many queries as keys where tokens are global, got 7 and 8", kGlobal);
}

/// Loads a changed program, runs it and expects an error.
void expectFails(const std::function<void(CoreProgram &)> &change, const std::string &message,
                 const CoreShape &shape = {}) {
  Core core(shape, {"pe_rows=4", "pe_cols=4"});
  change(core.program);
  ASSERT_TRUE(core.load().ok());
  auto report = core.launch(RunMode::full);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().message, message);
}

TEST(SaloErrors, refuses_passes_over_what_was_not_loaded) {
  expectFails(
      [](CoreProgram &program) {
        program.changePass = [&program](insn::TileAttn &i) {
          i.query = program.address(program.onChip(CoreProgram::query, 4, 1));
        };
      },
      "kernel 'attention_0': 'tile_attn' before its queries, keys and values were loaded", kGlobal);
  expectFails([](CoreProgram &program) { program.hasQueries = false; },
              "kernel 'attention_0' loads no queries");
}

TEST(SaloErrors, refuses_tensors_of_another_kind) {
  Core core({}, {"pe_rows=4", "pe_cols=4"});
  ASSERT_TRUE(core.load().ok());
  core.dtype = DType::i32;
  auto report = core.launch(RunMode::full);
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error().message.find("needs float32 tensors, binding 0 is int32"),
            std::string::npos);
}

TEST(SaloErrors, refuses_heads_beyond_config) {
  Core core({}, {"pe_rows=4", "pe_cols=4"});
  core.program.config.heads = 1;
  core.shape.heads = 1;
  Address second;
  second.base = 1;
  core.program.prologue = {
      insn::SelectHead{core.program.address(second), core.program.address(Address())}};
  ASSERT_TRUE(core.load().ok());
  auto report = core.launch(RunMode::full);
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error().message.find("names head 1, segment 0, beyond those of 'config'"),
            std::string::npos);
}

} // namespace
