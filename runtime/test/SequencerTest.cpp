// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SequencerTest.cpp - command words, loops, addresses ----------------===//

#include "runtime/test/TestFiles.h"
#include "runtime/test/ToyIsa.h"

using namespace sparsam::runtime;
using namespace sparsam::runtime::toy;

using ToyStage = Stage<toy::Isa>;

static std::vector<TensorView> bindings(int64_t rows = 8) {
  return {TensorView{DType::f32, {rows, 4}, nullptr}, TensorView{DType::f32, {rows, 4}, nullptr}};
}

/// Writes down what the walk visits.
struct Recorder {
  int64_t trips = 0;
  std::string text;
  void operator()(const Load &op, Addressing &at) {
    Tile source = at.tile(op.source), destination = at.tile(op.destination);
    text += "load " + std::to_string(source.offset) + " row " + std::to_string(source.row) +
            " valid " + std::to_string(source.validRows) + " to " +
            std::to_string(destination.offset) + "\n";
  }
  void operator()(const Count &op, Addressing &at) { at.setCounter(op.result, trips++); }
  void operator()(const Use &op, Addressing &at) {
    text += "use " + std::to_string(at.index(op.number)) + "\n";
  }
};

TEST(Sequencer, walks_loops_and_counters) {
  StageBuilder builder = exampleStage();
  builder.words[1] = 2;
  auto stage = ToyStage::load(builder.build());
  ASSERT_TRUE(stage.ok()) << message(stage);
  Recorder recorder{1, ""};
  Status status = stage->walk(bindings(), recorder);
  ASSERT_TRUE(status.ok()) << message(status);
  // The counter is 1 in the first trip and 2 in the second.
  EXPECT_EQ(recorder.text,
            "load 0 row 0 valid 4 to 0\nuse 0\nload 16 row 4 valid 4 to 16\nuse 1\nuse 1\n");
}

TEST(Sequencer, skips_loops_without_trips) {
  StageBuilder builder;
  builder.addresses = {buffer(1, 1)};
  builder.words = loop(0) + loop(5) + use(0) + endLoop() + endLoop() + count(0) + loopCounter(0) +
                  use(0) + endLoop() + end();
  auto stage = ToyStage::load(builder.build());
  ASSERT_TRUE(stage.ok()) << message(stage);
  Recorder recorder{-3, ""};
  EXPECT_TRUE(stage->walk(bindings(), recorder).ok());
  EXPECT_EQ(recorder.text, "");
}

TEST(Sequencer, restarts_inner_loops_in_every_trip) {
  StageBuilder builder;
  builder.addresses = {buffer(1, 1), Address().term(0, 10).term(1, 1)};
  builder.words = loop(2) + loop(3) + use(0, 1) + endLoop() + endLoop() + end();
  auto stage = ToyStage::load(builder.build());
  ASSERT_TRUE(stage.ok()) << message(stage);
  Recorder recorder;
  EXPECT_TRUE(stage->walk(bindings(), recorder).ok());
  EXPECT_EQ(recorder.text, "use 0\nuse 1\nuse 2\nuse 10\nuse 11\nuse 12\n");
}

TEST(Sequencer, ends_the_walk_with_the_visitors_error) {
  auto stage = ToyStage::load(exampleStage().build());
  ASSERT_TRUE(stage.ok()) << message(stage);
  int visited = 0;
  Status status = stage->walk(bindings(), [&](const auto &, Addressing &) -> Status {
    ++visited;
    return makeError("enough");
  });
  EXPECT_EQ(message(status), "enough");
  EXPECT_EQ(visited, 1);
}

TEST(Sequencer, clips_tiles_at_the_end_of_the_tensor) {
  StageBuilder builder;
  // 7 rows in tiles of 4: the second tile has 3 valid rows, the third none.
  builder.addresses = {dram(0, 4, 4, 7).term(0, 16, 4), buffer(4, 4)};
  builder.words = loop(3) + load(0, 1) + endLoop() + end();
  auto stage = ToyStage::load(builder.build());
  ASSERT_TRUE(stage.ok()) << message(stage);
  EXPECT_EQ(stage->info().bindingElements[0], 28);
  Recorder recorder;
  EXPECT_TRUE(stage->walk(bindings(7), recorder).ok());
  EXPECT_EQ(recorder.text,
            "load 0 row 0 valid 4 to 0\nload 16 row 4 valid 3 to 0\nload 32 row 8 valid 0 to 0\n");
  EXPECT_EQ(message(stage->walk(bindings(6), recorder)),
            "kernel 'attention_0' addresses 28 elements of binding 0, whose tensor has 24");
  EXPECT_EQ(message(stage->walk({}, recorder)), "kernel 'attention_0' has 2 bindings, got 0");
}

