// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ArchSpec.cpp - reads arch.yaml -------------------------------------===//

#include "runtime/arch/Arch.h"
#include "runtime/arch/ComparisonRules.h"
#include "runtime/arch/Yaml.h"
#include "runtime/support/Text.h"

#include <set>

namespace sparsam::runtime {

namespace {

const std::vector<std::string> kTopKeys = {"target",  "summary", "parameters",
                                           "presets", "figures", "normalization"};
const std::vector<std::string> kParamKeys = {"value", "unit", "summary", "source",
                                             "min",   "max",  "choices", "informative"};
const std::vector<std::string> kPresetKeys = {"summary", "values"};

/// A checked map of a YAML node: known keys only, none twice.
Status checkMap(const yaml::Document &doc, const YAML::Node &node, const std::string &what,
                const std::vector<std::string> *keys) {
  if (!node.IsMap())
    return doc.error(node, what, " must be a map");
  std::set<std::string> seen;
  for (const auto &entry : node) {
    if (!entry.first.IsScalar())
      return doc.error(entry.first, "a key of ", what, " must be a plain name");
    const std::string &key = entry.first.Scalar();
    if (!seen.insert(key).second)
      return doc.error(entry.first, "'", printable(key), "' is there twice in ", what);
    if (keys && std::find(keys->begin(), keys->end(), key) == keys->end())
      return doc.error(entry.first, "unknown key '", printable(key), "' of ", what,
                       suggestion(key, *keys));
  }
  return Status();
}

/// Text of a required scalar `key`.
Result<std::string> requiredText(const yaml::Document &doc, const YAML::Node &node,
                                 const std::string &what, const char *key) {
  YAML::Node value = node[key];
  if (!value || !value.IsScalar() || value.Scalar().empty())
    return doc.error(value ? value : node, what, " needs a text '", key, "'");
  return value.Scalar();
}

/// Type by spelling: quoted is text; true, false; integer; real; else text.
ParamValue valueBySpelling(const YAML::Node &node) {
  const std::string &text = node.Scalar();
  if (node.Tag() == "!")
    return text;
  if (text == "true" || text == "false")
    return text == "true";
  if (auto integer = parseInteger(text))
    return *integer;
  if (auto real = parseReal(text))
    return *real;
  return text;
}

class SpecReader {
public:
  explicit SpecReader(const yaml::Document &doc) : doc_(doc) {}

  Status readParams(const YAML::Node &groups) {
    if (Status status = checkMap(doc_, groups, "parameters", nullptr); !status)
      return status;
    for (const auto &group : groups) {
      std::string heading = group.first.Scalar();
      if (Status status =
              checkMap(doc_, group.second, "group '" + printable(heading) + "'", nullptr);
          !status)
        return status;
      for (const auto &entry : group.second)
        if (Status status = readParam(entry.first, entry.second, heading); !status)
          return status;
    }
    if (params.empty())
      return doc_.error(groups, "parameters must declare at least one parameter");
    return Status();
  }

  std::vector<ParamInfo> params;

private:
  Status readParam(const YAML::Node &key, const YAML::Node &node, const std::string &group) {
    ParamInfo info;
    info.name = key.Scalar();
    info.group = group;
    std::string what = "parameter '" + printable(info.name) + "'";
    if (info.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos)
      return doc_.error(key, what, " must be named with lower-case letters, digits and '_'");
    for (const ParamInfo &other : params)
      if (other.name == info.name)
        return doc_.error(key, what, " is declared twice");
    if (Status status = checkMap(doc_, node, what, &kParamKeys); !status)
      return status;
    for (auto [name, member] :
         {std::pair("summary", &info.summary), std::pair("source", &info.source)}) {
      auto text = requiredText(doc_, node, what, name);
      if (!text)
        return text.error();
      *member = text.take();
    }
    if (node["unit"] && node["unit"].IsScalar())
      info.unit = node["unit"].Scalar();
    if (Status status = readRange(node, what, info); !status)
      return status;
    return readDefault(node, what, std::move(info));
  }

