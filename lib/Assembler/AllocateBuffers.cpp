// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- AllocateBuffers.cpp - place buffers in memories --------------------===//

#include "sparsam/IsaPasses.h"
#include "sparsam/Target.h"

#include "llvm/ADT/MapVector.h"

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
  LogicalResult allocate(isa::KernelOp kernel) {
    FailureOr<std::map<std::string, Target::MemoryInfo>> memories = getMemories(kernel);
    if (failed(memories))
      return failure();
    llvm::MapVector<StringRef, SmallVector<isa::AllocOp>> buffers;
    kernel.walk([&](isa::AllocOp alloc) {
      buffers[isa::getMemoryName(cast<MemRefType>(alloc.getBuffer().getType()))].push_back(alloc);
    });
    for (auto &[name, allocs] : buffers) {
      auto it = memories->find(name.str());
      if (it == memories->end())
        return allocs.front().emitOpError() << "reserves in memory '" << name << "', which '"
                                            << kernel.getTarget() << "' does not have";
      if (failed(place(name, it->second, allocs)))
        return failure();
    }
    return success();
  }

  LogicalResult place(StringRef name, const Target::MemoryInfo &memory,
                      ArrayRef<isa::AllocOp> allocs) {
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
      return refuse(name, memory, allocs, needed());
    int64_t offset = 0;
    for (isa::AllocOp alloc : allocs) {
      alloc.setOffset(offset);
      offset += getElements(alloc);
    }
    return success();
  }

  LogicalResult refuse(StringRef name, const Target::MemoryInfo &memory,
                       ArrayRef<isa::AllocOp> allocs, int64_t needed) {
    isa::AllocOp first = allocs.front();
    InFlightDiagnostic error = emitError(first->getParentOfType<isa::KernelOp>().getLoc());
    error << "kernel '" << first->getParentOfType<isa::KernelOp>().getSymName() << "' needs "
          << needed << " bytes of memory '" << name << "', which has " << memory.bytes
          << " (parameter '" << memory.parameter << "'); raise it (--set " << memory.parameter
          << "=" << needed << ")";
    for (isa::AllocOp alloc : allocs)
      error.attachNote(alloc.getLoc())
          << "buffer of " << alloc.getBuffer().getType() << ": "
          << toBytes(getElements(alloc), memory.elementBits) << " bytes";
    return error;
  }
};

} // namespace
} // namespace sparsam
