// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- IsaOps.td - kernels, loops, buffers and addresses ------------------===//
#ifndef SPARSAM_ISA_OPS
#define SPARSAM_ISA_OPS

include "isa/IsaBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/CallInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/IR/OpAsmInterface.td"

class Isa_Op<string mnemonic, list<Trait> traits = []> : Op<Isa_Dialect, mnemonic, traits>;
class Isa_Attr<string name, string mnem, list<Trait> traits = []> : AttrDef<Isa_Dialect, name, traits> {
  let mnemonic = mnem;
}

//===-- Attributes ---------------------------------------------------------===//

def Isa_MemoryAttr : Isa_Attr<"Memory", "memory"> {
  let summary = "Name of a memory of the machine, used as memref memory space";
  let description = [{
    `"dram"` is the memory behind the machine's DMA unit and holds the tensors bound to a kernel. Every other
    name is an on-chip memory of the target.

    ```mlir
    memref<64x64xi16, #isa.memory<"key">>
    ```
  }];
  let parameters = (ins StringRefParameter<"memory name">:$name);
  let assemblyFormat = "`<` $name `>`";
}

def Isa_ArchAttr : Isa_Attr<"Arch", "arch"> {
  let summary = "The machine a module is compiled for: target and resolved parameters";
  let description = [{
    Held by the module as `isa.arch`. Verifiers and passes ask it and never a constant. Every parameter of the
    target's arch.yaml is present, with presets and overrides already applied.

    ```mlir
    module attributes {isa.arch = #isa.arch<"machine", {pes = 16 : i64, threshold = 2.000000e-03 : f64}>} {}
    ```
  }];
  let parameters = (ins StringRefParameter<"target name">:$target, "::mlir::DictionaryAttr":$parameters);
  let assemblyFormat = "`<` $target `,` $parameters `>`";
  let extraClassDeclaration = [{
    /// Value of the integer, real, flag or text parameter `name`. Asserts that it exists and has that type:
    /// an ArchAttr is complete by construction.
    int64_t getInteger(::llvm::StringRef name) const;
    double getReal(::llvm::StringRef name) const;
    bool getFlag(::llvm::StringRef name) const;
    ::llvm::StringRef getText(::llvm::StringRef name) const;
  }];
}

//===-- Kernels ------------------------------------------------------------===//

