# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a GPT-2 of any size with seeded random weights that decodes with a cache of keys and values.

The graph has the form in which exporters write Transformers' GPT2LMHeadModel with its cache: inputs `input_ids`,
`position_ids`, `attention_mask` (with --attention-mask) and `past_key_values.N.key` and `.value`, whose dimension `past` is
dynamic; outputs `logits`, `present.N.key` and `.value`. Shapes are computed in the graph, the causal mask is cut from a
triangle, the output projection is the transposed embedding. By default it is GPT-2 small with 1024 positions: 500 MB.

--steps writes what ONNX Runtime computes beside it, for tests: a prompt of --prompt tokens, then greedy decoding, one token at
a time. Needs numpy and onnx, and onnxruntime for --steps.
"""

import argparse
import math
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
EPSILON = 1e-5
HIDDEN_SCORE = np.finfo(np.float32).min


def make_weights(args):
    """All parameters by their Transformers name; projections are [in, out], as in the checkpoint."""
    rng = np.random.default_rng(args.seed)
    hidden = args.hidden

    def normal(*shape, deviation):
        values = rng.standard_normal(shape, dtype=np.float32)
        values *= np.float32(deviation)
        return values

    weights = {
        "transformer.wte.weight": normal(args.vocabulary, hidden, deviation=args.embedding_deviation),
        "transformer.wpe.weight": normal(args.positions, hidden, deviation=args.embedding_deviation),
    }

    def add_norm(name):
        weights[f"{name}.weight"] = 1 + normal(hidden, deviation=0.1)
        weights[f"{name}.bias"] = normal(hidden, deviation=0.1)

    def add_linear(name, rows, columns, gain=1.0):
        weights[f"{name}.weight"] = normal(rows, columns, deviation=gain / math.sqrt(rows))
        weights[f"{name}.bias"] = normal(columns, deviation=0.1)

    for layer in range(args.layers):
        prefix = f"transformer.h.{layer}"
        add_norm(f"{prefix}.ln_1")
        add_linear(f"{prefix}.attn.c_attn", hidden, 3 * hidden)
        # Random weights attend to all keys alike; larger queries and keys make some stand out.
        weights[f"{prefix}.attn.c_attn.weight"][:, : 2 * hidden] *= np.float32(args.sharpness)
        add_linear(f"{prefix}.attn.c_proj", hidden, hidden)
        add_norm(f"{prefix}.ln_2")
        add_linear(f"{prefix}.mlp.c_fc", hidden, 4 * hidden)
        add_linear(f"{prefix}.mlp.c_proj", 4 * hidden, hidden)
    add_norm("transformer.ln_f")
    return weights


class Graph:
    """Nodes in order, with the names that the exporter gives."""

    def __init__(self, weights):
        self.nodes = []
        self.initializers = [numpy_helper.from_array(array, name) for name, array in weights.items()]

    def op(self, scope, op_type, inputs, suffix="", outputs=1, **attributes):
        """Appends a node and returns its result, or results."""
        name = f"/{scope}/{op_type}{suffix}"
        results = [f"{name}_output_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op_type, inputs, results, name, **attributes))
        return results[0] if outputs == 1 else results

    def constant(self, scope, value, suffix=""):
        return self.op(scope, "Constant", [], suffix, value=numpy_helper.from_array(np.asarray(value)))

    def integers(self, scope, values, suffix):
        return self.constant(scope, np.array(values, np.int64), suffix)

    def extent(self, scope, x, axis, suffix):
        """The extent of a dimension, as a tensor of one element."""
        shape = self.op(scope, "Shape", [x], suffix)
        extent = self.op(scope, "Gather", [shape, self.constant(scope, np.int64(axis), f"_axis{suffix}")], suffix, axis=0)
        return self.op(scope, "Unsqueeze", [extent, self.integers(scope, [0], f"_zero{suffix}")], suffix)

    def reshape(self, scope, x, extents, suffix):
        """Reshapes to a list of extents: numbers, or names of tensors of one element."""
        parts = [
            extent if isinstance(extent, str) else self.integers(scope, [extent], f"{suffix}_{i}")
            for i, extent in enumerate(extents)
        ]
        shape = self.op(scope, "Concat", parts, suffix, axis=0)
        return self.op(scope, "Reshape", [x, shape], suffix, allowzero=0)

    def layer_norm(self, scope, x):
        name = scope.replace("/", ".")
        return self.op(scope, "LayerNormalization", [x, f"{name}.weight", f"{name}.bias"], axis=-1, epsilon=EPSILON)

    def projection(self, scope, x, columns):
        """Transformers' Conv1D: a Gemm over all tokens."""
        name = scope.replace("/", ".")
        batch, tokens = self.extent(scope, x, 0, "_b"), self.extent(scope, x, 1, "_t")
        flat = self.reshape(scope, x, [-1, self.extent(scope, x, 2, "_h")], "_flat")
        product = self.op(scope, "Gemm", [flat, f"{name}.weight", f"{name}.bias"], alpha=1.0, beta=1.0)
        return self.reshape(scope, product, [batch, tokens, columns], "_out")

    def gelu(self, scope, x):
        """The tanh approximation, "gelu_new"."""
        cube = self.op(scope, "Pow", [x, self.constant(scope, np.float32(3), "_3")])
        inner = self.op(scope, "Mul", [cube, self.constant(scope, np.float32(0.044715), "_c")], "_inner")
        inner = self.op(scope, "Add", [x, inner], "_inner")
        inner = self.op(scope, "Mul", [inner, self.constant(scope, np.float32(math.sqrt(2 / math.pi)), "_s")], "_scaled")
        inner = self.op(scope, "Add", [self.op(scope, "Tanh", [inner]), self.constant(scope, np.float32(1), "_1")], "_one")
        half = self.op(scope, "Mul", [x, self.constant(scope, np.float32(0.5), "_h")], "_half")
        return self.op(scope, "Mul", [half, inner])


