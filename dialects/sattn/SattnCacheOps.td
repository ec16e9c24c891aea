// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- SattnCacheOps.td - caches that grow from run to run ----------------===//
//
// Included by SattnOps.td.
//
#ifndef SPARSAM_SATTN_CACHE_OPS
#define SPARSAM_SATTN_CACHE_OPS

def Sattn_CacheAppendOp : Sattn_Op<"cache_append", [AllTypesMatch<["cache", "result"]>]> {
  let summary = "Append tokens to a cache of keys or values";
  let description = [{
    The cache [batch, heads, capacity, size] with its tokens from `length` on replaced by `tokens`; the tokens before are
    those that exist. Where length + tokens exceeds the capacity, the program refuses to run. A cache that is an argument
    with the attribute `sattn.state` is overwritten in place: nothing else may use it then.

    ```mlir
    %c = sattn.cache_append %cache, %tokens at %length : tensor<1x12x1024x64xf32>, tensor<1x12x1x64xf32> at tensor<i64>
    ```
  }];
  let arguments = (ins Sattn_F32Tensor4:$cache, Sattn_F32Tensor4:$tokens, Sattn_CountTensor:$length);
  let results = (outs Sattn_F32Tensor4:$result);
  let assemblyFormat = "$cache `,` $tokens `at` $length attr-dict `:` type($cache) `,` type($tokens) `at` type($length)";
  let hasVerifier = 1;
}

#endif // SPARSAM_SATTN_CACHE_OPS
