// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Partition.cpp - outline what runs on a target into kernels ---------===//

#include "sparsam/Transforms.h"

#include "isa/Isa.h"
#include "sattn/Sattn.h"

#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_PARTITION
#include "sparsam/SattnPasses.h.inc"

namespace {

StringAttr getText(Operation *op, StringRef attribute) {
  return dyn_cast_if_present<StringAttr>(op->getDiscardableAttr(attribute));
}

/// Ops of one block that become one kernel.
struct Group {
  SmallVector<Operation *> ops; ///< in order
  StringAttr target;

  bool contains(Operation *op) const { return llvm::is_contained(ops, op); }
  Operation *front() const { return ops.front(); }

  /// Values from outside, in order of their use.
  SmallVector<Value> inputs() const {
    SetVector<Value> values;
    for (Operation *op : ops)
      for (Value operand : op->getOperands())
        if (!operand.getDefiningOp() || !contains(operand.getDefiningOp()))
          values.insert(operand);
    return values.takeVector();
  }

  /// Results that are used outside.
  SmallVector<Value> outputs() const {
    SmallVector<Value> values;
    for (Operation *op : ops)
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !contains(user); }))
          values.push_back(result);
    return values;
  }
};

/// The operands of a kernel of one op are the op's, in order and with repetitions: a lowering can
/// tell them apart by their position.
SmallVector<Value> getArguments(const Group &group) {
  if (group.ops.size() == 1)
    return llvm::to_vector(group.front()->getOperands());
  return group.inputs();
}

SmallVector<Value> getResults(const Group &group) {
  if (group.ops.size() == 1)
    return SmallVector<Value>(group.front()->getResults());
  return group.outputs();
}

/// An op outside of the group that needs one of its results and that one of its ops needs; null if
/// there is none.
Operation *findBetween(const Group &group) {
  // In a block that is in order, what depends on the group comes after its first op.
  SetVector<Operation *> dependent;
  for (Operation *op = group.front(); op != group.ops.back(); op = op->getNextNode()) {
    bool isInside = group.contains(op);
    bool depends = llvm::any_of(op->getOperands(), [&](Value operand) {
      Operation *source = operand.getDefiningOp();
      return source && (dependent.contains(source) || (!isInside && group.contains(source)));
    });
    if (depends && !isInside)
      dependent.insert(op);
  }
  for (Operation *op : group.ops)
    for (Value operand : op->getOperands())
      if (operand.getDefiningOp() && dependent.contains(operand.getDefiningOp()))
        return operand.getDefiningOp();
  return nullptr;
}

/// Makes a kernel that computes the group's results from its arguments.
isa::KernelOp outline(const Group &group, StringRef name, Operation *before) {
  OpBuilder builder(before);
  SmallVector<Value> arguments = getArguments(group), results = getResults(group);
  auto type =
      builder.getFunctionType(TypeRange(ValueRange(arguments)), TypeRange(ValueRange(results)));
  Location loc = group.front()->getLoc();
  auto kernel =
      isa::KernelOp::create(builder, loc, builder.getStringAttr(name), TypeAttr::get(type),
                            group.target, /*sym_visibility=*/StringAttr(),
                            /*arg_attrs=*/ArrayAttr(), /*res_attrs=*/ArrayAttr());
  Block *body = builder.createBlock(&kernel.getBody(), {}, type.getInputs(),
                                    SmallVector<Location>(type.getNumInputs(), loc));
  IRMapping mapping;
  if (group.ops.size() > 1)
    mapping.map(arguments, body->getArguments());
  for (Operation *op : group.ops) {
    Operation *inside = builder.clone(*op, mapping);
    if (group.ops.size() == 1)
      inside->setOperands(body->getArguments());
    inside->removeDiscardableAttr(kTargetAttr);
    inside->removeDiscardableAttr(kKernelAttr);
    if (group.ops.size() == 1)
      mapping.map(op->getResults(), inside->getResults());
  }
  SmallVector<Value> returned =
      llvm::map_to_vector(results, [&](Value value) { return mapping.lookup(value); });
  isa::ReturnOp::create(builder, loc, returned);
  return kernel;
}