def build_padding(graph):
    """attention_mask [batch, past + sequence] of zeros and ones to an additive one with four dimensions."""
    x = "attention_mask"
    for index, axis in enumerate((1, 2)):
        x = graph.op("mask", "Unsqueeze", [x, graph.integers("mask", [axis], f"_{index}")], f"_{index}")
    x = graph.op("mask", "Cast", [x], to=TensorProto.FLOAT)
    x = graph.op("mask", "Sub", [graph.constant("mask", np.float32(1), "_one"), x])
    return graph.op("mask", "Mul", [x, graph.constant("mask", HIDDEN_SCORE, "_min")])


def build_causal(graph, scope, scores, query, key):
    """Hides the future: rows past ... past + sequence of a triangle, columns up to there."""
    length, new = graph.extent(scope, key, 2, "_keys"), graph.extent(scope, query, 2, "_queries")
    start = graph.op(scope, "Sub", [length, new], "_start")
    axis = [graph.integers(scope, [axis], f"_dim{axis}") for axis in (2, 3)]
    rows = graph.op(scope, "Slice", ["transformer.bias", start, length, axis[0]], "_rows")
    zero = graph.integers(scope, [0], "_first")
    visible = graph.op(scope, "Slice", [rows, zero, length, axis[1]], "_columns")
    return graph.op(scope, "Where", [visible, scores, graph.constant(scope, HIDDEN_SCORE, "_min")])


