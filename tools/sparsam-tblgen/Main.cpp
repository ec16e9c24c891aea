// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Main.cpp - sparsam-tblgen ------------------------------------------===//
//
// Generates the binary form of a target's instructions from their ODS definitions:
//   -gen-isa-encoder   methods of InstructionOpInterface, for the compiler
//   -gen-isa-model     instruction structs, decoder, encoder, disassembler, for the model; no MLIR
//   -gen-isa-self-test  all fields and their ranges, for the conformance suite
//   -gen-isa-doc       the ISA reference page
//

#include "Generators.h"

#include "mlir/TableGen/GenInfo.h"
#include "mlir/Tools/mlir-tblgen/MlirTblgenMain.h"

#include "llvm/Support/CommandLine.h"

using namespace sparsam::tblgen;

static mlir::GenRegistration encoder("gen-isa-encoder",
                                     "Generate the encoder of the instructions (compiler)",
                                     [](const llvm::RecordKeeper &records, llvm::raw_ostream &os) {
                                       return emitEncoder(readIsa(records), os);
                                     });

static mlir::GenRegistration model("gen-isa-model",
                                   "Generate instruction structs and decoder (model)",
                                   [](const llvm::RecordKeeper &records, llvm::raw_ostream &os) {
                                     return emitModel(readIsa(records), os);
                                   });

static mlir::GenRegistration selfTest("gen-isa-self-test",
                                      "Generate the table of fields (conformance suite)",
                                      [](const llvm::RecordKeeper &records, llvm::raw_ostream &os) {
                                        return emitSelfTest(readIsa(records), os);
                                      });

static mlir::GenRegistration doc("gen-isa-doc", "Generate the ISA reference page",
                                 [](const llvm::RecordKeeper &records, llvm::raw_ostream &os) {
                                   return emitDoc(readIsa(records), os);
                                 });

/// Leaves the options of LLVM that a user of TableGen needs; the generators are added later.
static void hideOptionsOfLlvm() {
  constexpr llvm::StringLiteral shown[] = {
      "D", "I", "d", "help", "o", "version", "write-if-changed"};
  for (auto &[name, option] : llvm::cl::getRegisteredOptions())
    if (!llvm::is_contained(shown, name))
      option->setHiddenFlag(llvm::cl::Hidden);
}

int main(int argc, char **argv) {
  hideOptionsOfLlvm();
  return mlir::MlirTblgenMain(argc, argv);
}
