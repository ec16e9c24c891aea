// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Spatten.td - the instruction set of SpAtten ------------------------===//
//
// SpAtten: Efficient Sparse Attention Architecture with Cascade Token and Head Pruning, HPCA 2021.
// The paper defines no instruction set; this one follows the request record of the released RTL (assumed, see the
// target's README).
//
#ifndef SPARSAM_TARGETS_SPATTEN
#define SPARSAM_TARGETS_SPATTEN

include "isa/IsaBase.td"
include "mlir/IR/OpBase.td"

def Spatten_Dialect : Dialect {
  let name = "spatten";
  let cppNamespace = "::sparsam::spatten";
  let summary = "Instructions of the SpAtten accelerator";
  let description = [{
    One query of one head at a time goes through the pipe: fetch of the keys' high bits, Q x K, softmax, decision whether
    the low bits are needed, local top-k, fetch of the kept values, prob x V. Scores of tokens and heads accumulate
    beside it; the token and head top-k engine ranks them when a layer is done.
  }];
  let dependentDialects = ["::sparsam::isa::IsaDialect"];
}

def Spatten_Dram : ISA_Tile<"dram", "tile of a tensor in DRAM">;
def Spatten_Query : ISA_Tile<"query", "12-bit query row in the query registers">;
def Spatten_Key : ISA_Tile<"key", "12-bit rows in the key SRAM">;
def Spatten_Value : ISA_Tile<"value", "12-bit rows in the value SRAM">;
def Spatten_Bias : ISA_Tile<"bias", "row of the additive attention mask">;
def Spatten_Output : ISA_Tile<"output", "12-bit output row">;
def Spatten_Tokens : ISA_Tile<"index", "ascending list of surviving tokens">;
def Spatten_Heads : ISA_Tile<"index", "ascending list of surviving heads">;
def Spatten_Scores : ISA_Tile<"importance", "accumulated scores of tokens or heads">;

class Spatten_Op<string mnemonic, int opcode, list<Trait> traits = []>
    : ISA_Instruction<Spatten_Dialect, mnemonic, opcode, traits>;

//===-- Configuration ------------------------------------------------------===//

