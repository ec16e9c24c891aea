// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- sparsam-lsp-server.cpp - our dialects in editors -------------------===//

#include "tools/common/Registry.h"

#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  sparsam::registerTargets();
  mlir::DialectRegistry registry;
  sparsam::registerDialects(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
