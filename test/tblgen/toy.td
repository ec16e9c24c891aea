// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A small ISA for the tests of sparsam-tblgen. Macros choose what is wrong with it.
// RUN: sparsam-tblgen -gen-isa-model %includes %s | FileCheck %s --check-prefix=MODEL
// RUN: sparsam-tblgen -gen-isa-encoder %includes %s | FileCheck %s --check-prefix=ENCODER
// RUN: sparsam-tblgen -gen-isa-doc %includes %s | FileCheck %s --check-prefix=DOC
// RUN: not sparsam-tblgen -gen-isa-model %includes -D OPCODE_TAKEN %s 2>&1 | FileCheck %s --check-prefix=OPCODE_TAKEN
// RUN: not sparsam-tblgen -gen-isa-model %includes -D OPCODE_LOW %s 2>&1 | FileCheck %s --check-prefix=OPCODE_LOW
// RUN: not sparsam-tblgen -gen-isa-model %includes -D RANGE %s 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not sparsam-tblgen -gen-isa-model %includes -D FORM %s 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not sparsam-tblgen -gen-isa-model %includes -D VARIADIC %s 2>&1 | FileCheck %s --check-prefix=VARIADIC
// RUN: not sparsam-tblgen -gen-isa-model %includes -D RESULT %s 2>&1 | FileCheck %s --check-prefix=RESULT
// RUN: not sparsam-tblgen -gen-isa-model %includes -D EMPTY %s 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: not sparsam-tblgen -gen-isa-model %includes -D CASE %s 2>&1 | FileCheck %s --check-prefix=CASE
// RUN: not sparsam-tblgen -gen-isa-model %includes -D LONG %s 2>&1 | FileCheck %s --check-prefix=LONG

include "isa/IsaBase.td"

def Toy_Dialect : Dialect {
  let name = "toy";
  let cppNamespace = "::sparsam::toy";
  let summary = "A machine for tests";
}
def Toy_Tile : ISA_Tile<"buffer", "tile in the buffer">;

// MODEL: namespace sparsam::toy
// MODEL: struct Move
// MODEL: uint16_t source
// ENCODER: uint8_t MoveOp::getOpcode() { return 16; }
// ENCODER: MoveOp::encode
// DOC: toy
// DOC: move
// DOC: Move a tile
// EMPTY: the file defines no instruction (ISA_Instruction)
#ifndef EMPTY
def Toy_MoveOp : ISA_Instruction<Toy_Dialect, "move", 0x10> {
  let summary = "Move a tile";
  let arguments = (ins Toy_Tile:$source, Toy_Tile:$destination, ISA_UInt<4, 1, 8>:$times);
}
#endif

#ifdef OPCODE_TAKEN
// OPCODE_TAKEN: opcode 0x10 is already that of 'move'
def Toy_OtherOp : ISA_Instruction<Toy_Dialect, "other", 0x10>;
#endif
#ifdef OPCODE_LOW
// OPCODE_LOW: opcode 3 of 'other' is not in [16, 255]; opcodes below 16 belong to the command processor
def Toy_OtherOp : ISA_Instruction<Toy_Dialect, "other", 0x03>;
#endif
#ifdef RANGE
// RANGE: range [0, 16] of 'count' does not fit into 4 bits
def Toy_OtherOp : ISA_Instruction<Toy_Dialect, "other", 0x11> {
  let arguments = (ins ISA_UInt<4, 0, 16>:$count);
}
#endif
#ifdef FORM
// FORM: 'count' has no binary form; declare it with one of the ISA_ classes of isa/IsaBase.td
def Toy_OtherOp : ISA_Instruction<Toy_Dialect, "other", 0x11> {
  let arguments = (ins I64Attr:$count);
}
#endif
#ifdef VARIADIC
// VARIADIC: 'tiles' is variadic; instructions have a fixed number of operands
def Toy_OtherOp : ISA_Instruction<Toy_Dialect, "other", 0x11> {
  let arguments = (ins Variadic<Toy_Tile>:$tiles);
}
#endif
#ifdef RESULT
// RESULT: result 'tile' must be an ISA_Counter
def Toy_OtherOp : ISA_Instruction<Toy_Dialect, "other", 0x11> {
  let results = (outs Toy_Tile:$tile);
}
#endif
#ifdef CASE
// CASE: case 'far' of 'mode' does not fit into 1 bits
def Toy_Mode : I32EnumAttr<"Mode", "How to move", [I32EnumAttrCase<"near", 0>, I32EnumAttrCase<"far", 2>]>;
def Toy_ModeAttr : EnumAttr<Toy_Dialect, Toy_Mode, "mode">;
def Toy_OtherOp : ISA_Instruction<Toy_Dialect, "other", 0x11> {
  let arguments = (ins ISA_Choice<Toy_ModeAttr, 1>:$mode);
}
#endif
#ifdef LONG
// LONG: 'other' needs more than 255 words
def Toy_OtherOp : ISA_Instruction<Toy_Dialect, "other", 0x11> {
  let arguments = !dag(ins, !listsplat(ISA_Float, 256), !foreach(i, !range(256), "number" # i));
}
#endif
