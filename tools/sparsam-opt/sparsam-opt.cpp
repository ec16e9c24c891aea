// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- sparsam-opt.cpp - run passes over textual IR -----------------------===//

#include "tools/common/Registry.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"

static void printVersion(llvm::raw_ostream &out) {
  out << "sparsam-opt " SPARSAM_VERSION " (LLVM " LLVM_VERSION_STRING ")\n";
}

int main(int argc, char **argv) {
  llvm::cl::SetVersionPrinter(printVersion);
  sparsam::registerTargets();
  sparsam::registerPasses();
  mlir::DialectRegistry registry;
  sparsam::registerDialects(registry);
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv, "Sparsam: passes over onnx, sattn, isa and target dialects\n", registry));
}
