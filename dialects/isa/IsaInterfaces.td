// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- IsaInterfaces.td - interface of everything that has a binary form -===//
#ifndef SPARSAM_ISA_INTERFACES
#define SPARSAM_ISA_INTERFACES

include "mlir/IR/OpBase.td"

def ISA_InstructionOpInterface : OpInterface<"InstructionOpInterface"> {
  let cppNamespace = "::sparsam::isa";
  let description = [{
    An op that assembles to one instruction word group. `sparsam-tblgen -gen-isa-encoder` implements the
    methods from the op's ODS definition: operand order, field widths and ranges are written nowhere else.
  }];
  let methods = [
    InterfaceMethod<"The opcode: byte 0 of the first command word.", "uint8_t", "getOpcode">,
    InterfaceMethod<"Appends the command words; operands are encoded through `encoder`.",
      "::llvm::LogicalResult", "encode", (ins "::sparsam::isa::Encoder &":$encoder)>,
  ];
}

#endif // SPARSAM_ISA_INTERFACES
