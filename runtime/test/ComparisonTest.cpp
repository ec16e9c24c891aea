// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ComparisonTest.cpp - provenance, technology, common ground ---------===//

#include "runtime/arch/Normalize.h"
#include "runtime/arch/Provenance.h"
#include "runtime/arch/Technology.h"

#include "runtime/test/TestFiles.h"

using namespace sparsam::runtime;

static const std::string kYaml = R"(target: toy
summary: A toy machine
parameters:
  machine:
    clock_mhz: {value: 500.0, unit: MHz, summary: Clock, source: P, max: 10000}
    technology_nm: {value: 45, summary: Node, source: P, informative: true}
    power_w: {value: 2.0, summary: Power, source: P, informative: true}
    area_mm2: {value: 8.0, summary: Area, source: P, informative: true}
  array:
    rows: {value: 32, summary: Rows, source: R bench, min: 1, max: 128}
    cols: {value: 16, summary: Columns, source: P section V-D}
    kind: {value: wide, summary: Kind, source: A, choices: [wide, slim]}
  dram:
    dram_bandwidth_gbps: {value: 128.0, summary: Bandwidth, source: D, max: 1000}
  energy:
    energy_array_pj: {value: 100.0, summary: Array, source: "D from P; the split is A"}
    energy_mac_pj: {value: 1.0, summary: One product, source: M}
figures:
  cycles: [rows, dram]
  density: [cols]
normalization:
  multipliers: [rows, cols]
  arrays: 2
  scaled: [rows]
  bandwidth: dram_bandwidth_gbps
  technology: technology_nm
  area: area_mm2
  energy_per_event: [energy_mac_pj]
  energy_per_cycle: [energy_array_pj]
  power: [power_w]
  note: rows only
)";

