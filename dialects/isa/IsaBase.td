// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- IsaBase.td - classes from which target instructions are built ------===//
//
// A target's ISA is its MLIR dialect. Its .td file includes this file, derives its instructions from
// ISA_Instruction and declares operands and fields with the classes below. Each of them says how it is
// encoded (`isaKind`, `isaBits`); sparsam-tblgen reads that and nothing else.
//
#ifndef SPARSAM_ISA_BASE
#define SPARSAM_ISA_BASE

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "isa/IsaInterfaces.td"

def Isa_Dialect : Dialect {
  let name = "isa";
  let cppNamespace = "::sparsam::isa";
  let summary = "What all command processors share";
  let description = [{
    Counted hardware loops with affine addresses, buffers in named on-chip memories, kernels and their
    launch, and the classes from which the instructions of a target are defined. A program must not grow
    with heads or tiles: whatever repeats is a loop, and every operand's address is an affine function of
    the loop counters, evaluated by the address generators of the machine.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
}

//===-- Fields: attributes with a width ------------------------------------===//

// An unsigned number of `width` bits in [min, max].
class ISA_UInt<int width, int min, int max> : ConfinedAttr<I64Attr, [IntMinValue<min>, IntMaxValue<max>]> {
  int isaBits = width;
  string isaKind = "uint";
  int isaMin = min;
  int isaMax = max;
}

// An IEEE single.
def ISA_Float : ConfinedAttr<F32Attr, []> {
  int isaBits = 32;
  string isaKind = "float";
}

// A flag.
def ISA_Flag : ConfinedAttr<BoolAttr, []> {
  int isaBits = 1;
  string isaKind = "flag";
}

// One of the cases of `enum` (an EnumAttr of the target's dialect).
class ISA_Choice<EnumAttr attr, int width> : ConfinedAttr<attr, []> {
  int isaBits = width;
  string isaKind = "choice";
  EnumAttr isaEnum = attr;
}

//===-- Operands -----------------------------------------------------------===//

// A tile in the named on-chip memory (`"dram"`: a tensor of the kernel's bindings). Encoded as the index
// of an address descriptor.
class ISA_Tile<string memory, string sentence> : Type<
    And<[IsMemRefTypePred, CPred<"::sparsam::isa::isInMemory($_self, \"" # memory # "\")">]>,
    sentence, "::mlir::MemRefType"> {
  int isaBits = 16;
  string isaKind = "tile";
  string isaMemory = memory;
}

// A number computed from loop counters by `isa.index`. Encoded as the index of an address descriptor.
class ISA_Index<string sentence> : Type<Index.predicate, sentence, "::mlir::IndexType">,
    BuildableType<"$_builder.getIndexType()"> {
  int isaBits = 16;
  string isaKind = "index";
}

// A run-time number in a counter register, made by one instruction and used as the trip count of a loop.
def ISA_Counter : Type<Index.predicate, "a counter register", "::mlir::IndexType">,
    BuildableType<"$_builder.getIndexType()"> {
  int isaBits = 8;
  string isaKind = "counter";
}

//===-- Instructions -------------------------------------------------------===//

// One instruction of a target. Opcodes 0x00 to 0x0f belong to the command processor itself.
class ISA_Instruction<Dialect dialect, string mnemonic, int opcode, list<Trait> traits = []>
    : Op<dialect, mnemonic, traits # [DeclareOpInterfaceMethods<ISA_InstructionOpInterface>]> {
  int isaOpcode = opcode;
}

#endif // SPARSAM_ISA_BASE
