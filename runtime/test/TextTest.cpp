// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TextTest.cpp - names, numbers, tables ------------------------------===//

#include "runtime/support/Text.h"
#include "runtime/report/Table.h"

#include <gtest/gtest.h>

using namespace sparsam::runtime;

TEST(Text, suggests_near_names_and_lists_far_ones) {
  std::vector<std::string> names = {"pes", "rows", "threshold"};
  EXPECT_EQ(suggestion("treshold", names), "; did you mean 'threshold'?");
  EXPECT_EQ(suggestion("pse", names), "; did you mean 'pes'?");
  EXPECT_EQ(suggestion("banana", names), "; there are: pes, rows, threshold");
  EXPECT_EQ(suggestion("banana", names, 2), "; there are: pes, rows, ...");
  EXPECT_EQ(suggestion("banana", {}), "; there are none");
}

TEST(Text, reads_whole_numbers_only) {
  EXPECT_EQ(parseInteger("-12"), -12);
  EXPECT_EQ(parseInteger("+12"), 12);
  EXPECT_FALSE(parseInteger("12a"));
  EXPECT_FALSE(parseInteger(""));
  EXPECT_FALSE(parseInteger("99999999999999999999"));
  EXPECT_EQ(parseReal("2e-3"), 0.002);
  EXPECT_FALSE(parseReal("nan"));
  EXPECT_FALSE(parseReal("inf"));
  EXPECT_FALSE(parseReal("1.5x"));
}

TEST(Text, formats_reals_so_that_they_read_back) {
  for (double value : {0.1, 2e-3, 1.0 / 3, 1e300})
    EXPECT_EQ(parseReal(formatReal(value)), value);
}

TEST(Text, makes_foreign_text_printable) {
  EXPECT_EQ(printable("a\nb\x7f"), "a?b?");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
}

TEST(Table, aligns_numbers_right_and_words_left) {
  Table table({"unit", "cycles"});
  table.addRow({"array", "1 234"});
  table.addRow({"x", "5"});
  EXPECT_EQ(table.toString(), "  unit   cycles\n"
                              "  -----  ------\n"
                              "  array   1 234\n"
                              "  x           5\n");
}

TEST(Table, formats_quantities) {
  EXPECT_EQ(groupDigits(1234567), "1 234 567");
  EXPECT_EQ(groupDigits(-1234), "-1 234");
  EXPECT_EQ(groupDigits(123), "123");
  EXPECT_EQ(formatSeconds(0.0012345), "1.234 ms");
  EXPECT_EQ(formatSeconds(0), "0 ns");
  EXPECT_EQ(formatBytes(2500), "2.5 kB");
  EXPECT_EQ(formatPicojoules(5.52e6), "5.52 uJ");
  EXPECT_EQ(formatPercent(0.1234), "12.3 %");
}
