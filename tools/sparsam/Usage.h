// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Usage.h - what is wrong with a command line ------------------------===//
#ifndef SPARSAM_TOOLS_SPARSAM_USAGE_H
#define SPARSAM_TOOLS_SPARSAM_USAGE_H

#include <CLI/CLI.hpp>

#include <string>

namespace sparsam::driver {

/// The message for a command line that did not parse: one sentence, with the nearest known name
/// where a name is unknown, and a note that names the --help to read.
std::string describeUsageError(const CLI::App &app, const CLI::Error &error);

} // namespace sparsam::driver

#endif // SPARSAM_TOOLS_SPARSAM_USAGE_H