  Status readRange(const YAML::Node &node, const std::string &what, ParamInfo &info) {
    for (auto [name, member] : {std::pair("min", &info.min), std::pair("max", &info.max)}) {
      YAML::Node bound = node[name];
      if (!bound)
        continue;
      *member = bound.IsScalar() ? parseReal(bound.Scalar()) : std::nullopt;
      if (!*member)
        return doc_.error(bound, "'", name, "' of ", what, " must be a number");
    }
    if (info.min && info.max && *info.min > *info.max)
      return doc_.error(node["min"], "'min' of ", what, " is above its 'max'");
    if (YAML::Node choices = node["choices"]) {
      if (!choices.IsSequence() || choices.size() == 0)
        return doc_.error(choices, "'choices' of ", what, " must be a list of texts");
      for (const auto &choice : choices) {
        if (!choice.IsScalar())
          return doc_.error(choice, "'choices' of ", what, " must be a list of texts");
        info.choices.push_back(choice.Scalar());
      }
    }
    YAML::Node informative = node["informative"];
    if (informative && (!informative.IsScalar() ||
                        (informative.Scalar() != "true" && informative.Scalar() != "false")))
      return doc_.error(informative, "'informative' of ", what, " must be true or false");
    info.informative = informative && informative.Scalar() == "true";
    return Status();
  }

  Status readDefault(const YAML::Node &node, const std::string &what, ParamInfo info) {
    YAML::Node value = node["value"];
    if (!value || !value.IsScalar())
      return doc_.error(value ? value : node, what, " needs a plain 'value'");
    if (!info.choices.empty())
      info.defaultValue = std::string();
    else if (info.unit == "B")
      info.defaultValue = int64_t(0);
    else
      info.defaultValue = valueBySpelling(value);
    auto parsed = parseParamValue(info, value.Scalar(), "");
    if (!parsed)
      return doc_.error(value, parsed.error().message);
    info.defaultValue = parsed.take();
    params.push_back(std::move(info));
    return Status();
  }

  const yaml::Document &doc_;
};

/// Reads the presets; `spec` knows the parameters already.
Status readPresets(const yaml::Document &doc, const YAML::Node &node, const ArchSpec &spec,
                   std::vector<Preset> &presets) {
  if (!node)
    return Status();
  if (Status status = checkMap(doc, node, "presets", nullptr); !status)
    return status;
  for (const auto &entry : node) {
    Preset preset;
    preset.name = entry.first.Scalar();
    std::string what = "preset '" + printable(preset.name) + "'";
    if (Status status = checkMap(doc, entry.second, what, &kPresetKeys); !status)
      return status;
    auto summary = requiredText(doc, entry.second, what, "summary");
    if (!summary)
      return summary.error();
    preset.summary = summary.take();
    if (YAML::Node values = entry.second["values"]) {
      if (Status status = checkMap(doc, values, "values of " + what, nullptr); !status)
        return status;
      for (const auto &value : values) {
        auto parsed = yaml::readValue(doc, spec, value.first, value.second);
        if (!parsed)
          return parsed.error();
        preset.values[value.first.Scalar()] = parsed.take();
      }
    }
    presets.push_back(std::move(preset));
  }
  return Status();
}

} // namespace

Result<std::shared_ptr<const ArchSpec>> ArchSpec::parse(std::string_view text,
                                                        const std::string &file) {
  return yaml::guarded<std::shared_ptr<const ArchSpec>>(
      file, [&]() -> Result<std::shared_ptr<const ArchSpec>> {
        yaml::Document doc{file, YAML::Load(std::string(text))};
        if (Status status = checkMap(doc, doc.root, "an architecture file", &kTopKeys); !status)
          return status.error();
        auto spec = std::make_shared<ArchSpec>();
        for (auto [name, member] :
             {std::pair("target", &spec->target_), std::pair("summary", &spec->summary_)}) {
          auto value = requiredText(doc, doc.root, "an architecture file", name);
          if (!value)
            return value.error();
          *member = value.take();
        }
        if (!doc.root["parameters"])
          return doc.error(doc.root, "an architecture file needs 'parameters'");
        SpecReader reader(doc);
        if (Status status = reader.readParams(doc.root["parameters"]); !status)
          return status.error();
        spec->params_ = std::move(reader.params);
        if (Status status = readPresets(doc, doc.root["presets"], *spec, spec->presets_); !status)
          return status.error();
        if (auto rules = ComparisonRules::parse(text, file, *spec); !rules)
          return rules.error();
        return std::shared_ptr<const ArchSpec>(spec);
      });
}

const ParamInfo *ArchSpec::find(std::string_view name) const {
  for (const ParamInfo &param : params_)
    if (param.name == name)
      return &param;
  return nullptr;
}

} // namespace sparsam::runtime
