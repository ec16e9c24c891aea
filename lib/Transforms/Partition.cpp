// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Partition.cpp - outline attention into kernels ---------------------===//

#include "sparsam/Transforms.h"

#include "isa/Isa.h"
#include "sattn/Sattn.h"

#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_PARTITION
#include "sparsam/SattnPasses.h.inc"

namespace {

/// The kernel's name: that of the attention core, or "attention" made unique.
std::string chooseName(sattn::AttentionOp core, const SymbolTable &symbols) {
  if (auto name = dyn_cast_if_present<StringAttr>(core->getDiscardableAttr(sattn::kNameAttr)))
    return name.str();
  std::string name = "attention";
  for (unsigned suffix = 0; symbols.lookup(name); ++suffix)
    name = "attention_" + std::to_string(suffix);
  return name;
}

/// Makes a kernel of `target` that computes `core` from its operands.
isa::KernelOp outline(sattn::AttentionOp core, StringRef name, StringAttr target,
                      Operation *before) {
  OpBuilder builder(before);
  auto type = builder.getFunctionType(core->getOperandTypes(), core->getResultTypes());
  auto kernel = isa::KernelOp::create(builder, core.getLoc(), builder.getStringAttr(name),
                                      TypeAttr::get(type), target,
                                      /*sym_visibility=*/StringAttr(), /*arg_attrs=*/ArrayAttr(),
                                      /*res_attrs=*/ArrayAttr());
  Block *body = builder.createBlock(&kernel.getBody(), {}, type.getInputs(),
                                    SmallVector<Location>(type.getNumInputs(), core.getLoc()));
  Operation *inside = builder.clone(*core);
  inside->setOperands(body->getArguments());
  inside->removeDiscardableAttr(kTargetAttr);
  isa::ReturnOp::create(builder, core.getLoc(), inside->getResults());
  return kernel;
}

struct Partition : impl::PartitionBase<Partition> {
  using PartitionBase::PartitionBase;

  void runOnOperation() override {
    SmallVector<sattn::AttentionOp> cores;
    getOperation().walk([&](sattn::AttentionOp op) {
      bool ownSymbols = SymbolTable::getNearestSymbolTable(op) == getOperation();
      if (ownSymbols && !op->getParentOfType<isa::KernelOp>())
        cores.push_back(op);
    });
    SymbolTable symbols(getOperation());
    for (sattn::AttentionOp core : cores)
      if (failed(partition(core, symbols)))
        return signalPassFailure();
  }

private:
  LogicalResult partition(sattn::AttentionOp core, SymbolTable &symbols) {
    auto target = dyn_cast_if_present<StringAttr>(core->getDiscardableAttr(kTargetAttr));
    if (!target)
      return success();
    std::string name = chooseName(core, symbols);
    if (Operation *other = symbols.lookup(name)) {
      InFlightDiagnostic error = core.emitOpError()
                                 << "is called '" << name << "' (`sattn.name`), which is taken";
      error.attachNote(other->getLoc()) << "already called that";
      return error;
    }
    Operation *function = core;
    while (function->getParentOp() != getOperation())
      function = function->getParentOp();
    symbols.insert(outline(core, name, target, function));
    OpBuilder builder(core);
    auto launch = isa::LaunchOp::create(builder, core.getLoc(), core->getResultTypes(), name,
                                        core->getOperands());
    core->replaceAllUsesWith(launch);
    core->erase();
    return success();
  }
};

} // namespace
} // namespace sparsam