static std::string edited(const std::string &from, const std::string &to) {
  std::string text = kYaml;
  size_t at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

static ComparedMachine machine(const std::string &yaml = kYaml) {
  auto spec = ArchSpec::parse(yaml, "toy.yaml");
  EXPECT_TRUE(spec.ok()) << message(spec);
  auto rules = ComparisonRules::parse(yaml, "toy.yaml", **spec);
  EXPECT_TRUE(rules.ok()) << message(rules);
  return {Arch(*spec), rules.take(), {}, {}};
}

static std::string parseError(const std::string &from, const std::string &to) {
  return message(ArchSpec::parse(edited(from, to), "toy.yaml"));
}

//===-- Sections of arch.yaml ----------------------------------------------===//

TEST(Sections, figures_name_parameters_and_groups) {
  const ComparedMachine toy = machine();
  EXPECT_EQ(toy.rules.parametersOf("cycles", toy.arch.spec()),
            (std::set<std::string>{"rows", "dram_bandwidth_gbps"}));
  // Not declared: all that are not informative.
  EXPECT_EQ(toy.rules.parametersOf("energy", toy.arch.spec()).size(), 7u);
  EXPECT_EQ(toy.rules.parametersOf("energy", toy.arch.spec()).count("area_mm2"), 0u);
}

TEST(Sections, a_figure_may_rest_on_nothing) {
  const ComparedMachine toy = machine(edited("[rows, dram]", "[]"));
  EXPECT_TRUE(toy.rules.parametersOf("cycles", toy.arch.spec()).empty());
  EXPECT_EQ(provenanceOf(toy, "cycles").weakest, 'P');
}

TEST(Sections, reports_mistakes_in_figures) {
  EXPECT_EQ(parseError("  cycles: [rows, dram]", "  cycle: [rows]"),
            "toy.yaml:19: unknown key 'cycle' of figures; did you mean 'cycles'?");
  EXPECT_EQ(parseError("[rows, dram]", "rows"),
            "toy.yaml:19: 'cycles' of figures must be a list of names");
  EXPECT_EQ(parseError("[rows, dram]", "[[rows]]"),
            "toy.yaml:19: 'cycles' of figures must be a list of names");
  EXPECT_EQ(parseError("[rows, dram]", "[rowz]"),
            "toy.yaml:19: 'cycles' of figures names 'rowz', which is neither a parameter nor a "
            "group; did you mean 'rows'?");
  EXPECT_EQ(parseError("[rows, dram]", "[array, rows]"),
            "toy.yaml:19: 'cycles' of figures names 'rows', which is there already");
}

TEST(Sections, reports_mistakes_in_normalization) {
  EXPECT_EQ(parseError("  arrays: 2", "  array: 2"),
            "toy.yaml:23: unknown key 'array' of normalization; did you mean 'arrays'?");
  EXPECT_EQ(parseError("arrays: 2", "arrays: 0"),
            "toy.yaml:23: 'arrays' of normalization must be a positive integer");
  EXPECT_EQ(parseError("multipliers: [rows, cols]", "multipliers: [rows, colz]"),
            "toy.yaml:22: 'multipliers' of normalization names 'colz', which is no parameter; did "
            "you mean 'cols'?");
  EXPECT_EQ(parseError("multipliers: [rows, cols]", "multipliers: [rows, kind]"),
            "toy.yaml:22: 'multipliers' of normalization names 'kind', which is no number");
  EXPECT_EQ(parseError("multipliers: [rows, cols]", "multipliers: rows"),
            "toy.yaml:22: 'multipliers' of normalization must be a list of names");
  EXPECT_EQ(parseError("bandwidth: dram_bandwidth_gbps", "bandwidth: [rows]"),
            "toy.yaml:25: 'bandwidth' of normalization must be the name of a parameter");
  EXPECT_EQ(parseError("note: rows only", "note: [rows]"),
            "toy.yaml:31: 'note' of normalization must be a text");
  EXPECT_EQ(parseError("scaled: [rows]", "scaled: [rows, cols]"),
            "toy.yaml:24: 'scaled' of normalization must hold exactly one of 'multipliers' (rows, "
            "cols), so that their product grows as asked");
}

//===-- Provenance ---------------------------------------------------------===//

TEST(Provenance, takes_the_weakest_letter_that_stands_alone) {
  EXPECT_EQ(weakestLetter("P section 4; R configs"), 'R');
  EXPECT_EQ(weakestLetter("D from P Table 2; the split is A"), 'A');
  EXPECT_EQ(weakestLetter("P section V-D"), 'P');
  EXPECT_EQ(weakestLetter("P! Table 2"), 'P');
  EXPECT_EQ(weakestLetter("R1 README"), 'R');
  EXPECT_EQ(weakestLetter("M"), 'M');
  EXPECT_EQ(weakestLetter("nobody knows"), 'A');
}

TEST(Provenance, of_a_figure_is_that_of_its_weakest_parameter) {
  ComparedMachine toy = machine();
  EXPECT_EQ(provenanceOf(toy, "cycles").weakest, 'D');
  EXPECT_EQ(provenanceOf(toy, "cycles").parameters.at('R'), std::vector<std::string>{"rows"});
  EXPECT_EQ(provenanceOf(toy, "seconds").parameters.at('P'), std::vector<std::string>{"clock_mhz"});
  EXPECT_EQ(provenanceOf(toy, "density").weakest, 'P');
  EXPECT_EQ(provenanceOf(toy, "area").weakest, 'P');
  EXPECT_EQ(provenanceOf(toy, "energy").weakest, 'A');
}

TEST(Provenance, of_a_given_value_is_the_user) {
  ComparedMachine toy = machine();
  EXPECT_EQ(provenanceOf(toy, "cycles").weakest, 'D');
  toy.given = {"cols"};
  EXPECT_EQ(provenanceOf(toy, "density").weakest, 'U');
}

//===-- Technology ---------------------------------------------------------===//

TEST(Technology, gives_the_published_factors) {
  // The authors' corrigendum: energy at 32 nm and 0.9 V is 0.4571. At 45 nm and 1 V it is
  // 1.018 - 0.3107 + 0.1539 = 0.8612; delay 566.1 - 1619 + 1567 - 501.6 = 12.5.
  auto factors = technologyFactors(45, 32);
  ASSERT_TRUE(factors.ok());
  EXPECT_NEAR(factors->energy, 0.4571 / 0.8612, 1e-3);
  EXPECT_NEAR(factors->delay, 8.363 / 12.5, 1e-3);
  EXPECT_NEAR(factors->area, 0.46, 0.005); // their table of areas
  EXPECT_NEAR(technologyFactors(180, 7)->area, 1.0 / 320, 1e-6);
}

TEST(Technology, interpolates_and_goes_both_ways) {
  auto down = technologyFactors(55, 28), up = technologyFactors(28, 55);
  ASSERT_TRUE(down.ok() && up.ok());
  EXPECT_NEAR(down->energy * up->energy, 1, 1e-12);
  EXPECT_NEAR(down->area * up->area, 1, 1e-12);
  EXPECT_LT(technologyFactors(65, 28)->energy, down->energy);
  EXPECT_GT(technologyFactors(45, 28)->energy, down->energy);
  EXPECT_EQ(technologyFactors(40, 40)->delay, 1);
}

TEST(Technology, energy_and_area_shrink_with_every_node) {
  const double nodes[] = {180, 130, 90, 65, 55, 45, 40, 32, 28, 20, 16, 14, 10, 7};
  for (size_t i = 1; i < std::size(nodes); ++i) {
    auto factors = technologyFactors(nodes[i - 1], nodes[i]);
    ASSERT_TRUE(factors.ok());
    EXPECT_LT(factors->energy, 1) << nodes[i];
    EXPECT_LT(factors->area, 1) << nodes[i];
  }
}

TEST(Technology, refuses_what_the_table_does_not_have) {
  EXPECT_EQ(message(technologyFactors(45, 5)), "a technology of 5 nm has no scaling factors; 7 to "
                                               "180 nm have (Stillmaker and Baas, 2017)");
  EXPECT_FALSE(technologyFactors(250, 45).ok());
}

//===-- Common ground ------------------------------------------------------===//

static std::string groundError(const char *text) { return message(CommonGround::parse(text)); }

TEST(CommonGround, reads_what_designs_are_brought_to) {
  auto ground = CommonGround::parse("tech=28nm,macs=1024,bandwidth=0.128TB/s,clock=1GHz");
  ASSERT_TRUE(ground.ok());
  EXPECT_EQ(ground->nanometres, 28);
  EXPECT_EQ(ground->multipliers, 1024);
  EXPECT_EQ(ground->gigabytesPerSecond, 128);
  EXPECT_EQ(ground->megahertz, 1000);
  EXPECT_FALSE(CommonGround::parse("macs=8")->nanometres);
}

TEST(CommonGround, reports_mistakes) {
  EXPECT_EQ(groundError("mac=8"), "--normalize takes tech=28nm, macs=1024, bandwidth=128GB/s and "
                                  "clock=1GHz, got 'mac=8'; did you mean 'macs'?");
  for (const char *text : {"", "macs=8,", ",macs=8"})
    EXPECT_EQ(groundError(text), "--normalize takes tech=28nm, macs=1024, bandwidth=128GB/s and "
                                 "clock=1GHz, got ''");
  EXPECT_EQ(groundError("macs=8,tech=28nm,macs=8"), "--normalize has macs twice; give it once");
  EXPECT_EQ(groundError("macs=0"), "--normalize macs must be a positive integer, got '0'");
  EXPECT_EQ(groundError("tech=28"), "--normalize tech must be a positive number in nm, got '28'");
  EXPECT_EQ(groundError("tech=-3nm"),
            "--normalize tech must be a positive number in nm, got '-3nm'");
  EXPECT_EQ(groundError("bandwidth=1GB"),
            "--normalize bandwidth must be a positive number in GB/s or TB/s, got '1GB'");
  EXPECT_EQ(groundError("clock=fast"),
            "--normalize clock must be a positive number in MHz or GHz, got 'fast'");
  EXPECT_EQ(groundError("tech=3nm"), "--normalize tech: a technology of 3 nm has no scaling "
                                     "factors; 7 to 180 nm have (Stillmaker and Baas, 2017)");
}

static Result<Normalized> bring(const ComparedMachine &toy, const char *text) {
  auto ground = CommonGround::parse(text);
  EXPECT_TRUE(ground.ok()) << message(ground);
  return normalize(toy, *ground);
}

TEST(Normalize, scales_with_technology) {
  const ComparedMachine toy = machine();
  auto result = bring(toy, "tech=32nm");
  ASSERT_TRUE(result.ok()) << message(result);
  auto factors = technologyFactors(45, 32);
  EXPECT_NEAR(result->machine.arch.real("clock_mhz"), 500 / factors->delay, 1e-9);
  EXPECT_NEAR(result->machine.arch.real("energy_mac_pj"), factors->energy, 1e-12);
  EXPECT_NEAR(result->machine.arch.real("energy_array_pj"), 100 * factors->energy, 1e-9);
  EXPECT_NEAR(result->machine.arch.real("area_mm2"), 8 * factors->area, 1e-12);
  EXPECT_EQ(result->machine.arch.real("technology_nm"), 32);
  EXPECT_NEAR(result->machine.arch.real("power_w"), 2 * factors->energy / factors->delay, 1e-9);
  EXPECT_EQ(result->machine.arch.real("dram_bandwidth_gbps"), 128);
  EXPECT_EQ(result->steps.back(), "rows only");
}

TEST(Normalize, scales_with_multipliers) {
  const ComparedMachine toy = machine();
  EXPECT_EQ(multipliers(toy), 32 * 16 * 2);
  auto result = bring(toy, "macs=2048,bandwidth=64GB/s,clock=1GHz");
  ASSERT_TRUE(result.ok()) << message(result);
  EXPECT_EQ(result->machine.arch.integer("rows"), 64);
  EXPECT_EQ(multipliers(result->machine), 2048);
  EXPECT_EQ(result->machine.arch.real("area_mm2"), 16);
  EXPECT_EQ(result->machine.arch.real("energy_array_pj"), 200);
  EXPECT_EQ(result->machine.arch.real("energy_mac_pj"), 1);
  EXPECT_EQ(result->machine.arch.real("power_w"), 8); // twice the multipliers, twice the clock
  EXPECT_EQ(result->machine.arch.real("dram_bandwidth_gbps"), 64);
  EXPECT_EQ(result->machine.arch.real("clock_mhz"), 1000);
  EXPECT_EQ(result->steps[0],
            "multipliers 1024 to 2048, rows 32 to 64, area and energy of a cycle x 2");
  // Normalized figures are derived at best.
  EXPECT_EQ(letterOf(result->machine, *result->machine.arch.spec().find("rows")), 'D');
  EXPECT_EQ(provenanceOf(result->machine, "area").weakest, 'D');
  EXPECT_EQ(letterOf(result->machine, *result->machine.arch.spec().find("energy_array_pj")), 'A');
}

TEST(Normalize, says_why_not) {
  const ComparedMachine toy = machine();
  EXPECT_EQ(message(bring(toy, "macs=1000")),
            "has 1024 multipliers (rows x cols x 2); at 1000 its rows would be 31.25; take a "
            "multiple of 32 (from arch.yaml of toy)");
  EXPECT_EQ(message(bring(toy, "macs=8192")),
            "cannot be brought there: parameter 'rows' must be at most 128 (arch.yaml of "
            "toy), got 256");
  EXPECT_EQ(message(bring(toy, "bandwidth=2TB/s")),
            "cannot be brought there: parameter 'dram_bandwidth_gbps' must be at most 1000 "
            "(arch.yaml of toy), got 2000");
  EXPECT_EQ(message(bring(machine(edited("value: 45", "value: 0")), "tech=28nm")),
            "publishes no technology to scale from; leave tech out, or give one: --set "
            "toy.technology_nm=45");
  EXPECT_EQ(
      message(bring(machine(edited("  bandwidth: dram_bandwidth_gbps\n", "")), "bandwidth=1GB/s")),
      "declares no bandwidth; leave bandwidth out");
  EXPECT_EQ(message(bring(machine(edited("  multipliers: [rows, cols]\n", "")), "macs=8")),
            "declares no multipliers to scale; leave macs out");
  EXPECT_EQ(message(bring(machine(kYaml.substr(0, kYaml.find("normalization:"))), "macs=8")),
            "declares no section 'normalization' in its arch.yaml, which says what to scale");
}
