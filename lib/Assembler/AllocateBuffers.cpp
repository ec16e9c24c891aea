// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- AllocateBuffers.cpp - place buffers in memories --------------------===//

#include "sparsam/IsaPasses.h"
#include "sparsam/Target.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace sparsam {
#define GEN_PASS_DEF_ALLOCATEBUFFERS
#include "sparsam/IsaPasses.h.inc"

namespace {

int64_t getElements(isa::AllocOp alloc) {
  return cast<MemRefType>(alloc.getBuffer().getType()).getNumElements();
}

int64_t toBytes(int64_t elements, unsigned bits) { return (elements * bits + 7) / 8; }

/// Gives up the second slot: every view then addresses slot 0.
void makeSingle(isa::AllocOp alloc) {
  auto type = cast<MemRefType>(alloc.getBuffer().getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[0] = 1;
  alloc.getBuffer().setType(
      MemRefType::get(shape, type.getElementType(), type.getLayout(), type.getMemorySpace()));
  alloc.setDoubleBuffer(false);
  for (Operation *user : alloc->getUsers())
    if (auto view = dyn_cast<isa::ViewOp>(user)) {
      AffineMap map = view.getMap();
      SmallVector<AffineExpr> results(map.getResults());
      results[0] = getAffineConstantExpr(0, map.getContext());
      view.setMap(AffineMap::get(map.getNumDims(), 0, results, map.getContext()));
    }
}

struct AllocateBuffers : impl::AllocateBuffersBase<AllocateBuffers> {
  using AllocateBuffersBase::AllocateBuffersBase;

  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<isa::KernelOp>())
      if (kernel.isMachineForm() && failed(allocate(kernel)))
        return signalPassFailure();
  }

private:
  /// A memory that is too small for its buffers.
  struct Shortage {
    StringRef name;
    Target::MemoryInfo memory;
    int64_t needed;
    ArrayRef<isa::AllocOp> allocs;
  };

  LogicalResult allocate(isa::KernelOp kernel) {
    FailureOr<std::map<std::string, Target::MemoryInfo>> memories = getMemories(kernel);
    if (failed(memories))
      return failure();
    llvm::MapVector<StringRef, SmallVector<isa::AllocOp>> buffers;
    kernel.walk([&](isa::AllocOp alloc) {
      buffers[isa::getMemoryName(cast<MemRefType>(alloc.getBuffer().getType()))].push_back(alloc);
    });
    SmallVector<Shortage> shortages;
    for (auto &[name, allocs] : buffers) {
      auto it = memories->find(name.str());
      if (it == memories->end())
        return allocs.front().emitOpError() << "reserves in memory '" << name << "', which '"
                                            << kernel.getTarget() << "' does not have";
      if (int64_t needed = place(it->second, allocs))
        shortages.push_back({name, it->second, needed, allocs});
    }
    return shortages.empty() ? success() : refuse(kernel, shortages);
  }

  /// Gives the buffers their places; returns 0, or the bytes they need if these are too many.
  int64_t place(const Target::MemoryInfo &memory, ArrayRef<isa::AllocOp> allocs) {
    auto needed = [&] {
      int64_t elements = 0;
      for (isa::AllocOp alloc : allocs)
        elements += getElements(alloc);
      return toBytes(elements, memory.elementBits);
    };
    auto fits = [&] { return memory.bytes < 0 || needed() <= memory.bytes; };
    for (isa::AllocOp alloc : allocs) {
      if (fits())
        break;
      if (!alloc.getDoubleBuffer())
        continue;
      makeSingle(alloc);
    }
    if (!fits())
      return needed();
    int64_t offset = 0;
    for (isa::AllocOp alloc : allocs) {
      alloc.setOffset(offset);
      offset += getElements(alloc);
    }
    return 0;
  }

  /// Names all memories at once: who raises one would only meet the next.
  LogicalResult refuse(isa::KernelOp kernel, ArrayRef<Shortage> shortages) {
    InFlightDiagnostic error = emitError(kernel.getLoc());
    error << "kernel '" << kernel.getSymName() << "' needs ";
    llvm::interleaveComma(shortages, error, [&](const Shortage &s) {
      error << s.needed << " bytes of memory '" << s.name << "', which has " << s.memory.bytes
            << " (parameter '" << s.memory.parameter << "')";
    });
    error << "; raise " << (shortages.size() == 1 ? "it" : "them") << " (";
    llvm::interleave(
        shortages, error,
        [&](const Shortage &s) { error << "--set " << s.memory.parameter << "=" << s.needed; },
        " ");
    error << ")";
    for (const Shortage &shortage : shortages)
      for (isa::AllocOp alloc : shortage.allocs)
        error.attachNote(alloc.getLoc())
            << "buffer of " << alloc.getBuffer().getType() << ": "
            << toBytes(getElements(alloc), shortage.memory.elementBits) << " bytes";
    return error;
  }
};

} // namespace
} // namespace sparsam
