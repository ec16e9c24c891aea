// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - passes over kernels in machine form --------------------===//
#ifndef SPARSAM_ASSEMBLER_PASSES
#define SPARSAM_ASSEMBLER_PASSES

include "mlir/Pass/PassBase.td"

def AllocateBuffers : Pass<"isa-allocate-buffers", "::mlir::ModuleOp"> {
  let summary = "Place the buffers of kernels in the memories of the machine";
  let description = [{
    Gives every `isa.alloc` of a kernel in machine form its offset. Buffers of one memory lie one after the other: all of
    them live as long as the kernel, because the next head's transfers start while this head is worked on.

    Where a memory is too small for both slots of its `double_buffer`s, they get one slot: transfers then wait until the
    slot is free, results stay the same. What does not fit even so is an error that names the buffers, the memory's size and
    the parameter it comes from.

    ```mlir
    // in
    %k = isa.alloc double_buffer : memref<2x64x64xi16, #isa.memory<"value">>
    // out, in a memory of 8 KB
    %k = isa.alloc at 0 : memref<1x64x64xi16, #isa.memory<"value">>
    ```
  }];
  let dependentDialects = ["::sparsam::isa::IsaDialect"];
}

def Assemble : Pass<"isa-assemble", "::mlir::ModuleOp"> {
  let summary = "Write the program file of a module";
  let description = [{
    What `sparsam compile` does last: `main` becomes the stages of a program, its kernels become command words, constants
    are copied. Kernels must be in machine form with their buffers placed. The module stays as it is. Nothing is left under
    the file's name if something is wrong.

    ```
    sparsam-opt lowered.mlir --isa-allocate-buffers --isa-assemble="output=model.spx"
    ```
  }];
  let options = [Option<"output", "output", "std::string", "", "The program file to write">];
  let dependentDialects = ["::sparsam::isa::IsaDialect"];
}

#endif // SPARSAM_ASSEMBLER_PASSES