struct Partition : impl::PartitionBase<Partition> {
  using PartitionBase::PartitionBase;

  void runOnOperation() override {
    llvm::MapVector<std::pair<Block *, Attribute>, Group> groups;
    SmallVector<Group> all;
    getOperation().walk([&](Operation *op) {
      StringAttr target = getText(op, kTargetAttr);
      bool ownSymbols = SymbolTable::getNearestSymbolTable(op) == getOperation();
      if (!target || !ownSymbols || op->getParentOfType<isa::KernelOp>())
        return;
      StringAttr kernel = getText(op, kKernelAttr);
      Group &group = kernel ? groups[{op->getBlock(), kernel}] : all.emplace_back();
      group.ops.push_back(op);
      if (!group.target)
        group.target = target;
    });
    for (auto &[key, group] : groups)
      all.push_back(std::move(group));
    SymbolTable symbols(getOperation());
    for (const Group &group : all)
      if (failed(partition(group, symbols)))
        return signalPassFailure();
  }

private:
  /// What the group is called, or "attention" made unique.
  static std::string chooseName(const Group &group, const SymbolTable &symbols) {
    for (StringRef attribute : {StringRef(kKernelAttr), StringRef(sattn::kNameAttr)})
      if (StringAttr name = getText(group.front(), attribute))
        return name.str();
    std::string name = "attention";
    for (unsigned suffix = 0; symbols.lookup(name); ++suffix)
      name = "attention_" + std::to_string(suffix);
    return name;
  }

  static LogicalResult check(const Group &group, StringRef name, const SymbolTable &symbols) {
    if (Operation *other = symbols.lookup(name)) {
      bool isKernel = bool(getText(group.front(), kKernelAttr));
      InFlightDiagnostic error =
          group.front()->emitOpError()
          << "is called '" << name << "' (`"
          << (isKernel ? StringRef(kKernelAttr) : StringRef(sattn::kNameAttr))
          << "`), which is taken";
      error.attachNote(other->getLoc()) << "already called that";
      return error;
    }
    auto module = group.front()->getParentOfType<ModuleOp>();
    auto arch = module->getAttrOfType<isa::ArchAttr>(isa::kArchAttr);
    if (arch && arch.getTarget() != group.target.getValue())
      return group.front()->emitOpError() << "is to run on '" << group.target.getValue() << "' (`"
                                          << kTargetAttr << "`), but the module is compiled for '"
                                          << arch.getTarget() << "' (`" << isa::kArchAttr << "`)";
    for (Operation *op : group.ops)
      if (getText(op, kTargetAttr) != group.target)
        return op->emitOpError() << "runs on '" << getText(op, kTargetAttr).getValue()
                                 << "', but other ops of kernel '" << name << "' run on '"
                                 << group.target.getValue() << "'";
    if (Operation *between = findBetween(group)) {
      InFlightDiagnostic error = between->emitOpError()
                                 << "lies between ops of kernel '" << name
                                 << "' but is no part of it; a kernel runs in one launch";
      error.attachNote(group.front()->getLoc()) << "the kernel's first op";
      return error;
    }
    return success();
  }

  LogicalResult partition(const Group &group, SymbolTable &symbols) {
    std::string name = chooseName(group, symbols);
    if (failed(check(group, name, symbols)))
      return failure();
    Operation *function = group.front();
    while (function->getParentOp() != getOperation())
      function = function->getParentOp();
    symbols.insert(outline(group, name, function));
    SmallVector<Value> results = getResults(group);
    OpBuilder builder(group.ops.back());
    auto launch = isa::LaunchOp::create(builder, group.front()->getLoc(),
                                        TypeRange(ValueRange(results)), name, getArguments(group));
    for (auto [result, replacement] : llvm::zip_equal(results, launch.getOutputs()))
      result.replaceAllUsesWith(replacement);
    Block *block = launch->getBlock();
    for (Operation *op : llvm::reverse(group.ops))
      op->erase();
    // Users of the first results may stand before the launch.
    if (group.ops.size() > 1)
      sortTopologically(block);
    return success();
  }
};

} // namespace
} // namespace sparsam
