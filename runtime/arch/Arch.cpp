// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Arch.cpp - values of the parameters of one machine -----------------===//

#include "runtime/arch/Arch.h"

#include "runtime/arch/Yaml.h"
#include "runtime/io/File.h"
#include "runtime/support/Text.h"

#include <cmath>
#include <set>

namespace sparsam::runtime {

std::string toString(const ParamValue &value) {
  if (const bool *flag = std::get_if<bool>(&value))
    return *flag ? "true" : "false";
  if (const int64_t *integer = std::get_if<int64_t>(&value))
    return std::to_string(*integer);
  if (const double *real = std::get_if<double>(&value))
    return formatReal(*real);
  return std::get<std::string>(value);
}

//===-- Reading and checking one value ------------------------------------===//

static std::string typeName(const ParamInfo &param) {
  constexpr const char *names[] = {"true or false", "an integer", "a number", "a text"};
  std::string text = names[param.defaultValue.index()];
  if (!param.choices.empty())
    text = "one of " + join(param.choices);
  else if (param.unit == "B")
    text += " of bytes (a suffix KB, MB or GB is allowed)";
  else if (!param.unit.empty())
    text += " in " + param.unit;
  return text;
}

/// "64", "128KB", "2MB", "1GB"; K is 1024.
static std::optional<int64_t> parseBytes(std::string_view text) {
  int shift = 0;
  for (auto [suffix, bits] : {std::pair("KB", 10), std::pair("MB", 20), std::pair("GB", 30)})
    if (text.ends_with(suffix)) {
      shift = bits;
      text.remove_suffix(2);
      break;
    }
  if (!shift && text.ends_with("B"))
    text.remove_suffix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  auto count = parseInteger(text);
  int64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, int64_t(1) << shift, &bytes))
    return std::nullopt;
  return bytes;
}

/// The bound that `number` is beyond: "at most 64 MHz"; empty if none.
static std::string violatedBound(const ParamInfo &param, double number) {
  const std::string unit = param.unit.empty() ? "" : " " + param.unit;
  if (param.min && number < *param.min)
    return "at least " + formatReal(*param.min) + unit;
  if (param.max && number > *param.max)
    return "at most " + formatReal(*param.max) + unit;
  return "";
}

Result<ParamValue> checkParamValue(const ParamInfo &param, ParamValue value,
                                   std::string_view target) {
  if (std::holds_alternative<double>(param.defaultValue) && std::holds_alternative<int64_t>(value))
    value = double(std::get<int64_t>(value));
  if (const double *real = std::get_if<double>(&value);
      real && std::holds_alternative<int64_t>(param.defaultValue) && *real == std::floor(*real) &&
      std::abs(*real) < 0x1p53)
    value = int64_t(*real);
  if (value.index() != param.defaultValue.index())
    return makeError("parameter '", param.name, "' must be ", typeName(param), ", got '",
                     printable(toString(value)), "'");
  if (const std::string *text = std::get_if<std::string>(&value)) {
    if (!param.choices.empty() &&
        std::find(param.choices.begin(), param.choices.end(), *text) == param.choices.end())
      return makeError("parameter '", param.name, "' must be ", typeName(param), ", got '",
                       printable(*text), "'");
    return value;
  }
  if (std::holds_alternative<bool>(value))
    return value;
  bool isInteger = std::holds_alternative<int64_t>(value);
  double number = isInteger ? double(std::get<int64_t>(value)) : std::get<double>(value);
  if (!std::isfinite(number))
    return makeError("parameter '", param.name, "' must be a finite number");
  const std::string bound = violatedBound(param, number);
  if (bound.empty())
    return value;
  const std::string source = target.empty() ? "" : " (arch.yaml of " + std::string(target) + ")";
  return makeError("parameter '", param.name, "' must be ", bound, source, ", got ",
                   toString(value));
}

Result<ParamValue> parseParamValue(const ParamInfo &param, std::string_view text,
                                   std::string_view target) {
  std::optional<ParamValue> value;
  if (std::holds_alternative<bool>(param.defaultValue)) {
    if (text == "true" || text == "false")
      value = text == "true";
  } else if (std::holds_alternative<int64_t>(param.defaultValue)) {
    if (auto integer = param.unit == "B" ? parseBytes(text) : parseInteger(text))
      value = *integer;
  } else if (std::holds_alternative<double>(param.defaultValue)) {
    if (auto real = parseReal(text))
      value = *real;
  } else {
    value = std::string(text);
  }
  if (!value)
    return makeError("parameter '", param.name, "' must be ", typeName(param), ", got '",
                     printable(text), "'");
  return checkParamValue(param, std::move(*value), target);
}

