// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RecipeTable.cpp - how the rows of a paper.yaml are computed --------===//

#include "runtime/kernel/RecipeTable.h"

#include "runtime/support/Text.h"

#include <algorithm>

namespace sparsam::runtime {

Result<std::vector<double>> readArguments(const std::string &recipe,
                                          std::span<const RecipeArgument> declared,
                                          const std::map<std::string, double> &given) {
  std::vector<double> values;
  for (const RecipeArgument &argument : declared) {
    auto value = given.find(argument.name);
    if (value == given.end())
      return makeError("recipe '", recipe, "' needs argument '", argument.name, "'");
    const std::string what = "argument '" + argument.name + "' of recipe '" + recipe + "'";
    if (Status status = argument.range.check(what, value->second); !status)
      return status.error();
    values.push_back(value->second);
  }
  for (const auto &[name, value] : given)
    if (std::ranges::find(declared, name, &RecipeArgument::name) == declared.end())
      return makeError("recipe '", recipe, "' has no argument '", printable(name), "'");
  return values;
}

Error unknownRecipe(const std::string &recipe, const std::vector<std::string> &known) {
  const std::string unknown = "unknown recipe '" + printable(recipe) + "'";
  if (known.empty())
    return makeError(unknown, "; there are none");
  if (auto nearest = nearestName(recipe, known))
    return makeError(unknown, "; did you mean '", *nearest, "'? there are: ", join(known));
  return makeError(unknown, "; there are: ", join(known));
}

} // namespace sparsam::runtime
