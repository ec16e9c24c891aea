// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ComparisonRules.cpp - what arch.yaml says about comparisons --------===//

#include "runtime/arch/ComparisonRules.h"

#include "runtime/arch/Yaml.h"
#include "runtime/support/Text.h"

#include <algorithm>

namespace sparsam::runtime {

namespace {

const std::vector<std::string> kFigures = {"cycles", "dram_bytes", "energy", "density", "error"};
const std::vector<std::string> kNormalizationKeys = {
    "multipliers", "arrays",           "scaled",           "bandwidth", "technology",
    "area",        "energy_per_event", "energy_per_cycle", "power",     "note"};

/// That `node` is a map with known keys only.
Status checkMap(const yaml::Document &doc, const YAML::Node &node, const std::string &what,
                const std::vector<std::string> &keys) {
  if (!node.IsMap())
    return doc.error(node, what, " must be a map");
  for (const auto &entry : node) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      return doc.error(entry.first, "unknown key '", printable(key), "' of ", what,
                       suggestion(key, keys));
  }
  return Status();
}

class SectionReader {
public:
  SectionReader(const yaml::Document &doc, const ArchSpec &spec, const char *section)
      : doc_(doc), spec_(spec), section_(section) {
    for (const ParamInfo &param : spec.params())
      names_.push_back(param.name);
  }

  /// The scalars of `node`, a list.
  Result<std::vector<std::string>> list(const YAML::Node &node, const std::string &key) const {
    std::vector<std::string> texts;
    if (!node)
      return texts;
    if (!node.IsSequence())
      return doc_.error(node, "'", key, "' of ", section_, " must be a list of names");
    for (const auto &item : node) {
      if (!item.IsScalar())
        return doc_.error(item, "'", key, "' of ", section_, " must be a list of names");
      texts.push_back(item.Scalar());
    }
    return texts;
  }

  /// That `name` is a parameter with a number.
  Status checkNumber(const YAML::Node &node, const std::string &key,
                     const std::string &name) const {
    const ParamInfo *param = spec_.find(name);
    if (!param)
      return doc_.error(node, "'", key, "' of ", section_, " names '", printable(name),
                        "', which is no parameter", suggestion(name, names_));
    if (!std::holds_alternative<int64_t>(param->defaultValue) &&
        !std::holds_alternative<double>(param->defaultValue))
      return doc_.error(node, "'", key, "' of ", section_, " names '", name,
                        "', which is no number");
    return Status();
  }

  Status readNumbers(const YAML::Node &root, const char *key,
                     std::vector<std::string> &result) const {
    YAML::Node node = root[key];
    auto read = list(node, key);
    if (!read)
      return read.error();
    result = read.take();
    for (const std::string &name : result)
      if (Status status = checkNumber(node, key, name); !status)
        return status;
    return Status();
  }

  Status readNumber(const YAML::Node &root, const char *key, std::string &result) const {
    YAML::Node node = root[key];
    if (!node)
      return Status();
    if (!node.IsScalar())
      return doc_.error(node, "'", key, "' of ", section_, " must be the name of a parameter");
    result = node.Scalar();
    return checkNumber(node, key, result);
  }

  /// Adds the parameter `item`, or all of the group `item` where no parameter is called so.
  Status addParameters(const YAML::Node &node, const std::string &key, const std::string &item,
                       std::set<std::string> &result) const {
    const size_t before = result.size();
    const bool isParameter = spec_.find(item);
    bool isKnown = isParameter;
    for (const ParamInfo &param : spec_.params())
      if (param.name == item || (!isParameter && param.group == item)) {
        isKnown = true;
        result.insert(param.name);
      }
    if (!isKnown)
      return doc_.error(node, "'", key, "' of ", section_, " names '", printable(item),
                        "', which is neither a parameter nor a group", suggestion(item, names_));
    if (result.size() == before)
      return doc_.error(node, "'", key, "' of ", section_, " names '", printable(item),
                        "', which is there already");
    return Status();
  }

private:
  const yaml::Document &doc_;
  const ArchSpec &spec_;
  const char *section_;
  std::vector<std::string> names_;
};

/// Exactly one factor of the number of multipliers grows with it.
Status checkScaled(const yaml::Document &doc, const YAML::Node &node, const Normalization &result) {
  auto isFactor = [&](const std::string &name) {
    return std::count(result.multipliers.begin(), result.multipliers.end(), name) > 0;
  };
  if (!result.multipliers.empty() &&
      std::count_if(result.scaled.begin(), result.scaled.end(), isFactor) != 1)
    return doc.error(node["scaled"] ? node["scaled"] : node,
                     "'scaled' of normalization must hold exactly one of 'multipliers' (",
                     join(result.multipliers), "), so that their product grows as asked");
  return Status();
}

} // namespace

