# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a Longformer-like model of any size with seeded random weights.

A BERT as make_bert.py makes it, without padding, whose attention is masked by a constant: a sliding window, dilated or
not, and global tokens. The mask is one tensor of booleans in front of a Where, as exporters write it. By default it is
Longformer-base: 4096 tokens, window 512, the first token global. Weights of Q and K are scaled until scores deviate by
--sharpness, because equal scores use nothing of an exponential. Needs numpy and onnx only.
"""

import argparse
import math
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper

import make_bert


def make_mask(args):
    """[1, 1, n, n], true where a pair is visible: window keys around each query, from -window/2 on, and globals."""
    distance = np.arange(args.seq_len, dtype=np.int32)[None] - np.arange(args.seq_len, dtype=np.int32)[:, None]
    steps, rest = np.divmod(distance, args.dilation)
    mask = (rest == 0) & (steps >= -(args.window // 2)) & (steps < args.window - args.window // 2)
    mask[args.global_tokens] = True
    mask[:, args.global_tokens] = True
    return mask[None, None]


def scale_queries_and_keys(weights, args):
    """Hidden states are normalised: scores deviate by about the square of the factor."""
    factor = np.float32(math.sqrt(args.sharpness))
    for name in weights:
        if ".self.query." in name or ".self.key." in name:
            weights[name] *= factor


def build_attention(graph, scope, x, args):
    """Self-attention of one layer, without the output projection."""
    head_dim = args.hidden // args.heads
    by_head = np.array([args.batch, args.seq_len, args.heads, head_dim], np.int64)
    parts = {}
    for index, name in enumerate(("key", "value", "query")):
        shape = graph.constant(scope, by_head, f"_{index}")
        parts[name] = graph.op(scope, "Reshape", [graph.linear(f"{scope}/{name}", x), shape], f"_{name}", allowzero=0)
    value = graph.op(scope, "Transpose", [parts["value"]], perm=[0, 2, 1, 3])
    query = graph.op(scope, "Transpose", [parts["query"]], "_1", perm=[0, 2, 1, 3])
    key = graph.op(scope, "Transpose", [parts["key"]], "_2", perm=[0, 2, 3, 1])
    scores = graph.op(scope, "MatMul", [query, key])
    scores = graph.op(scope, "Div", [scores, graph.constant(scope, np.float32(math.sqrt(head_dim)), "_3")])
    hidden = graph.constant(scope, np.finfo(np.float32).min, "_4")
    scores = graph.op(scope, "Where", ["attention.visible", scores, hidden])
    context = graph.op(scope, "MatMul", [graph.op(scope, "Softmax", [scores], axis=-1), value], "_1")
    context = graph.op(scope, "Transpose", [context], "_3", perm=[0, 2, 1, 3])
    shape = graph.constant(scope, np.array([args.batch, args.seq_len, args.hidden], np.int64), "_5")
    return graph.op(scope, "Reshape", [context, shape], "_context", allowzero=0)


def build_model(weights, args):
    graph = make_bert.Graph(weights)
    x = make_bert.build_embeddings(graph, args)
    for layer in range(args.layers):
        scope = f"encoder/layer.{layer}"
        context = build_attention(graph, f"{scope}/attention/self", x, args)
        context = graph.linear(f"{scope}/attention/output/dense", context)
        x = graph.op(f"{scope}/attention/output", "Add", [context, x])
        x = graph.layer_norm(f"{scope}/attention/output/LayerNorm", x)
        inner = graph.gelu(f"{scope}/intermediate", graph.linear(f"{scope}/intermediate/dense", x))
        x = graph.op(f"{scope}/output", "Add", [graph.linear(f"{scope}/output/dense", inner), x])
        x = graph.layer_norm(f"{scope}/output/LayerNorm", x)
    graph.nodes[-1].output[0] = "last_hidden_state"
    tokens = [args.batch, args.seq_len]
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "longformer",
            [helper.make_tensor_value_info("input_ids", TensorProto.INT64, tokens)],
            [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*tokens, args.hidden])],
            graph.initializers,
        ),
        opset_imports=[helper.make_opsetid("", make_bert.OPSET)],
        ir_version=make_bert.IR_VERSION,
        producer_name="make_longformer.py",
    )


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True, help="the .onnx file to write")
    parser.add_argument("--seq-len", type=int, default=4096, help="tokens (default: %(default)s)")
    parser.add_argument("--window", type=int, default=512, help="keys around each query (default: %(default)s)")
    parser.add_argument("--dilation", type=int, default=1, help="distance of these keys (default: %(default)s)")
    parser.add_argument("--global-tokens", type=int, nargs="*", default=[0], help="default: 0")
    parser.add_argument("--layers", type=int, default=12, help="default: %(default)s")
    parser.add_argument("--hidden", type=int, default=768, help="default: %(default)s")
    parser.add_argument("--heads", type=int, default=12, help="default: %(default)s")
    parser.add_argument("--intermediate", type=int, help="width of the feed-forward part (default: 4 times hidden)")
    parser.add_argument("--vocabulary", type=int, default=1024, help="default: %(default)s")
    parser.add_argument("--batch", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--sharpness", type=float, default=2, help="deviation of scores (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--inputs", type=pathlib.Path, help="also write random inputs, an .npz")
    args = parser.parse_args()
    args.intermediate = args.intermediate or 4 * args.hidden
    args.valid_len = args.seq_len
    for name in ("seq_len", "window", "dilation", "layers", "hidden", "heads", "batch"):
        if getattr(args, name) < 1:
            parser.error(f"--{name.replace('_', '-')} expects at least 1, got {getattr(args, name)}")
    if args.hidden % args.heads:
        parser.error(f"--hidden expects a multiple of --heads {args.heads}, got {args.hidden}")
    if not all(0 <= token < args.seq_len for token in args.global_tokens):
        parser.error(f"--global-tokens expects tokens below {args.seq_len}, got {args.global_tokens}")
    return args


def main():
    args = parse_arguments()
    weights, inputs = make_bert.make_weights(args), make_bert.make_inputs(args)
    scale_queries_and_keys(weights, args)
    weights["attention.visible"] = make_mask(args)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    onnx.save_model(build_model(weights, args), args.output)
    if args.inputs:
        np.savez(args.inputs, input_ids=inputs["input_ids"])
    size = sum(array.nbytes for array in weights.values()) / 1e6
    print(f"{args.output}: {size:.1f} MB of weights, {weights['attention.visible'].mean():.4f} of the pairs visible")


if __name__ == "__main__":
    main()
