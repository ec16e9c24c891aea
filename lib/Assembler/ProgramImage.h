// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ProgramImage.h - a program before it is written --------------------===//
#ifndef SPARSAM_LIB_ASSEMBLER_PROGRAMIMAGE_H
#define SPARSAM_LIB_ASSEMBLER_PROGRAMIMAGE_H

#include "Assembler/KernelEncoder.h"
#include "sparsam/Assembler.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"

#include "runtime/program/Program_generated.h"

#include <optional>
#include <variant>

namespace sparsam {

/// A setting of a host kernel, of the machine or of the provenance.
using Setting =
    std::variant<int64_t, double, bool, std::string, std::vector<int64_t>, std::vector<double>>;
using Settings = std::vector<std::pair<std::string, Setting>>;

struct TensorImage {
  std::string name;
  program::DType dtype;
  std::vector<int64_t> shape;
  program::TensorKind kind;
  uint64_t offset = 0; ///< in the data sections or in the arena
  uint64_t bytes = 0;
};

struct HostStage {
  std::string op, name;
  std::vector<int32_t> inputs, outputs; ///< indices of tensors
  Settings attributes;
};

struct AcceleratorStage {
  std::string target, name;
  std::vector<int32_t> bindings;
  unsigned inputs = 0;
  KernelImage kernel;
};

/// An argument that a session keeps, by the names of the argument and of the result that continues
/// it.
struct StateImage {
  int32_t tensor;
  std::string input, output;
  int32_t axis; ///< that counts tokens; -1: none
};

struct GrowingImage {
  int32_t tensor;
  uint32_t axis;
  uint64_t extra;
};

/// What a program keeps from run to run.
struct CacheImage {
  int32_t length = -1;
  uint64_t capacity = 0, step = 0;
  std::vector<StateImage> states;
  std::vector<GrowingImage> growing;
};

/// Everything that a program file holds; constants are still attributes.
struct ProgramImage {
  std::string target;
  Settings arch, provenance;
  std::vector<TensorImage> tensors;
  std::vector<int32_t> inputs, outputs;
  std::vector<std::variant<HostStage, AcceleratorStage>> stages;
  /// In order of their offsets in the data sections.
  std::vector<std::pair<uint64_t, mlir::ElementsAttr>> data;
  uint64_t arenaBytes = 0, dataBytes = 0, stateBytes = 0;
  std::optional<CacheImage> cache;
};

/// The program of `module`: its function `main`, and the kernels that it launches.
mlir::FailureOr<ProgramImage> buildProgram(mlir::ModuleOp module, const Provenance &provenance);

/// What argument `number` of `main` is besides an input, by its attributes (sattn/Sattn.h).
struct ArgumentRole {
  bool isLength = false;
  std::string output;      ///< of a state, the result that continues it; empty: no state
  std::optional<int> axis; ///< that counts tokens
  uint64_t extra = 0;      ///< of an input that grows
};
mlir::FailureOr<ArgumentRole> readRole(mlir::func::FuncOp main, unsigned number);
/// Capacity and step of `main`, if it has caches; fails if its attributes make no sense.
mlir::FailureOr<std::optional<CacheImage>> readCache(mlir::func::FuncOp main);

/// Attributes of `op` as settings of a host kernel: what ODS declares, and names.
Settings readAttributes(mlir::Operation *op);
/// The simple value of an attribute; enumerations and others are text.
Setting readAttribute(mlir::Attribute attribute);

/// Gives activations their places in the arena: tensors whose lives overlap lie apart.
class Arena {
public:
  struct Life {
    size_t tensor;
    uint64_t bytes;
    size_t first, last; ///< stages that touch it
    uint64_t offset = 0;
  };
  /// First fit, the largest first. Returns the size of the arena.
  static uint64_t place(llvm::MutableArrayRef<Life> lives);
};

} // namespace sparsam

#endif // SPARSAM_LIB_ASSEMBLER_PROGRAMIMAGE_H
