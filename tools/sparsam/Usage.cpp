// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Usage.cpp - what is wrong with a command line ----------------------===//

#include "tools/sparsam/Usage.h"

#include "runtime/support/Text.h"

#include <algorithm>

namespace sparsam::driver {

static std::vector<std::string> commandNames(const CLI::App &app) {
  std::vector<std::string> names;
  for (const CLI::App *command : app.get_subcommands([](const CLI::App *) { return true; }))
    names.push_back(command->get_name());
  return names;
}

static std::vector<std::string> optionNames(const CLI::App &command) {
  std::vector<std::string> names;
  for (const CLI::Option *option : command.get_options()) {
    for (const std::string &name : option->get_lnames())
      names.push_back("--" + name);
    for (const std::string &name : option->get_snames())
      names.push_back("-" + name);
  }
  return names;
}

/// A sentence about the first of the words that nothing took; options before anything else, since
/// the words that follow an unknown option are left over because of it.
static std::string describeUnknown(const CLI::App &app, const CLI::App &command,
                                   const std::vector<std::string> &words) {
  auto option =
      std::ranges::find_if(words, [](const std::string &word) { return word.starts_with("-"); });
  if (option != words.end()) {
    std::string name = option->substr(0, option->find('='));
    return "there is no option '" + runtime::printable(name) + "'" +
           runtime::suggestion(name, optionNames(command));
  }
  std::string word = runtime::printable(words.front());
  if (&command == &app)
    return "there is no command '" + word + "'" +
           runtime::suggestion(words.front(), commandNames(app));
  return "does not know what to do with '" + word + "'";
}

std::string describeUsageError(const CLI::App &app, const CLI::Error &error) {
  const CLI::App *command = &app;
  std::string typed = app.get_name();
  for (auto chosen = app.get_subcommands(); !chosen.empty(); chosen = command->get_subcommands()) {
    command = chosen.front();
    typed += " " + command->get_name();
  }
  const std::vector<std::string> unknown = app.remaining(/*recurse=*/true);
  std::string text = error.what();
  if (!unknown.empty())
    text = describeUnknown(app, *command, unknown);
  else if (command == &app)
    text = "needs a command; there are: " + runtime::join(commandNames(app));
  return "error: " + text + "\n  note: see " + typed + " --help\n";
}

} // namespace sparsam::driver