static Result<std::map<std::string, std::set<std::string>>>
readFigures(const yaml::Document &doc, const YAML::Node &node, const ArchSpec &spec) {
  std::map<std::string, std::set<std::string>> figures;
  if (!node)
    return figures;
  if (Status status = checkMap(doc, node, "figures", kFigures); !status)
    return status.error();
  SectionReader reader(doc, spec, "figures");
  for (const auto &entry : node) {
    const std::string key = entry.first.Scalar();
    auto items = reader.list(entry.second, key);
    if (!items)
      return items.error();
    std::set<std::string> &parameters = figures[key]; // none is a statement, too
    for (const std::string &item : *items)
      if (Status status = reader.addParameters(entry.second, key, item, parameters); !status)
        return status.error();
  }
  return figures;
}

static Result<std::optional<Normalization>>
readNormalization(const yaml::Document &doc, const YAML::Node &node, const ArchSpec &spec) {
  if (!node)
    return std::optional<Normalization>();
  if (Status status = checkMap(doc, node, "normalization", kNormalizationKeys); !status)
    return status.error();
  Normalization result;
  SectionReader reader(doc, spec, "normalization");
  for (auto [key, member] : {std::pair("multipliers", &result.multipliers),
                             {"scaled", &result.scaled},
                             {"energy_per_event", &result.energyPerEvent},
                             {"energy_per_cycle", &result.energyPerCycle},
                             {"power", &result.power}})
    if (Status status = reader.readNumbers(node, key, *member); !status)
      return status.error();
  for (auto [key, member] : {std::pair("bandwidth", &result.bandwidth),
                             {"technology", &result.technology},
                             {"area", &result.area}})
    if (Status status = reader.readNumber(node, key, *member); !status)
      return status.error();
  if (YAML::Node arrays = node["arrays"]) {
    auto count = arrays.IsScalar() ? parseInteger(arrays.Scalar()) : std::nullopt;
    if (!count || *count < 1)
      return doc.error(arrays, "'arrays' of normalization must be a positive integer");
    result.arrays = *count;
  }
  if (YAML::Node note = node["note"]) {
    if (!note.IsScalar())
      return doc.error(note, "'note' of normalization must be a text");
    result.note = note.Scalar();
  }
  if (Status status = checkScaled(doc, node, result); !status)
    return status.error();
  return std::optional(std::move(result));
}

Result<ComparisonRules> ComparisonRules::parse(std::string_view text, const std::string &file,
                                               const ArchSpec &spec) {
  return yaml::guarded<ComparisonRules>(file, [&]() -> Result<ComparisonRules> {
    yaml::Document doc{file, YAML::Load(std::string(text))};
    auto figures = readFigures(doc, doc.root["figures"], spec);
    if (!figures)
      return figures.error();
    auto normalization = readNormalization(doc, doc.root["normalization"], spec);
    if (!normalization)
      return normalization.error();
    return ComparisonRules{figures.take(), normalization.take()};
  });
}

std::set<std::string> ComparisonRules::parametersOf(const std::string &figure,
                                                    const ArchSpec &spec) const {
  if (auto it = figures.find(figure); it != figures.end())
    return it->second;
  std::set<std::string> names;
  for (const ParamInfo &param : spec.params())
    if (!param.informative)
      names.insert(param.name);
  return names;
}

} // namespace sparsam::runtime
