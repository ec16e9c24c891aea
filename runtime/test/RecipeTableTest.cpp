// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RecipeTableTest.cpp - what a recipe is given -----------------------===//

#include "runtime/kernel/RecipeTable.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sparsam::runtime {
namespace {

struct Toy {
  double clock = 2;
};

RecipeTable<Toy> recipes() {
  RecipeTable<Toy> table;
  table
      .add("seconds", {"cycles", {"runs", NumberRange::whole()}},
           [](RecipeValues a, const Toy &toy) { return a[0] * a[1] / toy.clock; })
      .add("saving", {{"density", NumberRange::fraction()}},
           [](RecipeValues a) { return 1 / a[0]; })
      .add("clock", {}, [](RecipeValues, const Toy &toy) { return toy.clock; });
  return table;
}

std::string messageOf(const std::string &recipe, const std::map<std::string, double> &given) {
  Result<double> value = recipes().evaluate(recipe, given, Toy());
  return value ? "no error" : value.error().message;
}

TEST(RecipeTable, ComputesFromArgumentsAndMachine) {
  EXPECT_EQ(*recipes().evaluate("seconds", {{"runs", 3}, {"cycles", 8}}, Toy()), 12);
  EXPECT_EQ(*recipes().evaluate("saving", {{"density", 0.25}}, Toy()), 4);
  EXPECT_EQ(*recipes().evaluate("clock", {}, Toy()), 2);
}

TEST(RecipeTable, UnknownRecipeListsTheKnownOnes) {
  EXPECT_EQ(messageOf("energy", {}), "unknown recipe 'energy'; there are: clock, saving, seconds");
  EXPECT_EQ(messageOf("second", {}),
            "unknown recipe 'second'; did you mean 'seconds'? there are: clock, saving, seconds");
  EXPECT_EQ(RecipeTable<Toy>().evaluate("clock", {}, Toy()).error().message,
            "unknown recipe 'clock'; there are none");
}

TEST(RecipeTable, RefusesWrongArguments) {
  EXPECT_EQ(messageOf("seconds", {{"cycles", 8}}), "recipe 'seconds' needs argument 'runs'");
  EXPECT_EQ(messageOf("clock", {{"runs", 1}}), "recipe 'clock' has no argument 'runs'");
  EXPECT_EQ(messageOf("seconds", {{"cycles", 0}, {"runs", 1}}),
            "argument 'cycles' of recipe 'seconds' must be above 0, got 0");
  EXPECT_EQ(messageOf("seconds", {{"cycles", 8}, {"runs", 2.5}}),
            "argument 'runs' of recipe 'seconds' must be a whole number from 1 to 16777216, got "
            "2.5");
  EXPECT_EQ(messageOf("saving", {{"density", 1.5}}),
            "argument 'density' of recipe 'saving' must be above 0 and at most 1, got 1.5");
}

TEST(NumberRange, SaysWhatANumberMustBe) {
  EXPECT_EQ(NumberRange().text(), "at least 0");
  EXPECT_EQ(NumberRange{.most = 8}.text(), "at least 0 and at most 8");
  EXPECT_EQ(NumberRange{.isWhole = true}.text(), "a whole number of at least 0");
  EXPECT_EQ(NumberRange::whole(2, 4).text(), "a whole number from 2 to 4");
}

TEST(NumberRange, KnowsItsBounds) {
  EXPECT_TRUE(NumberRange().contains(0));
  EXPECT_FALSE(NumberRange::positive().contains(0));
  EXPECT_TRUE(NumberRange::fraction().contains(1));
  EXPECT_FALSE(NumberRange::whole(2, 4).contains(5));
  EXPECT_TRUE(NumberRange::whole(2, 4).contains(2));
  EXPECT_FALSE(NumberRange().contains(std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(NumberRange().contains(std::nan("")));
}

} // namespace
} // namespace sparsam::runtime
