# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints a kernel of so many instructions, each of which works on a number of its own."""

import sys

DRAM = 'memref<4xf32, #isa.memory<"dram">>'
print(f'isa.kernel @k(%x: {DRAM}, %y: {DRAM}) attributes {{target = "sanger"}} {{')
for number in range(int(sys.argv[1])):
    print(f"  %n{number} = isa.index affine_map<() -> ({number})>()")
    print(f"  sanger.select_head<predict> %n{number}")
print("  isa.return")
print("}")
print("func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {")
print("  %y = isa.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>")
print("  return %y : tensor<4xf32>")
print("}")
