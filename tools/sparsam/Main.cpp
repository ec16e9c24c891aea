// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Main.cpp - the driver ----------------------------------------------===//

#include "tools/sparsam/Common.h"
#include "tools/sparsam/Usage.h"

#include "tools/common/Registry.h"

#include <iostream>

using namespace sparsam;

static void addCommands(CLI::App &app) {
  driver::addCompile(app);
  driver::addRun(app);
  driver::addGenerate(app);
  driver::addCompare(app);
  driver::addAttention(app);
  driver::addSimulate(app);
  driver::addCalibrate(app);
  driver::addEncode(app);
  driver::addExplain(app);
  driver::addReproduce(app);
  driver::addDisassemble(app);
  driver::addTargets(app);
}

int main(int argc, char **argv) {
  registerTargets();
  CLI::App app("Compiles transformers for sparse-attention accelerators and simulates them.",
               "sparsam");
  app.footer("Start with:\n"
             "  sparsam targets\n"
             "  sparsam compile model.onnx --target NAME --calibrate samples.npz -o model.spx\n"
             "  sparsam run model.spx --input samples.npz\n"
             "\nEvery command has a --help with examples.");
  app.set_version_flag("--version", "sparsam " SPARSAM_VERSION);
  app.require_subcommand(1);
  app.failure_message([](const CLI::App *failed, const CLI::Error &error) {
    return driver::describeUsageError(*failed, error);
  });
  addCommands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RuntimeError &error) {
    std::cout.flush();
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  } catch (const CLI::ParseError &error) {
    int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  std::cout.flush();
  if (!std::cout) {
    std::cerr << "error: cannot write to standard output\n";
    return 1;
  }
  return 0;
}
