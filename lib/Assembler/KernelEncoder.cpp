// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelEncoder.cpp - command words and descriptors of a kernel ------===//

#include "Assembler/KernelEncoder.h"

#include "sparsam/Target.h"

#include <limits>
#include <map>

using namespace mlir;

namespace sparsam {

namespace {

/// Opcodes of the command processor itself.
enum : uint8_t { kEnd = 0x00, kLoopConst = 0x01, kLoopCounter = 0x02, kLoopEnd = 0x03 };

/// Memory numbers of descriptors that are no on-chip memory.
enum : unsigned { kNumber = 0, kDramMemory = 1, kFirstMemory = 2 };

/// Loops around `op`, inside of the kernel.
unsigned getDepth(Operation *op) {
  unsigned depth = 0;
  for (; llvm::isa_and_nonnull<isa::LoopOp>(op->getParentOp()); op = op->getParentOp())
    ++depth;
  return depth;
}

class KernelEncoder : public isa::Encoder {
public:
  explicit KernelEncoder(isa::KernelOp kernel) : kernel(kernel) {}

  FailureOr<KernelImage> run() {
    if (failed(listMemories()) || failed(encodeBlock(kernel.getBody().front())))
      return failure();
    image.words = getWords();
    return std::move(image);
  }

private:
  //===-- Memories ---------------------------------------------------------===//

  LogicalResult listMemories() {
    FailureOr<std::map<std::string, Target::MemoryInfo>> memories = getMemories(kernel);
    if (failed(memories))
      return failure();
    for (const auto &[name, memory] : *memories)
      image.memories.push_back({name, memory.elementBits, 0});
    auto visit = [&](isa::AllocOp alloc) -> WalkResult {
      auto type = cast<MemRefType>(alloc.getBuffer().getType());
      unsigned number = findMemory(isa::getMemoryName(type));
      if (number == 0)
        return alloc.emitOpError()
               << "reserves in a memory that '" << kernel.getTarget() << "' does not have";
      if (!alloc.getOffset())
        return alloc.emitOpError("has no offset; run isa-allocate-buffers");
      int64_t &elements = image.memories[number - kFirstMemory].elements;
      elements = std::max(elements, int64_t(*alloc.getOffset()) + type.getNumElements());
      return WalkResult::advance();
    };
    return success(!kernel.walk(visit).wasInterrupted());
  }

  /// The number of a memory in descriptors; 0 if the machine does not have it.
  unsigned findMemory(StringRef name) const {
    for (auto [number, memory] : llvm::enumerate(image.memories))
      if (memory.name == name)
        return number + kFirstMemory;
    return 0;
  }

  //===-- Words ------------------------------------------------------------===//

  LogicalResult encodeBlock(Block &block) {
    for (Operation &op : block)
      if (failed(encodeOp(op)))
        return failure();
    return success();
  }

  LogicalResult encodeOp(Operation &op) {
    if (auto loop = dyn_cast<isa::LoopOp>(op))
      return encodeLoop(loop);
    if (auto instruction = dyn_cast<isa::InstructionOpInterface>(op))
      return instruction.encode(*this);
    if (llvm::isa<isa::ViewOp, isa::IndexOp, isa::AllocOp, isa::EndOp>(op))
      return success(); // written where they are used
    if (!llvm::isa<isa::ReturnOp>(op))
      return op.emitOpError("has no binary form; the kernel is not in machine form");
    begin(kEnd);
    end();
    return success();
  }

  LogicalResult encodeLoop(isa::LoopOp loop) {
    if (loop.getCounter()) {
      begin(kLoopCounter);
      if (failed(counter(loop.getCounter())))
        return failure();
    } else {
      begin(kLoopConst);
      field(uint64_t(*loop.getCount()), 32);
    }
    end();
    if (failed(encodeBlock(loop.getBody().front())))
      return failure();
    begin(kLoopEnd);
    end();
    return success();
  }

  //===-- Operands ---------------------------------------------------------===//

  FailureOr<uint8_t> getCounter(Value value) override {
    constexpr size_t kRegisters = 16;
    auto [it, isNew] = registers.try_emplace(value, uint8_t(registers.size()));
    if (isNew && registers.size() > kRegisters)
      return emitError(value.getLoc())
             << "kernel '" << kernel.getSymName() << "' needs more than the " << kRegisters
             << " counter registers of the command processor";
    return it->second;
  }

  FailureOr<uint16_t> getDescriptor(Value value) override {
    auto it = numbers.find(value);
    if (it != numbers.end())
      return it->second;
    FailureOr<DescriptorImage> descriptor = describe(value);
    if (failed(descriptor))
      return failure();
    auto [same, isNew] = known.try_emplace(*descriptor, image.descriptors.size());
    constexpr size_t kMaxDescriptors = 0xffff; // the last number means absent
    if (same->second >= kMaxDescriptors)
      return emitError(value.getLoc()) << "kernel '" << kernel.getSymName() << "' needs more than "
                                       << kMaxDescriptors << " address descriptors";
    if (isNew)
      image.descriptors.push_back(*descriptor);
    return numbers[value] = uint16_t(same->second);
  }