def build_attention(graph, scope, layer, x, padding, args):
    """Self-attention of one layer over the cache and the new tokens."""
    head_dim = args.hidden // args.heads
    joint = graph.projection(f"{scope}/c_attn", x, 3 * args.hidden)
    sizes = graph.integers(scope, [args.hidden] * 3, "_split")
    parts = graph.op(scope, "Split", [joint, sizes], outputs=3, axis=2)
    batch, tokens = graph.extent(scope, x, 0, "_b"), graph.extent(scope, x, 1, "_t")
    query, key, value = (
        graph.op(
            scope,
            "Transpose",
            [graph.reshape(scope, part, [batch, tokens, args.heads, head_dim], f"_{name}")],
            f"_{name}",
            perm=[0, 2, 1, 3],
        )
        for name, part in zip("qkv", parts)
    )
    for name, new in (("key", key), ("value", value)):
        graph.nodes.append(
            helper.make_node(
                "Concat",
                [f"past_key_values.{layer}.{name}", new],
                [f"present.{layer}.{name}"],
                f"/{scope}/Concat_{name}",
                axis=-2,
            )
        )
    key, value = f"present.{layer}.key", f"present.{layer}.value"
    transposed = graph.op(scope, "Transpose", [key], "_kt", perm=[0, 1, 3, 2])
    scores = graph.op(scope, "MatMul", [query, transposed], "_scores")
    scores = graph.op(scope, "Div", [scores, graph.constant(scope, np.float32(math.sqrt(head_dim)), "_scale")])
    scores = build_causal(graph, scope, scores, query, key)
    if padding:
        scores = graph.op(scope, "Add", [scores, padding], "_mask")
    context = graph.op(scope, "MatMul", [graph.op(scope, "Softmax", [scores], axis=-1), value], "_context")
    context = graph.op(scope, "Transpose", [context], "_context", perm=[0, 2, 1, 3])
    context = graph.reshape(scope, context, [batch, tokens, args.hidden], "_context")
    return graph.projection(f"{scope}/c_proj", context, args.hidden)


