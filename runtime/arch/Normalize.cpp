// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Normalize.cpp - designs at equal technology and size ---------------===//

#include "runtime/arch/Normalize.h"

#include "runtime/arch/Technology.h"
#include "runtime/support/Text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace sparsam::runtime {

//===-- Reading ------------------------------------------------------------===//

/// A positive number with one of `units` behind it, in the first of them; each has its factor.
static Result<double> readQuantity(const std::string &key, std::string_view text,
                                   const std::vector<std::pair<std::string, double>> &units) {
  std::vector<std::string> names;
  for (const auto &[unit, factor] : units) {
    names.push_back(unit);
    if (!text.ends_with(unit))
      continue;
    std::string_view digits = text.substr(0, text.size() - unit.size());
    while (digits.ends_with(' '))
      digits.remove_suffix(1);
    if (auto number = parseReal(digits); number && *number > 0 && std::isfinite(*number))
      return *number * factor;
  }
  return makeError("--normalize ", key, " must be a positive number in ", join(names, " or "),
                   ", got '", printable(text), "'");
}

/// Reads "macs=1024" into `ground`; `given` are the keys read so far.
static Status readOne(std::string_view item, std::vector<std::string> &given,
                      CommonGround &ground) {
  const size_t equals = item.find('=');
  const std::string key(item.substr(0, equals));
  const std::vector<std::string> keys = {"tech", "macs", "bandwidth", "clock"};
  if (equals == item.npos || std::find(keys.begin(), keys.end(), key) == keys.end())
    return makeError(
        "--normalize takes tech=28nm, macs=1024, bandwidth=128GB/s and clock=1GHz, got '",
        printable(item), "'", nearestName(key, keys) ? suggestion(key, keys) : "");
  if (std::find(given.begin(), given.end(), key) != given.end())
    return makeError("--normalize has ", key, " twice; give it once");
  given.push_back(key);
  const std::string_view text = item.substr(equals + 1);
  if (key == "macs") {
    auto count = parseInteger(text);
    if (!count || *count < 1)
      return makeError("--normalize macs must be a positive integer, got '", printable(text), "'");
    ground.multipliers = *count;
    return Status();
  }
  auto quantity = key == "tech"        ? readQuantity(key, text, {{"nm", 1}})
                  : key == "bandwidth" ? readQuantity(key, text, {{"GB/s", 1}, {"TB/s", 1000}})
                                       : readQuantity(key, text, {{"MHz", 1}, {"GHz", 1000}});
  if (!quantity)
    return quantity.error();
  (key == "tech"        ? ground.nanometres
   : key == "bandwidth" ? ground.gigabytesPerSecond
                        : ground.megahertz) = *quantity;
  return Status();
}

Result<CommonGround> CommonGround::parse(std::string_view text) {
  CommonGround ground;
  std::vector<std::string> given;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    if (Status status = readOne(text.substr(begin, end - begin), given, ground); !status)
      return status.error();
    begin = end + 1;
  }
  if (ground.nanometres)
    if (auto factors = technologyFactors(*ground.nanometres, *ground.nanometres); !factors)
      return makeError("--normalize tech: ", factors.error().message);
  return ground;
}

//===-- Applying -----------------------------------------------------------===//

std::optional<int64_t> multipliers(const ComparedMachine &machine) {
  const std::optional<Normalization> &rules = machine.rules.normalization;
  if (!rules || rules->multipliers.empty())
    return std::nullopt;
  double product = double(rules->arrays);
  for (const std::string &name : rules->multipliers)
    product *= machine.arch.real(name);
  return int64_t(product);
}

