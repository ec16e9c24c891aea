// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RecipeTable.h - how the rows of a paper.yaml are computed ----------===//
//
// A target says what each of its recipes computes, of which arguments; that they are there and
// within their ranges is checked here.
//
#ifndef SPARSAM_RUNTIME_KERNEL_RECIPETABLE_H
#define SPARSAM_RUNTIME_KERNEL_RECIPETABLE_H

#include "runtime/support/NumberRange.h"

#include <functional>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace sparsam::runtime {

/// A number that a recipe is given; where no range is declared, it must be above 0.
struct RecipeArgument {
  RecipeArgument(const char *name, NumberRange range = NumberRange::positive())
      : name(name), range(range) {}

  std::string name;
  NumberRange range;
};

/// The values of a recipe's arguments, in the order in which it declares them.
using RecipeValues = std::span<const double>;

/// `given` in the order of `declared`. Refuses what is missing, out of its range, or not declared.
Result<std::vector<double>> readArguments(const std::string &recipe,
                                          std::span<const RecipeArgument> declared,
                                          const std::map<std::string, double> &given);
/// Says which recipes there are.
Error unknownRecipe(const std::string &recipe, const std::vector<std::string> &known);

/// The recipes of a target, by name. `Params` are the parameters of its machine.
template <typename Params> class RecipeTable {
public:
  /// Adds a recipe: `value(RecipeValues)`, or `value(RecipeValues, const Params &)` where the
  /// machine matters.
  template <typename F>
  RecipeTable &add(std::string name, std::vector<RecipeArgument> arguments, F value) {
    Recipe &recipe = recipes_[std::move(name)];
    recipe.arguments = std::move(arguments);
    if constexpr (std::is_invocable_v<F, RecipeValues>)
      recipe.value = [value](RecipeValues values, const Params &) { return value(values); };
    else
      recipe.value = std::move(value);
    return *this;
  }

  /// Value of a recipe. Errors name the recipe.
  Result<double> evaluate(const std::string &name, const std::map<std::string, double> &given,
                          const Params &params) const {
    auto recipe = recipes_.find(name);
    if (recipe == recipes_.end())
      return unknownRecipe(name, names());
    Result<std::vector<double>> values = readArguments(name, recipe->second.arguments, given);
    if (!values)
      return values.error();
    return recipe->second.value(*values, params);
  }

private:
  struct Recipe {
    std::vector<RecipeArgument> arguments;
    std::function<double(RecipeValues, const Params &)> value;
  };

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto &[name, recipe] : recipes_)
      names.push_back(name);
    return names;
  }

  std::map<std::string, Recipe> recipes_;
};

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_KERNEL_RECIPETABLE_H