def declare(args):
    """Inputs and outputs with their dynamic dimensions."""
    integer, real = TensorProto.INT64, TensorProto.FLOAT
    inputs = [
        helper.make_tensor_value_info("input_ids", integer, ["batch", "sequence"]),
        helper.make_tensor_value_info("position_ids", integer, ["batch", "sequence"]),
    ]
    if args.attention_mask:
        inputs.append(helper.make_tensor_value_info("attention_mask", integer, ["batch", "past + sequence"]))
    outputs = [helper.make_tensor_value_info("logits", real, ["batch", "sequence", args.vocabulary])]
    for layer in range(args.layers):
        for name in ("key", "value"):
            shape = ["batch", args.heads, "past", args.hidden // args.heads]
            inputs.append(helper.make_tensor_value_info(f"past_key_values.{layer}.{name}", real, shape))
            shape = ["batch", args.heads, "past + sequence", args.hidden // args.heads]
            outputs.append(helper.make_tensor_value_info(f"present.{layer}.{name}", real, shape))
    return inputs, outputs


def build_model(weights, args):
    """The whole graph over the given weights."""
    triangle = np.tril(np.ones((args.positions, args.positions), bool))[None, None]
    graph = Graph({**weights, "transformer.bias": triangle})
    padding = build_padding(graph) if args.attention_mask else None
    words = graph.op("transformer/wte", "Gather", ["transformer.wte.weight", "input_ids"])
    positions = graph.op("transformer/wpe", "Gather", ["transformer.wpe.weight", "position_ids"])
    x = graph.op("transformer", "Add", [words, positions])
    for layer in range(args.layers):
        scope = f"transformer/h.{layer}"
        normal = graph.layer_norm(f"{scope}/ln_1", x)
        x = graph.op(scope, "Add", [build_attention(graph, f"{scope}/attn", layer, normal, padding, args), x])
        normal = graph.layer_norm(f"{scope}/ln_2", x)
        inner = graph.gelu(f"{scope}/mlp/act", graph.projection(f"{scope}/mlp/c_fc", normal, 4 * args.hidden))
        x = graph.op(scope, "Add", [x, graph.projection(f"{scope}/mlp/c_proj", inner, args.hidden)], "_1")
    x = graph.layer_norm("transformer/ln_f", x)
    table = graph.op("lm_head", "Transpose", ["transformer.wte.weight"], perm=[1, 0])
    graph.nodes.append(helper.make_node("MatMul", [x, table], ["logits"], "/lm_head/MatMul"))
    inputs, outputs = declare(args)
    body = helper.make_graph(graph.nodes, "gpt2", inputs, outputs, graph.initializers)
    opsets = [helper.make_opsetid("", OPSET)]
    return helper.make_model(body, opset_imports=opsets, ir_version=IR_VERSION, producer_name="make_gpt2.py")


# --- What ONNX Runtime computes ---


def feeds_of(tokens, past, args):
    """Inputs for new tokens [n] behind the caches `past` (a list of arrays in the order of the inputs)."""
    length = past[0].shape[2]
    feeds = {
        "input_ids": np.asarray(tokens, np.int64)[None],
        "position_ids": np.arange(length, length + len(tokens), dtype=np.int64)[None],
    }
    if args.attention_mask:
        feeds["attention_mask"] = np.ones((1, length + len(tokens)), np.int64)
    names = [f"past_key_values.{layer}.{name}" for layer in range(args.layers) for name in ("key", "value")]
    return feeds | dict(zip(names, past))


def write_steps(args):
    """Runs the prompt and --steps steps behind it. Per step N: `N.token` that went in, `N.logits` that came out.

    The state behind the prompt is written as inputs of the first step, under the names of the graph.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(args.output), options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng([args.seed, 1])
    prompt = rng.integers(args.vocabulary, size=args.prompt)
    past = [np.zeros((1, args.heads, 0, args.hidden // args.heads), np.float32)] * (2 * args.layers)
    logits, *past = session.run(None, feeds_of(prompt, past, args))
    state = feeds_of([int(logits[0, -1].argmax())], past, args)
    steps = {"prompt": prompt[None], "prompt.logits": logits}
    for step in range(args.steps):
        token = int(logits[0, -1].argmax())
        logits, *past = session.run(None, feeds_of([token], past, args))
        steps[f"{step}.token"], steps[f"{step}.logits"] = np.int64(token), logits
    for layer in range(args.layers):
        for index, name in enumerate(("key", "value")):
            steps[f"present.{layer}.{name}"] = past[2 * layer + index]
    np.savez(args.output.with_name(args.state_name), **state)
    np.savez(args.output.with_name(args.steps_name), **steps)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True, help="model.onnx")
    for name, default in (("layers", 12), ("hidden", 768), ("heads", 12), ("vocabulary", 50257), ("positions", 1024)):
        parser.add_argument(f"--{name}", type=int, default=default, help="default: %(default)s")
    parser.add_argument("--attention-mask", action="store_true", help="with the input attention_mask")
    parser.add_argument("--sharpness", type=float, default=1.5, help="factor of Q and K (default: %(default)s)")
    parser.add_argument("--embedding-deviation", type=float, default=0.15, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prompt", type=int, default=16, help="tokens before the steps (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=0, help="steps to write; 0: none")
    parser.add_argument("--state-name", default="state.npz")
    parser.add_argument("--steps-name", default="steps.npz")
    args = parser.parse_args()
    if args.hidden % args.heads:
        parser.error(f"--hidden {args.hidden} is no multiple of --heads {args.heads}")
    if args.prompt + args.steps > args.positions:
        parser.error(f"--prompt {args.prompt} and --steps {args.steps} exceed --positions {args.positions}")
    return args


def main():
    args = parse_arguments()
    weights = make_weights(args)
    model = build_model(weights, args)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    onnx.save_model(model, args.output)
    print(f"{args.output}: {sum(array.nbytes for array in weights.values()) / 1e6:.1f} MB of weights")
    if args.steps:
        write_steps(args)


if __name__ == "__main__":
    main()
