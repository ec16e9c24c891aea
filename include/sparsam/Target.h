// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Target.h - the compiler half of a target ---------------------------===//
#ifndef SPARSAM_TARGET_H
#define SPARSAM_TARGET_H

#include "sparsam/Placement.h"

#include "isa/Isa.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"

#include "llvm/Support/Error.h"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace sparsam {

/// What a target tells the compiler. Everything a pass needs of the machine's parameters is in the
/// module's `isa.arch` attribute.
class Target {
public:
  virtual ~Target() = default;
  virtual llvm::StringRef getName() const = 0;
  virtual void registerDialects(mlir::DialectRegistry &registry) const = 0;
  /// Makes the passes of the target known to sparsam-opt.
  virtual void registerPasses() const {}
  /// The selection policy (a SelectionPolicyAttrInterface) that `attention`, a `sattn.attention`,
  /// uses on this target, from the parameters in `arch`. Errors are emitted at the op.
  virtual mlir::FailureOr<mlir::Attribute> getPolicy(isa::ArchAttr arch,
                                                     mlir::Operation *attention) const = 0;
  /// Appends passes over the whole model that come before policies are chosen and kernels are
  /// outlined: encode weights, recognise patterns, prune across layers, and mark by `sattn.target`
  /// and `sattn.kernel` what runs on the machine besides attention. `mode` is sparse or dense; in
  /// dense mode the results must be those of the dense model.
  virtual void addPreparationPasses(mlir::OpPassManager &pm, SparsifyMode mode) const {}
  /// Appends the passes that bring `isa.kernel`s in tensor form, as `sattn-partition` outlines
  /// them, into machine form, before buffer allocation.
  virtual void addLoweringPasses(mlir::OpPassManager &pm) const = 0;
  /// Capacity in bytes and element width in bits of each on-chip memory, for buffer allocation.
  struct MemoryInfo {
    int64_t bytes; ///< capacity; negative: not limited
    unsigned elementBits;
    std::string parameter; ///< the arch.yaml parameter the capacity comes from
  };
  virtual std::map<std::string, MemoryInfo> getMemories(isa::ArchAttr arch) const = 0;

protected:
  /// A memory as a target declares it.
  struct MemorySpec {
    const char *name;
    unsigned elementBits;
    const char *parameter; ///< its capacity in bytes; null: not limited
  };
  /// The memories of `specs` with the capacities that `arch` gives; 0 where it gives none.
  static std::map<std::string, MemoryInfo> readMemories(isa::ArchAttr arch,
                                                        llvm::ArrayRef<MemorySpec> specs);
};

/// A target that is called as its dialect.
template <typename Dialect> class DialectTarget : public Target {
public:
  llvm::StringRef getName() const override { return Dialect::getDialectNamespace(); }
  void registerDialects(mlir::DialectRegistry &registry) const override {
    registry.insert<Dialect>();
  }
};

/// The compiler halves of all targets that were built.
class TargetRegistry {
public:
  /// The process-wide registry that passes look targets up in; filled once by the tool's main.
  static TargetRegistry &instance();

  void add(std::unique_ptr<Target> target);
  const Target *lookup(llvm::StringRef name) const;
  /// Sorted.
  std::vector<std::string> getNames() const;

  /// How passes get the resolved parameters of a target in tools that have no driver options: given
  /// target, preset (may be empty) and `name=value` settings, returns the parameters or an error
  /// text. Set by the tool.
  using ArchProvider = std::function<llvm::Expected<isa::ArchAttr>(
      mlir::MLIRContext *, llvm::StringRef target, llvm::StringRef preset,
      llvm::ArrayRef<std::string> settings)>;
  ArchProvider archProvider;

private:
  std::map<std::string, std::unique_ptr<Target>, std::less<>> targets;
};

/// The on-chip memories, by name, of the machine that `kernel` is for. Emits an error at the kernel
/// if its module has no machine or this build no such target.
mlir::FailureOr<std::map<std::string, Target::MemoryInfo>> getMemories(isa::KernelOp kernel);

} // namespace sparsam

#endif // SPARSAM_TARGET_H
