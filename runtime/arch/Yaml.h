// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Yaml.h - yaml-cpp with `file:line:` errors and no exceptions -------===//
//
// Internal to runtime/arch.
//
#ifndef SPARSAM_RUNTIME_ARCH_YAML_H
#define SPARSAM_RUNTIME_ARCH_YAML_H

#include "runtime/arch/Arch.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>

namespace sparsam::runtime {

/// Reads `text` as a value of the type of `param`'s default, and checks range and choices. Errors
/// of the range say that it stands in the arch.yaml of `target`, if that is not empty.
Result<ParamValue> parseParamValue(const ParamInfo &param, std::string_view text,
                                   std::string_view target);
/// Checks range and choices; an integer for a real parameter becomes a real, a whole real for an
/// integer parameter an integer.
Result<ParamValue> checkParamValue(const ParamInfo &param, ParamValue value,
                                   std::string_view target);

namespace yaml {

/// A parsed file and the name its errors begin with.
struct Document {
  std::string file;
  YAML::Node root;

  /// "file:line: message".
  template <typename... Parts> Error error(const YAML::Node &node, const Parts &...parts) const {
    return makeError(file, ":", std::max(node.Mark().line, 0) + 1, ": ", parts...);
  }
};

/// Reads `name: value` as a parameter of `spec`.
Result<ParamValue> readValue(const Document &doc, const ArchSpec &spec, const YAML::Node &name,
                             const YAML::Node &value);

/// Runs `body` and turns what yaml-cpp throws into an error.
template <typename T, typename Body> Result<T> guarded(const std::string &file, Body body) {
  try {
    return body();
  } catch (const YAML::Exception &exception) {
    return makeError(file, ":", std::max(exception.mark.line, 0) + 1, ": ", exception.msg);
  } catch (const std::exception &exception) {
    return makeError(file, ": ", exception.what());
  }
}

} // namespace yaml
} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_ARCH_YAML_H
