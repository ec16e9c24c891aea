// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ArchTest.cpp - architecture files, presets and settings ------------===//

#include "runtime/arch/Arch.h"

#include "runtime/test/TestFiles.h"

using namespace sparsam::runtime;

static const char *kYaml = R"(target: toy
summary: A toy machine
parameters:
  Clock:
    clock_mhz: {value: 500.0, unit: MHz, summary: Clock, source: P, min: 1}
  Array:
    pes: {value: 16, summary: PEs per row, source: P Table 2, min: 1, max: 64}
    normalize: {value: true, summary: Divides by norms, source: R}
    encoder: {value: subrow, summary: Encoder, source: R, choices: [subrow, column_cut]}
    key_buffer: {value: 16KB, unit: B, summary: Key buffer, source: A, min: 1}
    node: {value: "55", summary: Process, source: P, informative: true}
presets:
  fast:
    summary: A faster clock
    values: {clock_mhz: 1000, pes: 32}
)";

static std::shared_ptr<const ArchSpec> spec() {
  auto result = ArchSpec::parse(kYaml, "toy.yaml");
  EXPECT_TRUE(result.ok()) << message(result);
  return result.take();
}

/// kYaml with one text replaced.
static std::string edited(const std::string &from, const std::string &to) {
  std::string text = kYaml;
  size_t at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

static std::string parseError(const std::string &yaml) {
  return message(ArchSpec::parse(yaml, "toy.yaml"));
}

TEST(ArchSpec, keeps_order_groups_and_types) {
  auto s = spec();
  EXPECT_EQ(s->target(), "toy");
  ASSERT_EQ(s->params().size(), 6u);
  EXPECT_EQ(s->params()[1].name, "pes");
  EXPECT_EQ(s->params()[1].group, "Array");
  EXPECT_EQ(s->params()[1].source, "P Table 2");
  EXPECT_EQ(std::get<int64_t>(s->find("key_buffer")->defaultValue), 16384);
  EXPECT_EQ(std::get<std::string>(s->find("node")->defaultValue), "55");
  EXPECT_TRUE(s->find("node")->informative);
  EXPECT_FALSE(s->find("nothing"));
  ASSERT_EQ(s->presets().size(), 1u);
  EXPECT_EQ(std::get<double>(s->presets()[0].values.at("clock_mhz")), 1000.0);
}

TEST(ArchSpec, names_file_and_line_of_mistakes) {
  EXPECT_EQ(parseError("target: ["), "toy.yaml:1: end of sequence flow not found");
  EXPECT_EQ(parseError("? [a]\n: 1"),
            "toy.yaml:1: a key of an architecture file must be a plain name");
  EXPECT_EQ(parseError("- 1"), "toy.yaml:1: an architecture file must be a map");
  EXPECT_EQ(parseError("summary: x"), "toy.yaml:1: an architecture file needs a text 'target'");
  EXPECT_EQ(parseError("target: t\nsummary: x"),
            "toy.yaml:1: an architecture file needs 'parameters'");
  EXPECT_EQ(parseError("target: t\nsummary: x\nparameters: {}"),
            "toy.yaml:3: parameters must declare at least one parameter");
  EXPECT_EQ(parseError(edited("presets:", "preset:")),
            "toy.yaml:12: unknown key 'preset' of an architecture file; did you mean 'presets'?");
  EXPECT_EQ(parseError(edited("summary: PEs per row", "sumary: PEs per row")),
            "toy.yaml:7: unknown key 'sumary' of parameter 'pes'; did you mean 'summary'?");
  EXPECT_EQ(parseError(edited("source: P Table 2, ", "")),
            "toy.yaml:7: parameter 'pes' needs a text 'source'");
  EXPECT_EQ(parseError(edited("normalize:", "pes:")),
            "toy.yaml:8: 'pes' is there twice in group 'Array'");
  EXPECT_EQ(parseError(edited("normalize:", "clock_mhz:")),
            "toy.yaml:8: parameter 'clock_mhz' is declared twice");
  EXPECT_EQ(
      parseError(edited("normalize:", "Normalize:")),
      "toy.yaml:8: parameter 'Normalize' must be named with lower-case letters, digits and '_'");
}

TEST(ArchSpec, names_file_and_line_of_values_that_do_not_fit) {
  EXPECT_EQ(parseError(edited("value: 16,", "")),
            "toy.yaml:7: parameter 'pes' needs a plain 'value'");
  EXPECT_EQ(parseError(edited("value: 16,", "value: 65,")),
            "toy.yaml:7: parameter 'pes' must be at most 64, got 65");
  EXPECT_EQ(parseError(edited("min: 1, max: 64", "min: a")),
            "toy.yaml:7: 'min' of parameter 'pes' must be a number");
  EXPECT_EQ(parseError(edited("min: 1, max: 64", "min: 9, max: 2")),
            "toy.yaml:7: 'min' of parameter 'pes' is above its 'max'");
  EXPECT_EQ(parseError(edited("[subrow, column_cut]", "7")),
            "toy.yaml:9: 'choices' of parameter 'encoder' must be a list of texts");
  EXPECT_EQ(parseError(edited("[subrow, column_cut]", "[a, b]")),
            "toy.yaml:9: parameter 'encoder' must be one of a, b, got 'subrow'");
  EXPECT_EQ(parseError(edited("informative: true", "informative: maybe")),
            "toy.yaml:11: 'informative' of parameter 'node' must be true or false");
  EXPECT_EQ(parseError(edited("pes: 32", "pse: 32")),
            "toy.yaml:15: unknown parameter 'pse' of toy; did you mean 'pes'?");
  EXPECT_EQ(parseError(edited("pes: 32", "pes: 320")),
            "toy.yaml:15: parameter 'pes' must be at most 64 (arch.yaml of toy), got 320");
  EXPECT_EQ(parseError(edited("summary: A faster clock", "values: {}")),
            "toy.yaml:15: 'values' is there twice in preset 'fast'");
}

TEST(Arch, has_defaults_and_takes_settings) {
  Arch arch(spec());
  EXPECT_EQ(arch.integer("pes"), 16);
  EXPECT_EQ(arch.real("pes"), 16.0);
  EXPECT_EQ(arch.real("clock_mhz"), 500.0);
  EXPECT_TRUE(arch.flag("normalize"));
  EXPECT_EQ(arch.text("encoder"), "subrow");
  EXPECT_FALSE(arch.isSet("pes"));
  ASSERT_TRUE(arch.applySetting("pes=32").ok());
  ASSERT_TRUE(arch.applySetting("key_buffer=128KB").ok());
  ASSERT_TRUE(arch.applySetting("clock_mhz=700").ok());
  ASSERT_TRUE(arch.applySetting("normalize=false").ok());
  EXPECT_EQ(arch.integer("pes"), 32);
  EXPECT_TRUE(arch.isSet("pes"));
  EXPECT_EQ(arch.integer("key_buffer"), 131072);
  EXPECT_EQ(arch.real("clock_mhz"), 700.0);
  EXPECT_FALSE(arch.flag("normalize"));
  EXPECT_TRUE(arch.set("clock_mhz", int64_t(600)).ok());
  EXPECT_EQ(arch.real("clock_mhz"), 600.0);
  EXPECT_TRUE(arch.set("pes", 48.0).ok());
  EXPECT_EQ(arch.integer("pes"), 48);
  EXPECT_EQ(message(arch.set("pes", 0.5)), "parameter 'pes' must be an integer, got '0.5'");
}

TEST(Arch, explains_wrong_settings) {
  Arch arch(spec());
  auto wrong = [&](const char *setting) { return message(arch.applySetting(setting)); };
  EXPECT_EQ(wrong("pes"), "expects a setting of the form name=value, got 'pes'");
  EXPECT_EQ(wrong("pesx=1"), "unknown parameter 'pesx' of toy; did you mean 'pes'?");
  EXPECT_EQ(wrong("pes=many"), "parameter 'pes' must be an integer, got 'many'");
  EXPECT_EQ(wrong("pes=0"), "parameter 'pes' must be at least 1 (arch.yaml of toy), got 0");
  EXPECT_EQ(wrong("clock_mhz=fast"), "parameter 'clock_mhz' must be a number in MHz, got 'fast'");
  EXPECT_EQ(wrong("clock_mhz=0.5"), "parameter 'clock_mhz' must be at least 1 MHz (arch.yaml of toy), got 0.5");
  EXPECT_EQ(wrong("normalize=1"), "parameter 'normalize' must be true or false, got '1'");
  EXPECT_EQ(wrong("encoder=best"),
            "parameter 'encoder' must be one of subrow, column_cut, got 'best'");
  EXPECT_EQ(wrong("key_buffer=1XB"), "parameter 'key_buffer' must be an integer of bytes (a suffix "
                                     "KB, MB or GB is allowed), got '1XB'");
  EXPECT_EQ(wrong("key_buffer=99999999999999GB"),
            "parameter 'key_buffer' must be an integer of bytes (a suffix KB, MB "
            "or GB is allowed), got '99999999999999GB'");
  EXPECT_EQ(message(arch.set("pes", std::string("x"))),
            "parameter 'pes' must be an integer, got 'x'");
  EXPECT_EQ(message(arch.applyPreset("slow")), "unknown preset 'slow' of toy; there are: fast");
}

using ArchFile = FileTest;

TEST_F(ArchFile, overrides_preset_wherever_it_stands) {
  Arch arch(spec());
  ASSERT_TRUE(arch.applyFile(write("my.yaml", "pes: 8\npreset: fast\n")).ok());
  EXPECT_EQ(arch.integer("pes"), 8);
  EXPECT_EQ(arch.real("clock_mhz"), 1000.0);
}

TEST_F(ArchFile, names_file_and_line_of_mistakes) {
  Arch arch(spec());
  std::string file = path("my.yaml");
  auto wrong = [&](const char *text) { return message(arch.applyFile(write("my.yaml", text))); };
  EXPECT_EQ(wrong("pes: 8\nrows: 1\n"),
            file + ":2: unknown parameter 'rows' of toy; there are: clock_mhz, pes, normalize, "
                   "encoder, key_buffer, node");
  EXPECT_EQ(wrong("pes: [8]"), file + ":1: parameter 'pes' needs a plain value");
  EXPECT_EQ(wrong("pes: 8\npes: 9"), file + ":2: 'pes' is there twice");
  EXPECT_EQ(wrong("just text"), file + ":1: expects lines of the form 'name: value'");
  EXPECT_EQ(wrong("\npreset: slow"), file + ":2: unknown preset 'slow' of toy; there are: fast");
  EXPECT_EQ(wrong("preset: [a]"), file + ":1: 'preset' must be a name");
  EXPECT_EQ(wrong("pes: 100"), file + ":1: parameter 'pes' must be at most 64 (arch.yaml of toy), got 100");
  EXPECT_EQ(message(arch.applyFile(path("none.yaml"))),
            "cannot open " + path("none.yaml") + ": No such file or directory");
}

TEST_F(ArchFile, survives_hostile_yaml) {
  Arch arch(spec());
  EXPECT_FALSE(arch.applyFile(write("deep.yaml", std::string(100000, '['))).ok());
  EXPECT_FALSE(arch.applyFile(write("binary.yaml", std::string("\0\xff\xfe pes", 8))).ok());
}