namespace {

std::string shortNumber(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

class Normalizer {
public:
  explicit Normalizer(const ComparedMachine &machine)
      : result_{machine, {}}, rules_(*machine.rules.normalization), name_(machine.name()) {}

  Status toTechnology(double nanometres);
  Status toMultipliers(int64_t count);
  Status toBandwidth(double gigabytesPerSecond);
  Status toClock(double megahertz);
  Normalized take() { return std::move(result_); }

private:
  Status set(const std::string &name, double value);
  Status multiply(const std::vector<std::string> &names, double factor) {
    for (const std::string &name : names)
      if (Status status = set(name, result_.machine.arch.real(name) * factor); !status)
        return status;
    return Status();
  }
  /// Power grows with the clock.
  Status setClock(double megahertz) {
    const double factor = megahertz / result_.machine.arch.real(Arch::kClockParameter);
    Status status = set(Arch::kClockParameter, megahertz);
    return status ? multiply(rules_.power, factor) : status;
  }
  Status multiplyArea(double factor) {
    return rules_.area.empty() ? Status() : multiply({rules_.area}, factor);
  }

  Normalized result_;
  const Normalization &rules_;
  const std::string &name_;
};

Status Normalizer::set(const std::string &name, double value) {
  Status status = result_.machine.arch.set(name, value);
  result_.machine.normalized.insert(name);
  if (!status)
    return makeError("cannot be brought there: ", status.error().message);
  return status;
}

Status Normalizer::toTechnology(double to) {
  const double from = rules_.technology.empty() ? 0 : result_.machine.arch.real(rules_.technology);
  if (from <= 0)
    return makeError("publishes no technology to scale from; leave tech out",
                     rules_.technology.empty()
                         ? ""
                         : ", or give one: --set " + name_ + "." + rules_.technology + "=45");
  auto factors = technologyFactors(from, to);
  if (!factors)
    return makeError(factors.error().message);
  const double clock = result_.machine.arch.real(Arch::kClockParameter);
  for (Status status :
       {set(rules_.technology, to), multiply(rules_.energyPerEvent, factors->energy),
        multiply(rules_.energyPerCycle, factors->energy), multiply(rules_.power, factors->energy),
        multiplyArea(factors->area), setClock(clock / factors->delay)})
    if (!status)
      return status;
  result_.steps.push_back("technology " + formatReal(from) + " to " + formatReal(to) +
                          " nm: clock " + shortNumber(clock) + " to " +
                          shortNumber(clock / factors->delay) + " MHz, energy x " +
                          shortNumber(factors->energy) + ", area x " + shortNumber(factors->area));
  return Status();
}

Status Normalizer::toMultipliers(int64_t count) {
  const std::optional<int64_t> from = multipliers(result_.machine);
  if (!from)
    return makeError("declares no multipliers to scale; leave macs out");
  const double factor = double(count) / double(*from);
  std::string changes;
  for (const std::string &name : rules_.scaled) {
    const double before = result_.machine.arch.real(name), after = before * factor;
    const bool isInteger = std::holds_alternative<int64_t>(result_.machine.arch.value(name));
    if (isInteger && (after != std::floor(after) || after < 1))
      return makeError("has ", *from, " multipliers (", join(rules_.multipliers, " x "),
                       rules_.arrays > 1 ? " x " + std::to_string(rules_.arrays) : "", "); at ",
                       count, " its ", name, " would be ", shortNumber(after),
                       "; take a multiple of ", *from / int64_t(before), " (from arch.yaml of ",
                       name_, ")");
    if (Status status = set(name, after); !status)
      return status;
    changes += ", " + name + " " + formatReal(before) + " to " + formatReal(after);
  }
  for (Status status : {multiply(rules_.energyPerCycle, factor), multiply(rules_.power, factor),
                        multiplyArea(factor)})
    if (!status)
      return status;
  result_.steps.push_back("multipliers " + std::to_string(*from) + " to " + std::to_string(count) +
                          changes + ", area and energy of a cycle x " + shortNumber(factor));
  return Status();
}

Status Normalizer::toBandwidth(double gigabytesPerSecond) {
  if (rules_.bandwidth.empty())
    return makeError("declares no bandwidth; leave bandwidth out");
  result_.steps.push_back("bandwidth " + shortNumber(result_.machine.arch.real(rules_.bandwidth)) +
                          " to " + shortNumber(gigabytesPerSecond) + " GB/s");
  return set(rules_.bandwidth, gigabytesPerSecond);
}

Status Normalizer::toClock(double megahertz) {
  result_.steps.push_back("clock " + shortNumber(result_.machine.arch.real(Arch::kClockParameter)) +
                          " to " + shortNumber(megahertz) + " MHz");
  return setClock(megahertz);
}

} // namespace

Result<Normalized> normalize(const ComparedMachine &machine, const CommonGround &ground) {
  if (!machine.rules.normalization)
    return makeError("declares no section 'normalization' in its arch.yaml, which says what to "
                     "scale");
  Normalizer normalizer(machine);
  Status status;
  if (ground.nanometres)
    status = normalizer.toTechnology(*ground.nanometres);
  if (status && ground.multipliers)
    status = normalizer.toMultipliers(*ground.multipliers);
  if (status && ground.gigabytesPerSecond)
    status = normalizer.toBandwidth(*ground.gigabytesPerSecond);
  if (status && ground.megahertz)
    status = normalizer.toClock(*ground.megahertz);
  if (!status)
    return status.error();
  Normalized result = normalizer.take();
  if (!machine.rules.normalization->note.empty())
    result.steps.push_back(machine.rules.normalization->note);
  return result;
}

} // namespace sparsam::runtime
