// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- PaperTest.cpp - what a paper.yaml must say -------------------------===//

#include "tools/sparsam/Paper.h"

#include "tools/common/Registry.h"

#include <gtest/gtest.h>

using namespace sparsam;

namespace {

/// A target that has nothing but a paper; its only recipe gives 2.
class PaperModel : public runtime::TargetModel {
public:
  explicit PaperModel(std::string yaml) : yaml_(std::move(yaml)) {}
  std::string_view archYaml() const override { return ""; }
  std::string_view paperYaml() const override { return yaml_; }
  runtime::Result<std::unique_ptr<runtime::Machine>>
  createMachine(const runtime::Arch &) const override {
    return runtime::makeError("no machine");
  }
  runtime::Result<nlohmann::ordered_json> analyze(const runtime::SimulateRequest &,
                                                  const runtime::Arch &) const override {
    return runtime::makeError("no closed forms");
  }
  runtime::Result<double> evaluateRecipe(const std::string &recipe,
                                         const std::map<std::string, double> &,
                                         const runtime::Arch &) const override {
    if (recipe != "two")
      return runtime::makeError("no recipe '", recipe, "'");
    return 2.0;
  }
  std::map<std::string, double> calibrate(const std::map<std::string, double> &,
                                          const runtime::Arch &) const override {
    return {};
  }

private:
  std::string yaml_;
};

/// Parameters are those of whatever target was built.
runtime::Result<std::vector<runtime::PaperRow>> evaluate(const std::string &row) {
  static const bool isRegistered = (registerTargets(), true);
  (void)isRegistered;
  return driver::evaluatePaper(TargetRegistry::instance().getNames().front(),
                               PaperModel("rows:\n  - {metric: m, workload: w, " + row + "}"));
}

std::string errorOf(const std::string &row) {
  auto rows = evaluate(row);
  return rows ? "no error" : rows.error().message;
}

TEST(Paper, compares_within_the_tolerance) {
  for (auto [published, passes] : {std::pair("2.1", true), {"2.5", false}}) {
    auto rows = evaluate("recipe: two, tolerance: 0.1, published: " + std::string(published));
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    EXPECT_EQ(rows->front().ours, 2.0);
    EXPECT_EQ(rows->front().pass, passes) << published;
  }
}

TEST(Paper, fails_where_a_row_misses) {
  auto verdict = [](const std::string &row) {
    auto rows = evaluate(row);
    runtime::Status status = rows ? driver::expectMet(*rows) : rows.error();
    return status ? "met" : status.error().message;
  };
  EXPECT_EQ(verdict("recipe: two, tolerance: 0.1, published: 2.1"), "met");
  EXPECT_EQ(verdict("reason: none, published: 2.5"), "met");
  EXPECT_EQ(verdict("recipe: two, tolerance: 0.1, published: 2.5"),
            "some published results were not met");
}

TEST(Paper, names_the_row_that_says_too_little) {
  const std::string file = TargetRegistry::instance().getNames().front() + "/paper.yaml: ";
  EXPECT_EQ(errorOf("published: 2"), file + "'m, w' needs either a recipe or a reason");
  EXPECT_EQ(errorOf("recipe: two, reason: none"),
            file + "'m, w' needs either a recipe or a reason");
  EXPECT_EQ(errorOf("recipe: two, published: 2"), file + "'m, w' needs published and tolerance");
  EXPECT_EQ(errorOf("reason: none, dense, published: 2"),
            file + "'m' has the unknown key 'dense'; there are: metric, workload, published, unit, "
                   "tolerance, source, recipe, arguments, reason");
  EXPECT_EQ(errorOf("recipe: three, published: 2, tolerance: 0"), file + "'m, w': no recipe 'three'");
}

} // namespace