def Isa_KernelOp : Isa_Op<"kernel", [IsolatedFromAbove, FunctionOpInterface, OpAsmOpInterface]> {
  let summary = "Hold what runs on the accelerator in one launch";
  let description = [{
    Comes in two forms. In *tensor form*, made by `sattn-partition`, it takes and returns tensors and its body
    holds `sattn` ops. In *machine form*, made by a `lower-to-<target>` pass, it takes memrefs in `dram`, first
    those of the inputs, then those of the results, and its body holds target instructions and `isa` ops.

    ```mlir
    isa.kernel @k(%x: memref<64x64xf32, #isa.memory<"dram">>) attributes {target = "toy"} {
      isa.return
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
      StrAttr:$target, OptionalAttr<StrAttr>:$sym_visibility,
      OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region AnyRegion:$body);
  let hasCustomAssemblyFormat = 1; // function syntax, as for every FunctionOpInterface op
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    /// True once a lowering has turned tensors into memrefs.
    bool isMachineForm();
  }];
}

def Isa_ReturnOp : Isa_Op<"return", [Pure, HasParent<"KernelOp">, Terminator]> {
  let summary = "End a kernel, in tensor form with its results";
  let description = [{
    ```mlir
    isa.return %o : tensor<1x4x128x16xf32>
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$operands);
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
  let hasVerifier = 1;
}

def Isa_LaunchOp : Isa_Op<"launch", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Run a kernel on tensors";
  let description = [{
    ```mlir
    %o = isa.launch @attention_0(%q, %k, %v) : (tensor<1x4x128x16xf32>, tensor<1x4x128x16xf32>, tensor<1x4x128x16xf32>) -> tensor<1x4x128x16xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<AnyRankedTensor>:$inputs);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let assemblyFormat = "$kernel `(` $inputs `)` attr-dict `:` functional-type($inputs, $outputs)";
}

//===-- Loops --------------------------------------------------------------===//

def Isa_LoopOp : Isa_Op<"loop", [SingleBlockImplicitTerminator<"EndOp">, RecursiveMemoryEffects]> {
  let summary = "Repeat a body a counted number of times";
  let description = [{
    The trip count is a constant, or the value of a counter register that an instruction has written. The block
    argument is the loop counter, from 0. Loops nest at most eight deep. A loop whose count is a register may not
    be used in an affine address except under a modulus, so that every address stays bounded.

    ```mlir
    isa.loop %h to 12 {
      isa.loop %b to counter %blocks {
      }
    }
    ```
  }];
  let arguments = (ins OptionalAttr<ConfinedAttr<I64Attr, [IntMinValue<0>, IntMaxValue<16777215>]>>:$count,
      Optional<Index>:$counter);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1; // the block argument is declared in the loop header
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The loop counter.
    ::mlir::BlockArgument getIv() { return getBody().getArgument(0); }
    static constexpr unsigned kMaxDepth = 8;
  }];
  let builders = [
    OpBuilder<(ins "int64_t":$count)>,
    OpBuilder<(ins "::mlir::Value":$counter)>,
  ];
  let skipDefaultBuilders = 1;
}

def Isa_EndOp : Isa_Op<"end", [Pure, HasParent<"LoopOp">, Terminator]> {
  let summary = "End a loop body";
  let description = [{
    Added by the parser where it is left out.

    ```mlir
    isa.loop %i to 4 {
      isa.end
    }
    ```
  }];
  let assemblyFormat = "attr-dict";
}

//===-- Buffers and addresses ----------------------------------------------===//

def Isa_AllocOp : Isa_Op<"alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "Reserve a buffer in an on-chip memory";
  let description = [{
    The first dimension of the memref is the slot: the n-th iteration of the producing loop uses slot `n mod slots`,
    so a buffer of two slots is a double buffer. Where `double_buffer` is set, one slot would do as well: the program
    never needs the other slot's old contents, two only let transfers overlap with work. `isa-allocate-buffers` takes
    the second slot of such buffers away where the memory is too small, and sets the offset, in elements from the start
    of the memory.

    ```mlir
    %k = isa.alloc at 0 : memref<2x512x64xi16, #isa.memory<"key">>
    %v = isa.alloc double_buffer : memref<2x64x64xi16, #isa.memory<"value">>
    ```
  }];
  let arguments = (ins OptionalAttr<ConfinedAttr<I64Attr, [IntMinValue<0>]>>:$offset, UnitAttr:$double_buffer);
  let results = (outs AnyMemRef:$buffer);
  let assemblyFormat = "(`at` $offset^)? (`double_buffer` $double_buffer^)? attr-dict `:` type($buffer)";
  let hasVerifier = 1;
}

def Isa_ViewOp : Isa_Op<"view", [Pure]> {
  let summary = "Address a tile of a buffer or of a tensor";
  let description = [{
    `map` gives the start of the tile in every dimension of the source, from the loop counters. The result has the
    tile's two-dimensional shape `rows x cols`; the tile lies in the last two dimensions of the source. A tile that
    reaches beyond the source's rows is clipped there: rows outside read as zero and are not written, and the machine
    knows how many rows are valid.

    ```mlir
    %t = isa.view %q [affine_map<(h, t) -> (h, t * 64, 0)>(%h, %t)]
        : memref<12x500x64xf32, #isa.memory<"dram">> to memref<64x64xf32, #isa.memory<"dram">>
    ```
  }];
  let arguments = (ins AnyMemRef:$source, AffineMapAttr:$map, Variadic<Index>:$counters);
  let results = (outs AnyMemRef:$tile);
  let assemblyFormat = "$source `[` $map `(` $counters `)` `]` attr-dict `:` type($source) `to` type($tile)";
  let hasVerifier = 1;
}

def Isa_IndexOp : Isa_Op<"index", [Pure]> {
  let summary = "Compute a number from loop counters";
  let description = [{
    ```mlir
    %n = isa.index affine_map<(h) -> (h - 1)>(%h)
    ```
  }];
  let arguments = (ins AffineMapAttr:$map, Variadic<Index>:$counters);
  let results = (outs Index:$value);
  let assemblyFormat = "$map `(` $counters `)` attr-dict";
  let hasVerifier = 1;
}

#endif // SPARSAM_ISA_OPS
