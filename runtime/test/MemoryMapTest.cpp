// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MemoryMapTest.cpp - memories that a kernel declares ----------------===//

#include "runtime/units/MemoryMap.h"
#include "runtime/test/ToyIsa.h"

#include <gtest/gtest.h>

using namespace sparsam::runtime;

static constexpr MemorySpec kSpecs[] = {{"key", 16, "key_buffer"}, {"list", 64, nullptr}};

static Arch arch() {
  auto spec = ArchSpec::parse("target: toy\n"
                              "summary: toy\n"
                              "parameters:\n"
                              "  all:\n"
                              "    clock_mhz: {value: 1.0, summary: s, source: A}\n"
                              "    key_buffer: {value: 1KB, unit: B, summary: s, source: A}\n",
                              "arch.yaml");
  EXPECT_TRUE(bool(spec)) << (spec ? "" : spec.error().message);
  return Arch(spec.take());
}

static Result<std::vector<MemoryUse>> map(std::vector<StageInfo::Memory> memories) {
  StageInfo info;
  info.name = "attention_0";
  info.memories = std::move(memories);
  toy::Address rows = toy::buffer(4, 8); // 4 rows of 8 elements of the first memory
  rows.base = 24;
  const AddressGenerator tile(rows.make());
  return mapMemories(info, std::span(&tile, 1), kSpecs, "Toy", arch());
}

static std::string errorOf(std::vector<StageInfo::Memory> memories) {
  auto numbers = map(std::move(memories));
  return numbers ? "no error" : numbers.error().message;
}

TEST(MemoryMap, numbers_memories_as_descriptors_do) {
  auto uses = map({{"list", 64, 1 << 20, 0}, {"key", 16, 512, 0}});
  ASSERT_TRUE(bool(uses)) << uses.error().message;
  EXPECT_EQ((*uses)[0].number, 3u);
  EXPECT_EQ((*uses)[1].number, 2u);
  EXPECT_EQ((*map({{"key", 16, 512, 0}}))[1].number, 0u);
}

TEST(MemoryMap, finds_the_grain_of_rows) {
  MemoryUse use = map({{"key", 16, 512, 64}}).take().front();
  EXPECT_EQ(use.extent, 64);
  EXPECT_EQ(use.grain, 8);
  EXPECT_EQ(use.rowSlots(), 9);
}

TEST(MemoryMap, refuses_what_the_machine_does_not_have) {
  EXPECT_EQ(errorOf({{"cache", 16, 1, 0}}),
            "kernel 'attention_0' uses memory 'cache', which Toy does not have; there are: key, "
            "list");
  EXPECT_EQ(errorOf({{"key", 8, 1, 0}}),
            "kernel 'attention_0': memory 'key' has elements of 16 bits, not 8");
  EXPECT_EQ(errorOf({{"key", 16, 1, 0}, {"key", 16, 1, 0}}),
            "kernel 'attention_0' declares memory 'key' twice");
  EXPECT_EQ(errorOf({{"key", 16, 513, 0}}),
            "kernel 'attention_0' needs 1026 bytes of memory 'key', which has 1024 (parameter "
            "'key_buffer'); compile for this architecture, or raise the parameter");
}