/// "unknown parameter 'x' of sanger; did you mean 'y'?"
static Error unknownParameter(const ArchSpec &spec, std::string_view name) {
  std::vector<std::string> names;
  for (const ParamInfo &param : spec.params())
    names.push_back(param.name);
  return makeError("unknown parameter '", printable(name), "' of ", spec.target(),
                   suggestion(name, names));
}

Result<ParamValue> yaml::readValue(const Document &doc, const ArchSpec &spec,
                                   const YAML::Node &name, const YAML::Node &value) {
  const ParamInfo *param = spec.find(name.Scalar());
  if (!param)
    return doc.error(name, unknownParameter(spec, name.Scalar()).message);
  if (!value.IsScalar())
    return doc.error(value, "parameter '", param->name, "' needs a plain value");
  auto parsed = parseParamValue(*param, value.Scalar(), spec.target());
  if (!parsed)
    return doc.error(value, parsed.error().message);
  return parsed;
}

//===-- Arch ---------------------------------------------------------------===//

Arch::Arch(std::shared_ptr<const ArchSpec> spec) : spec_(std::move(spec)) {
  for (const ParamInfo &param : spec_->params())
    values_[param.name] = param.defaultValue;
}

Status Arch::applyPreset(std::string_view name) {
  std::vector<std::string> names;
  for (const Preset &preset : spec_->presets()) {
    names.push_back(preset.name);
    if (preset.name != name)
      continue;
    for (const auto &[param, value] : preset.values)
      if (Status status = set(param, value); !status)
        return status;
    return Status();
  }
  return makeError("unknown preset '", printable(name), "' of ", spec_->target(),
                   "; there are: ", names.empty() ? "none" : join(names));
}

Status Arch::applySetting(std::string_view setting) {
  size_t equals = setting.find('=');
  if (equals == setting.npos)
    return makeError("expects a setting of the form name=value, got '", printable(setting), "'");
  std::string_view name = setting.substr(0, equals);
  const ParamInfo *param = spec_->find(name);
  if (!param)
    return unknownParameter(*spec_, name);
  auto value = parseParamValue(*param, setting.substr(equals + 1), spec_->target());
  if (!value)
    return value.error();
  return set(name, value.take());
}

Status Arch::applyFile(const std::string &path) {
  auto file = MappedFile::open(path);
  if (!file)
    return file.error();
  std::span<const uint8_t> bytes = (*file)->bytes();
  std::string text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  auto status = yaml::guarded<bool>(path, [&]() -> Result<bool> {
    yaml::Document doc{path, YAML::Load(text)};
    if (!doc.root.IsMap())
      return doc.error(doc.root, "expects lines of the form 'name: value'");
    // The preset comes first wherever it stands: the file's own values override it.
    if (YAML::Node preset = doc.root["preset"]) {
      if (!preset.IsScalar())
        return doc.error(preset, "'preset' must be a name");
      if (Status status = applyPreset(preset.Scalar()); !status)
        return doc.error(preset, status.error().message);
    }
    std::set<std::string> seen;
    for (const auto &entry : doc.root) {
      if (!entry.first.IsScalar())
        return doc.error(entry.first, "expects lines of the form 'name: value'");
      if (!seen.insert(entry.first.Scalar()).second)
        return doc.error(entry.first, "'", printable(entry.first.Scalar()), "' is there twice");
      if (entry.first.Scalar() == "preset")
        continue;
      auto value = yaml::readValue(doc, *spec_, entry.first, entry.second);
      if (!value)
        return value.error();
      if (Status status = set(entry.first.Scalar(), value.take()); !status)
        return doc.error(entry.second, status.error().message);
    }
    return true;
  });
  return status ? Status() : Status(status.error());
}

Status Arch::set(std::string_view name, ParamValue value) {
  const ParamInfo *param = spec_->find(name);
  if (!param)
    return unknownParameter(*spec_, name);
  auto checked = checkParamValue(*param, std::move(value), spec_->target());
  if (!checked)
    return checked.error();
  values_[param->name] = checked.take();
  set_[param->name] = true;
  return Status();
}

int64_t Arch::integer(std::string_view name) const { return std::get<int64_t>(value(name)); }

double Arch::real(std::string_view name) const {
  const ParamValue &v = value(name);
  return std::holds_alternative<int64_t>(v) ? double(std::get<int64_t>(v)) : std::get<double>(v);
}

bool Arch::flag(std::string_view name) const { return std::get<bool>(value(name)); }
const std::string &Arch::text(std::string_view name) const {
  return std::get<std::string>(value(name));
}

const ParamValue &Arch::value(std::string_view name) const {
  auto it = values_.find(name);
  assert(it != values_.end() && "parameter is not declared in arch.yaml");
  return it->second;
}

bool Arch::isSet(std::string_view name) const { return set_.find(name) != set_.end(); }

} // namespace sparsam::runtime