  FailureOr<DescriptorImage> describe(Value value) {
    if (auto view = value.getDefiningOp<isa::ViewOp>())
      return describeView(view);
    DescriptorImage descriptor;
    auto index = value.getDefiningOp<isa::IndexOp>();
    if (!index)
      return emitError(value.getLoc())
             << "expects an operand made by isa.view or isa.index in kernel '"
             << kernel.getSymName() << "'";
    if (failed(addTerms(index, index.getMap().getResult(0), index.getCounters(), 1, 0, descriptor)))
      return failure();
    return descriptor;
  }

  FailureOr<DescriptorImage> describeView(isa::ViewOp view) {
    auto source = cast<MemRefType>(view.getSource().getType());
    auto tile = cast<MemRefType>(view.getTile().getType());
    DescriptorImage descriptor;
    if (failed(locate(view, descriptor)))
      return failure();
    const int64_t rank = source.getRank();
    descriptor.rows = tile.getDimSize(0);
    descriptor.cols = tile.getDimSize(1);
    descriptor.rowStride = source.getDimSize(rank - 1);
    descriptor.rowLimit = source.getDimSize(rank - 2);
    int64_t stride = 1;
    for (int64_t dim = rank - 1; dim >= 0; --dim) {
      int64_t rowScale = dim == rank - 2 ? 1 : 0;
      if (failed(addTerms(view, view.getMap().getResult(dim), view.getCounters(), stride, rowScale,
                          descriptor)))
        return failure();
      stride *= source.getDimSize(dim);
    }
    return checkWidths(view, descriptor);
  }

  /// Memory, binding and start of a view's source.
  LogicalResult locate(isa::ViewOp view, DescriptorImage &descriptor) {
    if (auto alloc = view.getSource().getDefiningOp<isa::AllocOp>()) {
      descriptor.memory =
          findMemory(isa::getMemoryName(cast<MemRefType>(alloc.getBuffer().getType())));
      descriptor.base = int64_t(*alloc.getOffset());
      return success();
    }
    auto argument = dyn_cast<BlockArgument>(view.getSource());
    if (!argument || argument.getOwner() != &kernel.getBody().front())
      return view.emitOpError("needs an isa.alloc or an argument of the kernel as source");
    descriptor.memory = kDramMemory;
    descriptor.binding = argument.getArgNumber();
    return success();
  }

  /// Adds `expr * stride` to the address and `expr * rowScale` to the row.
  LogicalResult addTerms(Operation *op, AffineExpr expr, OperandRange counters, int64_t stride,
                         int64_t rowScale, DescriptorImage &descriptor) {
    FailureOr<isa::AddressSum> sum = isa::readAddress(expr, counters.size()); // verified by the op
    descriptor.base += sum->constant * stride;
    descriptor.rowBase += sum->constant * rowScale;
    for (auto [number, terms] : llvm::enumerate(sum->terms)) {
      Operation *loop = cast<BlockArgument>(counters[number]).getOwner()->getParentOp();
      DescriptorImage::Term &term = descriptor.terms[getDepth(loop)];
      for (const isa::AddressTerm &part : terms) {
        if (part.coefficient == 0)
          continue;
        bool isUsed = term.stride != 0 || term.rowStep != 0;
        if (isUsed && term.modulus != part.modulus)
          return op->emitOpError("uses a loop counter with and without a modulus, or with two; an "
                                 "address generator has one modulus for each counter");
        term.modulus = part.modulus;
        term.stride += part.coefficient * stride;
        term.rowStep += part.coefficient * rowScale;
      }
    }
    return success();
  }

  FailureOr<DescriptorImage> checkWidths(isa::ViewOp view, const DescriptorImage &descriptor) {
    constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
    bool fits = descriptor.rows <= kMax && descriptor.cols <= kMax && descriptor.rowLimit <= kMax &&
                std::abs(descriptor.rowBase) <= kMax;
    for (const DescriptorImage::Term &term : descriptor.terms)
      fits &= std::abs(term.rowStep) <= kMax && term.modulus <= kMax;
    if (!fits)
      return view.emitOpError() << "has rows or columns beyond " << kMax
                                << ", the widest an address descriptor holds";
    return descriptor;
  }

  isa::KernelOp kernel;
  KernelImage image;
  std::map<DescriptorImage, size_t> known; ///< index in the image
  llvm::DenseMap<Value, uint16_t> numbers;
  llvm::DenseMap<Value, uint8_t> registers;
};

} // namespace

FailureOr<KernelImage> encodeKernel(isa::KernelOp kernel) {
  if (!kernel.isMachineForm())
    return kernel.emitOpError("is not in machine form; lower it to its target first");
  return KernelEncoder(kernel).run();
}

} // namespace sparsam
