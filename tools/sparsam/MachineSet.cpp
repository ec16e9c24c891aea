// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MachineSet.cpp - several machines, each with its parameters --------===//

#include "tools/sparsam/MachineSet.h"

#include "runtime/support/Text.h"
#include "tools/common/Registry.h"

#include <algorithm>

namespace sparsam::driver {

using Names = std::vector<std::string>;

static bool contains(const Names &names, const std::string &name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

static Names split(const std::string &text, char separator) {
  Names parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

Result<Names> MachineSetOptions::names() const {
  Names names;
  if (targets == "all") {
    for (const auto &[name, model] : modelRegistry().all())
      names.push_back(name);
    return names;
  }
  for (const std::string &name : split(targets, ',')) {
    if (!modelRegistry().find(name))
      return resolveArch(name, "", {}).error();
    if (contains(names, name))
      return makeError("--targets names '", name, "' twice");
    names.push_back(name);
  }
  return names;
}

/// Splits "TARGET=REST" into two; `option` is what the error calls it.
static Result<std::pair<std::string, std::string>>
splitTarget(const std::string &option, const std::string &text, const Names &names) {
  const size_t equals = text.find('=');
  const std::string target = text.substr(0, equals);
  if (equals == text.npos || !contains(names, target))
    return makeError(option, " ", runtime::printable(text),
                     " does not say for which machine; write ", option, " TARGET=..., with one of ",
                     runtime::join(names));
  return std::pair(target, text.substr(equals + 1));
}

/// What `texts` ("TARGET=REST") say for each target; one each.
static Result<std::map<std::string, std::string>> byTarget(const std::string &option,
                                                           const Names &texts, const Names &names) {
  std::map<std::string, std::string> result;
  for (const std::string &text : texts) {
    auto parts = splitTarget(option, text, names);
    if (!parts)
      return parts.error();
    if (!result.insert(*parts).second)
      return makeError("there are two ", option, " for ", parts->first);
  }
  return result;
}

/// How to set a parameter that `machine` does not have for one of the machines that does.
static std::string settingNote(const runtime::ComparedMachine &machine, const std::string &setting,
                               const std::vector<runtime::ComparedMachine> &machines) {
  const std::string name = setting.substr(0, setting.find('='));
  if (!machine.arch.spec().find(name))
    for (const runtime::ComparedMachine &other : machines)
      if (other.arch.spec().find(name))
        return "\n  note: for one of the machines, it is --set " + other.name() + "." +
               runtime::printable(setting);
  return "";
}

/// Applies "TARGET.NAME=VALUE" to that machine, "NAME=VALUE" to all.
static Status applySetting(const std::string &setting, const Names &names,
                           std::vector<runtime::ComparedMachine> &machines) {
  const size_t dot = setting.find('.'), equals = setting.find('=');
  const bool hasTarget = dot != setting.npos && dot < equals;
  const std::string target = hasTarget ? setting.substr(0, dot) : "";
  if (hasTarget && !contains(names, target))
    return makeError("--set ", runtime::printable(setting), ": '", runtime::printable(target),
                     "' is not compared; there are: ", runtime::join(names));
  const std::string rest = hasTarget ? setting.substr(dot + 1) : setting;
  for (runtime::ComparedMachine &machine : machines) {
    if (hasTarget && machine.name() != target)
      continue;
    if (Status status = machine.arch.applySetting(rest); !status)
      return hasTarget ? status
                       : makeError(status.error().message, settingNote(machine, rest, machines));
    machine.given.insert(rest.substr(0, rest.find('=')));
  }
  return Status();
}

/// The machine with its preset and its file (either may be empty).
static Result<runtime::ComparedMachine>
makeMachine(const std::string &name, const std::string &preset, const std::string &file) {
  auto declared = resolveArch(name, preset, {});
  if (!declared)
    return declared.error();
  auto rules = runtime::ComparisonRules::parse(modelRegistry().find(name)->archYaml(),
                                               name + "/arch.yaml", declared->spec());
  if (!rules)
    return rules.error();
  runtime::ComparedMachine machine{*declared, rules.take(), {}, {}};
  if (file.empty())
    return machine;
  if (Status status = machine.arch.applyFile(file); !status)
    return status.error();
  for (const runtime::ParamInfo &param : declared->spec().params())
    if (machine.arch.value(param.name) != declared->value(param.name))
      machine.given.insert(param.name);
  return machine;
}

Result<std::vector<runtime::ComparedMachine>> MachineSetOptions::resolve() const {
  auto chosen = names();
  if (!chosen)
    return chosen.error();
  auto preset = byTarget("--preset", presets, *chosen);
  if (!preset)
    return preset.error();
  auto file = byTarget("--arch", files, *chosen);
  if (!file)
    return file.error();
  std::vector<runtime::ComparedMachine> machines;
  for (const std::string &name : *chosen) {
    auto machine = makeMachine(name, (*preset)[name], (*file)[name]);
    if (!machine)
      return machine.error();
    machines.push_back(machine.take());
  }
  for (const std::string &setting : settings)
    if (Status status = applySetting(setting, *chosen, machines); !status)
      return status.error();
  // What parameters cannot be together is said before any work is done.
  for (const runtime::ComparedMachine &machine : machines)
    if (auto made = modelRegistry().find(machine.name())->createMachine(machine.arch); !made)
      return makeError(machine.name(), ": ", made.error().message);
  return machines;
}

} // namespace sparsam::driver