TEST(Sequencer, reserves_room_for_whole_tiles_on_chip) {
  StageBuilder builder;
  // A buffer of 7 valid rows of 4 in 28 elements, visited in tiles of 4 rows.
  Address tile{0, 4, 4, 4, 0, 7, 2, 0};
  builder.addresses = {tile.term(0, 16, 4)};
  builder.elements = 28;
  builder.words = loop(2) + use(0) + endLoop() + end();
  auto stage = ToyStage::load(builder.build());
  ASSERT_TRUE(stage.ok()) << message(stage);
  EXPECT_EQ(stage->info().memories[0].elements, 28);
  EXPECT_EQ(stage->info().memories[0].extent, 32);
}

TEST(Sequencer, disassembles_with_indented_loops) {
  auto stage = ToyStage::load(exampleStage().build());
  ASSERT_TRUE(stage.ok()) << message(stage);
  EXPECT_EQ(stage->disassemble(),
            "loop 2\n"
            "  toy.load d0 to d1\n"
            "  toy.count to 3\n"
            "  loop counter 3\n"
            "    toy.use d1\n"
            "  end_loop\n"
            "end_loop\n"
            "end\n"
            "; d0 = dram[0] 4x4 at 0 + l0 * 16 stride 4, rows from 0 + l0 * 4 below 8\n"
            "; d1 = buffer 4x4 at 0 + (l0 mod 2) * 16 stride 4, rows from 0 below 4\n"
            "; d2 = 0 + l0 * 1\n");
}

//===-- Refusals -----------------------------------------------------------===//

static std::string loadError(const Words &words, std::vector<Address> addresses = {}) {
  StageBuilder builder;
  builder.words = words;
  builder.addresses = std::move(addresses);
  return message(ToyStage::load(builder.build()));
}

static std::string at(int word, const std::string &text) {
  return "kernel 'attention_0', command word " + std::to_string(word) + ": " + text;
}

TEST(Sequencer, refuses_damaged_words) {
  EXPECT_EQ(loadError({}), at(0, "the program has no end command"));
  EXPECT_EQ(loadError({0x0000}), at(0, "a group of 0 words does not fit into the 1 that are left"));
  EXPECT_EQ(loadError({0x0511}), at(0, "a group of 5 words does not fit into the 1 that are left"));
  EXPECT_EQ(loadError({0x01ff}), at(0, "opcode 255 does not exist"));
  EXPECT_EQ(loadError(count(0) + Words{0x0211, 0}), at(1, "opcode 17 takes 1 words"));
  EXPECT_EQ(loadError(end() + count(0)), at(0, "there are words behind the end command"));
}

TEST(Sequencer, refuses_impossible_loops) {
  EXPECT_EQ(loadError(loop(2) + end()), at(2, "the program ends inside of 1 loops"));
  EXPECT_EQ(loadError(endLoop() + end()), at(0, "a loop end without a loop"));
  EXPECT_EQ(loadError({0x0101, 3}), at(0, "a counted loop takes 2 words, got 1"));
  EXPECT_EQ(loadError({0x0203, 3}), at(0, "a loop end takes 1 word, got 2"));
  EXPECT_EQ(loadError({0x0202, 3}), at(0, "a loop over a counter takes 1 word, got 2"));
  EXPECT_EQ(loadError(loopCounter(16)), at(0, "counter register 16 does not exist; there are 16"));
  EXPECT_EQ(loadError(loop(1 << 24)),
            at(0, "a loop of 16777216 trips is longer than the limit of 16777215"));
  Words deep, endless;
  for (int i = 0; i < 9; ++i)
    deep = deep + loop(1);
  EXPECT_EQ(loadError(deep), at(16, "loops nest deeper than 8"));
  for (int i = 0; i < 4; ++i)
    endless = endless + loop(0xffffff);
  EXPECT_EQ(loadError(endless + count(0)),
            at(8, "the program executes more than 1e+11 instructions"));
  EXPECT_EQ(loadError(endless + endLoop()),
            at(8, "the program executes more than 1e+11 instructions"));
}