def Spatten_ConfigGroup : OpDocGroup { let summary = "Configuration"; let description = ""; }
let opDocGroup = Spatten_ConfigGroup in {

def Spatten_ConfigOp : Spatten_Op<"config", 0x10> {
  let summary = "Set the shape of the attention and its number formats";
  let description = [{
    First instruction of every kernel. Takes no time. `words` false means float32 throughout (dense mode). `values` is the
    number of values kept per row; `allow_lsb` permits a second fetch.

    ```mlir
    spatten.config entries 1 heads 12 queries 1 keys 1024 head_dim 64 scale 0.125 causal false words true msb 6 lsb 4 value_bits 6 threshold 5.0e-2 force_lsb false allow_lsb true values 40 q_range 4.0 k_range 4.0 v_range 2.0
    ```
  }];
  let arguments = (ins ISA_UInt<16, 1, 65535>:$entries, ISA_UInt<16, 1, 65535>:$heads, ISA_UInt<24, 1, 65535>:$queries,
      ISA_UInt<24, 1, 65535>:$keys, ISA_UInt<16, 1, 512>:$head_dim, ISA_Float:$scale, ISA_Flag:$causal, ISA_Flag:$words,
      ISA_UInt<5, 2, 12>:$msb, ISA_UInt<3, 0, 4>:$lsb, ISA_UInt<4, 2, 12>:$value_bits, ISA_Float:$threshold,
      ISA_Flag:$force_lsb, ISA_Flag:$allow_lsb, ISA_UInt<24, 1, 65535>:$values, ISA_Float:$q_range, ISA_Float:$k_range,
      ISA_Float:$v_range);
  let assemblyFormat = "`entries` $entries `heads` $heads `queries` $queries `keys` $keys `head_dim` $head_dim `scale` $scale `causal` $causal `words` $words `msb` $msb `lsb` $lsb `value_bits` $value_bits `threshold` $threshold `force_lsb` $force_lsb `allow_lsb` $allow_lsb `values` $values `q_range` $q_range `k_range` $k_range `v_range` $v_range attr-dict";
  let hasVerifier = 1;
}

def Spatten_BindHeadOp : Spatten_Op<"bind_head", 0x11> {
  let summary = "Tell the pipe which head (entry * heads + head) it works on";
  let description = [{
    Sets the address generators of the head's bit planes: the high bits of its keys lie together, the low bits together
    elsewhere. With a list of surviving heads, the head's number in its entry is a place in the list: keys and values are
    those of the head that stands there, while queries and outputs hold survivors alone. Takes no time.

    ```mlir
    spatten.bind_head %h heads %survivors : memref<1x10xi16, #isa.memory<"index">>
    ```
  }];
  let arguments = (ins ISA_Index<"head number">:$head, Optional<Spatten_Heads>:$heads);
  let assemblyFormat = "$head (`heads` $heads^)? attr-dict (`:` type($heads)^)?";
  let hasVerifier = 1;
}

def Spatten_SetHeadsOp : Spatten_Op<"set_heads", 0x1c> {
  let summary = "Load the list of surviving heads";
  let description = [{
    Ascending numbers among the `of` heads that keys and values of one entry have in DRAM. For `spatten.bind_head`.

    ```mlir
    spatten.set_heads %list to %survivors of 16 : memref<1x10xi64, #isa.memory<"dram">> to memref<1x10xi16, #isa.memory<"index">>
    ```
  }];
  let arguments = (ins Spatten_Dram:$source, Spatten_Heads:$destination, ISA_UInt<16, 1, 65535>:$of);
  let assemblyFormat = "$source `to` $destination `of` $of attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}

def Spatten_SetTokensOp : Spatten_Op<"set_tokens", 0x12> {
  let summary = "Load the list of surviving tokens";
  let description = [{
    Ascending row numbers of keys and values. Loads and queries that name the list fetch these rows alone.

    ```mlir
    spatten.set_tokens %list to %survivors : memref<1x204xi64, #isa.memory<"dram">> to memref<1x204xi16, #isa.memory<"index">>
    ```
  }];
  let arguments = (ins Spatten_Dram:$source, Spatten_Tokens:$destination);
  let assemblyFormat = "$source `to` $destination attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}

def Spatten_SetLengthOp : Spatten_Op<"set_length", 0x1b> {
  let summary = "Set how many tokens exist";
  let description = [{
    For caches that are not full: tokens from there on are neither fetched nor seen, and a causal mask counts from there.
    With a token list, the length counts the list. Takes the latency of the DRAM.

    ```mlir
    spatten.set_length %n : memref<1x1xi64, #isa.memory<"dram">>
    ```
  }];
  let arguments = (ins Spatten_Dram:$length);
  let assemblyFormat = "$length attr-dict `:` type($length)";
  let hasVerifier = 1;
}

def Spatten_ResetScoresOp : Spatten_Op<"reset_scores", 0x13> {
  let summary = "Set accumulated scores to zero";
  let description = "Where a sequence starts, or where sums of one layer are wanted apart. Takes no time.";
  let arguments = (ins Spatten_Scores:$scores);
  let assemblyFormat = "$scores attr-dict `:` type($scores)";
}

} // opDocGroup

//===-- Transfer -----------------------------------------------------------===//

def Spatten_TransferGroup : OpDocGroup { let summary = "Transfer"; let description = ""; }
let opDocGroup = Spatten_TransferGroup in {

def Spatten_LoadScoresOp : Spatten_Op<"load_scores", 0x14> {
  let summary = "Load scores that earlier layers have accumulated";
  let description = "Holds the fetcher for bytes / bandwidth.";
  let arguments = (ins Spatten_Dram:$source, Spatten_Scores:$destination);
  let assemblyFormat = "$source `to` $destination attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}
def Spatten_StoreScoresOp : Spatten_Op<"store_scores", 0x15> {
  let summary = "Store accumulated scores";
  let description = "Holds the store unit for bytes / bandwidth.";
  let arguments = (ins Spatten_Scores:$source, Spatten_Dram:$destination);
  let assemblyFormat = "$source `to` $destination attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}
class Spatten_LoadRowsOp<string what, int opcode, Type buffer> : Spatten_Op<"load_" # what, opcode> {
  let arguments = (ins Spatten_Dram:$source, buffer:$destination, Optional<Spatten_Tokens>:$tokens);
  let assemblyFormat = "$source `to` $destination (`tokens` $tokens^)? attr-dict `:` type($source) `to` type($destination) (`tokens` type($tokens)^)?";
  let hasVerifier = 1;
}
def Spatten_LoadKOp : Spatten_LoadRowsOp<"k", 0x16, Spatten_Key> {
  let summary = "Fill the key SRAM with the rows of a head";
  let description = "For many queries per head. Holds the fetcher until the busiest channel has moved its granules.";
}
def Spatten_LoadVOp : Spatten_LoadRowsOp<"v", 0x17, Spatten_Value> {
  let summary = "Fill the value SRAM with the rows of a head";
  let description = "For many queries per head. Holds the fetcher until the busiest channel has moved its granules.";
}
def Spatten_LoadQOp : Spatten_Op<"load_q", 0x18> {
  let summary = "Load one query row";
  let description = "12 bits per element. Holds the fetcher for bytes / bandwidth.";
  let arguments = (ins Spatten_Dram:$source, Spatten_Query:$destination);
  let assemblyFormat = "$source `to` $destination attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}
def Spatten_LoadBiasOp : Spatten_Op<"load_bias", 0x19> {
  let summary = "Load one row of the additive attention mask";
  let description = "32 bits per key. Holds the fetcher for bytes / bandwidth.";
  let arguments = (ins Spatten_Dram:$source, Spatten_Bias:$destination);
  let assemblyFormat = "$source `to` $destination attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}
def Spatten_StoreOutOp : Spatten_Op<"store_out", 0x1a> {
  let summary = "Store one output row";
  let description = "12 bits per element. Holds the store unit for bytes / bandwidth.";
  let arguments = (ins Spatten_Output:$source, Spatten_Dram:$destination);
  let assemblyFormat = "$source `to` $destination attr-dict `:` type($source) `to` type($destination)";
  let hasVerifier = 1;
}

} // opDocGroup

//===-- Compute ------------------------------------------------------------===//

def Spatten_ComputeGroup : OpDocGroup { let summary = "Compute"; let description = ""; }
let opDocGroup = Spatten_ComputeGroup in {

class Spatten_QueryBaseOp<string mnemonic, int opcode, Type keys, Type values> : Spatten_Op<mnemonic, opcode, [AttrSizedOperandSegments]> {
  let arguments = (ins ISA_Index<"number of the query in its head">:$row, Spatten_Query:$query, keys:$key, values:$value,
      Optional<Spatten_Tokens>:$tokens, Optional<Spatten_Bias>:$bias, Optional<Spatten_Scores>:$token_scores,
      Optional<Spatten_Scores>:$head_scores, Spatten_Output:$output);
  let assemblyFormat = "$row `,` $query `,` $key `,` $value (`tokens` $tokens^)? (`bias` $bias^)? (`token_scores` $token_scores^)? (`head_scores` $head_scores^)? `to` $output attr-dict `:` type($query) `,` type($key) `,` type($value) (`tokens` type($tokens)^)? (`bias` type($bias)^)? (`token_scores` type($token_scores)^)? (`head_scores` type($head_scores)^)? `to` type($output)";
  let hasVerifier = 1;
}
def Spatten_QueryOp : Spatten_QueryBaseOp<"query", 0x20, Spatten_Key, Spatten_Value> {
  let summary = "Take one query through the pipe, keys and values in SRAM";
  let description = [{
    Holds Q x K and softmax for ceil(n / (512 / d)) cycles, twice where the low bits are needed, the local top-k for its
    rounds, and prob x V for ceil(v / (512 / d)).
  }];
}
def Spatten_QueryStreamOp : Spatten_QueryBaseOp<"query_stream", 0x21, Spatten_Dram, Spatten_Dram> {
  let summary = "Take one query through the pipe, keys and values streaming from DRAM";
  let description = [{
    As `spatten.query`, and holds the fetcher for the high bits of the keys, their low bits where they are needed, and the
    values that the local top-k keeps.
  }];
}

def Spatten_TopkTokenOp : Spatten_Op<"topk_token", 0x22> {
  let summary = "Rank tokens by their accumulated scores and store the survivors";
  let description = [{
    Keeps `k` tokens: the first `protect_first` and the last `protect_last`, and those with the largest scores. Runs beside the
    pipe; `sync` waits for it. Holds the engine for its quick-select rounds, ceil(size / P) + 3 each.

    ```mlir
    spatten.topk_token %scores to %list k 3 protect_first 1 protect_last 0 : memref<1x4xf32, #isa.memory<"importance">> to memref<1x3xi64, #isa.memory<"dram">>
    ```
  }];
  let arguments = (ins Spatten_Scores:$scores, Spatten_Dram:$survivors, ISA_UInt<24, 1, 65535>:$k,
      ISA_UInt<8, 0, 255>:$protect_first, ISA_UInt<8, 0, 255>:$protect_last);
  let assemblyFormat = "$scores `to` $survivors `k` $k `protect_first` $protect_first `protect_last` $protect_last attr-dict `:` type($scores) `to` type($survivors)";
  let hasVerifier = 1;
}
def Spatten_TopkHeadOp : Spatten_Op<"topk_head", 0x23> {
  let summary = "Rank heads by their accumulated scores and store the survivors";
  let description = "On the same engine as `spatten.topk_token`.";
  let arguments = (ins Spatten_Scores:$scores, Spatten_Dram:$survivors, ISA_UInt<24, 1, 65535>:$k);
  let assemblyFormat = "$scores `to` $survivors `k` $k attr-dict `:` type($scores) `to` type($survivors)";
  let hasVerifier = 1;
}

} // opDocGroup

//===-- Sync ---------------------------------------------------------------===//

def Spatten_SyncGroup : OpDocGroup { let summary = "Sync"; let description = ""; }
let opDocGroup = Spatten_SyncGroup in {

def Spatten_SyncOp : Spatten_Op<"sync", 0x24> {
  let summary = "Wait for rankings and stores";
  let description = "Nothing that follows is issued before they are done.";
  let assemblyFormat = "attr-dict";
}

} // opDocGroup

#endif // SPARSAM_TARGETS_SPATTEN
