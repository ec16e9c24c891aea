// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Arch.h - the declared parameters of a machine and their values -----===//
//
// A target declares every parameter in its arch.yaml: default, unit, one sentence, source, range.
// The same declaration serves validation, `sparsam explain`, the compiler (as the `isa.arch`
// attribute) and the model.
//
#ifndef SPARSAM_RUNTIME_ARCH_ARCH_H
#define SPARSAM_RUNTIME_ARCH_ARCH_H

#include "runtime/support/Result.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sparsam::runtime {

/// Flag, integer, real or text (one of `choices`).
using ParamValue = std::variant<bool, int64_t, double, std::string>;

/// "16", "0.002", "true", "subrow".
std::string toString(const ParamValue &value);

/// One parameter as arch.yaml declares it.
struct ParamInfo {
  std::string name;
  std::string group;                ///< heading under which `explain` lists it
  ParamValue defaultValue;          ///< also fixes the type
  std::string unit;                 ///< "MHz", "B", "" for a pure number
  std::string summary;              ///< one sentence
  std::string source;               ///< provenance letter(s) and place: "P Table 2", "A"
  std::optional<double> min, max;   ///< inclusive bounds of a number
  std::vector<std::string> choices; ///< allowed values of a text parameter
  bool informative = false;         ///< true: no result depends on it
};

/// A named set of overrides of the defaults.
struct Preset {
  std::string name;
  std::string summary;
  std::map<std::string, ParamValue> values;
};

/// What arch.yaml says: parameters in file order, and presets.
class ArchSpec {
public:
  /// Parses and checks an arch.yaml text. Errors name file and line.
  static Result<std::shared_ptr<const ArchSpec>> parse(std::string_view yaml,
                                                       const std::string &file);

  const std::string &target() const { return target_; }
  const std::string &summary() const { return summary_; }
  const std::vector<ParamInfo> &params() const { return params_; }
  const std::vector<Preset> &presets() const { return presets_; }
  const ParamInfo *find(std::string_view name) const;

private:
  std::string target_, summary_;
  std::vector<ParamInfo> params_;
  std::vector<Preset> presets_;
};

/// Values of all parameters of one machine; complete and within range by construction.
class Arch {
public:
  /// The parameter, declared by every arch.yaml, that gives the clock: cycles become seconds by it.
  static constexpr const char *kClockParameter = "clock_mhz";

  /// The defaults.
  explicit Arch(std::shared_ptr<const ArchSpec> spec);

  const ArchSpec &spec() const { return *spec_; }
  std::shared_ptr<const ArchSpec> sharedSpec() const { return spec_; }

  /// Applies a preset by name. Errors list the presets there are.
  Status applyPreset(std::string_view name);
  /// Applies `name=value`. An unknown name is an error with the nearest known one.
  Status applySetting(std::string_view setting);
  /// Applies a user's YAML file of `name: value` lines (and optionally `preset: name`). Errors name
  /// the line.
  Status applyFile(const std::string &path);
  Status set(std::string_view name, ParamValue value);

  /// Value of a declared parameter; asserts that it is declared with this type.
  int64_t integer(std::string_view name) const;
  double real(std::string_view name) const; ///< also of an integer parameter
  bool flag(std::string_view name) const;
  const std::string &text(std::string_view name) const;
  const ParamValue &value(std::string_view name) const;
  /// True where the value was set by a preset, a file or a setting, and is not just the default.
  bool isSet(std::string_view name) const;

private:
  std::shared_ptr<const ArchSpec> spec_;
  std::map<std::string, ParamValue, std::less<>> values_;
  std::map<std::string, bool, std::less<>> set_;
};

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_ARCH_ARCH_H