TEST(Sequencer, refuses_operands_that_do_not_exist) {
  EXPECT_EQ(loadError(count(16) + end()),
            at(0, "counter register 16 does not exist; there are 16"));
  EXPECT_EQ(loadError(use(7) + end(), {buffer(1, 1)}),
            at(0, "address descriptor 7 does not exist; there are 1"));
  EXPECT_EQ(loadError(use(0, 0) + end(), {buffer(1, 1)}),
            at(0, "address descriptor 0 addresses a memory where a number is expected"));
  EXPECT_EQ(loadError(use(0) + end(), {dram(0, 1, 1, 1)}),
            at(0, "address descriptor 0 addresses memory 1 where memory 'buffer' is expected"));
  EXPECT_EQ(loadError(use(0) + end(), {Address{0, 1, 1, 1, 0, 1, 3, 0}}),
            at(0, "address descriptor 0 addresses memory 3 where memory 'buffer' is expected"));
  EXPECT_EQ(loadError(load(0, 0) + end(), {buffer(1, 1)}),
            at(0, "address descriptor 0 addresses memory 2 where dram is expected"));
  EXPECT_EQ(loadError(load(0, 0) + end(), {dram(2, 1, 1, 1)}),
            at(0, "address descriptor 0 addresses binding 2; the kernel has 2"));
  EXPECT_EQ(loadError(use(0) + end(), {buffer(0, 1)}),
            at(0, "address descriptor 0 addresses an empty tile"));
}

TEST(Sequencer, refuses_addresses_out_of_bounds) {
  EXPECT_EQ(loadError(use(0) + end(), {buffer(1, 129)}),
            at(0, "address descriptor 0 reaches element 128 of memory 'buffer', which has 128"));
  EXPECT_EQ(loadError(loop(3) + use(0) + endLoop() + end(), {buffer(4, 16).term(0, 64)}),
            at(2, "address descriptor 0 reaches element 191 of memory 'buffer', which has 128"));
  EXPECT_EQ(loadError(loop(9) + use(0) + endLoop() + end(), {buffer(4, 16).term(0, 64, 0, 2)}),
            "(no error)");
  EXPECT_EQ(loadError(loop(2) + use(0) + endLoop() + end(), {buffer(1, 1).term(0, -1)}),
            at(2, "address descriptor 0 reaches before the start of its memory"));
  EXPECT_EQ(loadError(use(0) + end(), {buffer(1, 1).term(0, 1)}),
            at(0, "address descriptor 0 uses the counter of loop 0, but only 0 loops are around "
                  "the instruction"));
  EXPECT_EQ(loadError(loopCounter(0) + use(0) + endLoop() + end(), {buffer(1, 1).term(0, 1)}),
            at(1, "address descriptor 0 uses the counter of loop 0, whose trip count is a "
                  "register, without a modulus"));
  EXPECT_EQ(
      loadError(loopCounter(0) + use(0) + endLoop() + end(), {buffer(1, 1).term(0, 1, 0, 128)}),
      "(no error)");
  EXPECT_EQ(loadError(use(0) + end(), {Address{int64_t(1) << 60, 1, 1, 1, 0, 1, 2, 0}}),
            "kernel 'attention_0': address descriptor 0 exceeds 281474976710656 elements");
  EXPECT_EQ(loadError(loop(0xffffff) + load(0, 0) + endLoop() + end(),
                      {dram(0, 1, 1, 1).term(0, int64_t(1) << 40)}),
            at(2, "address descriptor 0 reaches beyond 281474976710656 elements"));
  // Clipping bounds the reach only where rows move through memory as through the tensor.
  EXPECT_EQ(loadError(loop(2) + load(0, 1) + endLoop() + end(),
                      {dram(0, 4, 4, 4).term(0, 1000, 4), buffer(4, 4)}),
            "(no error)");
}

TEST(Sequencer, counts_elements_of_inconsistent_rows_unclipped) {
  StageBuilder builder;
  builder.addresses = {dram(0, 4, 4, 4).term(0, 1000, 4), buffer(4, 4)};
  builder.words = loop(2) + load(0, 1) + endLoop() + end();
  auto stage = ToyStage::load(builder.build());
  ASSERT_TRUE(stage.ok()) << message(stage);
  EXPECT_EQ(stage->info().bindingElements[0], 1016);
}

TEST(Sequencer, refuses_impossible_memories) {
  StageBuilder builder;
  builder.words = end();
  builder.elements = uint64_t(1) << 40;
  EXPECT_EQ(message(ToyStage::load(builder.build())),
            "kernel 'attention_0': memory 'buffer' of 1099511627776 elements is larger than the "
            "limit of 4294967296 bytes");
}

TEST(Sequencer, stops_at_impossible_counts) {
  StageBuilder builder;
  builder.words = count(2) + loopCounter(2) + endLoop() + end();
  auto stage = ToyStage::load(builder.build());
  ASSERT_TRUE(stage.ok()) << message(stage);
  Recorder recorder{int64_t(1) << 40, ""};
  EXPECT_EQ(message(stage->walk(bindings(), recorder)),
            "counter register 2 of kernel 'attention_0' holds the impossible count 1099511627776");
}
