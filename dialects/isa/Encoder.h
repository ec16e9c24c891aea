// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Encoder.h - command words from instructions ------------------------===//
#ifndef SPARSAM_DIALECTS_ISA_ENCODER_H
#define SPARSAM_DIALECTS_ISA_ENCODER_H

#include "mlir/IR/Value.h"
#include "mlir/Support/LLVM.h"

#include <cstdint>
#include <vector>

namespace sparsam::isa {

/// Packs instructions into command words. Word 0 of a group holds the opcode in byte 0 and the
/// number of words in byte 1; fields follow from bit 16, least significant first; one that does not
/// fit into the rest of a word starts a new one. The generated `encode` methods drive it; what an
/// operand's number is, the assembler says.
class Encoder {
public:
  virtual ~Encoder();

  /// Starts the group of an instruction.
  void begin(uint8_t opcode);
  /// Completes the group: writes its length.
  void end();
  void field(uint64_t value, unsigned bits);
  void real(float value);
  /// Operands; null where an optional one is absent. Errors are emitted at the user.
  mlir::LogicalResult descriptor(mlir::Value value);
  mlir::LogicalResult counter(mlir::Value value);

  const std::vector<uint32_t> &getWords() const { return words; }

protected:
  /// Index of the address descriptor of a tile or a number.
  virtual mlir::FailureOr<uint16_t> getDescriptor(mlir::Value value) = 0;
  /// Register of a counter, chosen when it is first asked for.
  virtual mlir::FailureOr<uint8_t> getCounter(mlir::Value value) = 0;

private:
  std::vector<uint32_t> words;
  size_t groupStart = 0;
  unsigned usedBits = 0; ///< of the last word
};

} // namespace sparsam::isa

#endif // SPARSAM_DIALECTS_ISA_ENCODER_H
