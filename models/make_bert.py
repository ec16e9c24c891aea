# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a BERT of any size with seeded random weights: for scale, where checked-in models are too small.

The graph is what torch.onnx.export makes of Transformers' BertModel at opset 17 and fixed shapes: embeddings, additive
attention mask, separate Q, K and V with their biases added first, scale by Div, LayerNormalization, Gelu as Erf graph.
By default it is BERT-base without pooler, at n = 512, and with a small vocabulary: about 340 MB.

Random weights attend to all keys alike. So the weights and biases of Q and K are scaled, layer by layer on the hidden
states of this very input, until Sanger's prediction (4 bits, normalised, calibrated on the layer) leaves the density
asked for. The oracle measures it; the densities reached are printed. Needs numpy and onnx only.
"""

import argparse
import math
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "python"))
import sparsam_oracle  # noqa: E402

OPSET = 17
IR_VERSION = 8
EPSILON = 1e-12
PROTOBUF_LIMIT_BYTES = 2**31 - 2**20  # a little below 2 GiB, for the graph itself
SAMPLED_ROWS = 128  # queries per head that the calibration looks at
MEASURED_ROWS = 1024  # queries per head that the final measurement looks at
BITS = 4


def make_weights(args):
    """All parameters by their Transformers name; projections are [in, out], as the exporter leaves them."""
    rng = np.random.default_rng(args.seed)
    hidden, inner = args.hidden, args.intermediate

    def normal(*shape, deviation):
        values = rng.standard_normal(shape, dtype=np.float32)
        values *= np.float32(deviation)
        return values

    weights = {}

    def add_norm(name):
        weights[f"{name}.weight"] = 1 + normal(hidden, deviation=0.1)
        weights[f"{name}.bias"] = normal(hidden, deviation=0.1)

    def add_linear(name, rows, columns):
        # Small branches beside the residual path: else the tokens become alike within a few layers.
        gain = 0.25 if name.endswith("output.dense") else 1
        weights[f"{name}.weight"] = normal(rows, columns, deviation=gain / math.sqrt(rows))
        weights[f"{name}.bias"] = normal(columns, deviation=0.1)

    for name, rows in (("word", args.vocabulary), ("position", args.seq_len), ("token_type", 2)):
        weights[f"embeddings.{name}_embeddings.weight"] = normal(rows, hidden, deviation=1)
    add_norm("embeddings.LayerNorm")
    for layer in range(args.layers):
        prefix = f"encoder.layer.{layer}"
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            add_linear(f"{prefix}.attention.{name}", hidden, hidden)
        add_norm(f"{prefix}.attention.output.LayerNorm")
        add_linear(f"{prefix}.intermediate.dense", hidden, inner)
        add_linear(f"{prefix}.output.dense", inner, hidden)
        add_norm(f"{prefix}.output.LayerNorm")
    return weights


def make_inputs(args):
    """Random tokens; from --valid-len on they are padding."""
    rng = np.random.default_rng([args.seed, 1])
    mask = np.zeros((args.batch, args.seq_len), np.int64)
    mask[:, : args.valid_len] = 1
    return {"input_ids": rng.integers(1, args.vocabulary, mask.shape) * mask, "attention_mask": mask}


# --- NumPy forward pass, only to know the hidden states that Q and K are calibrated on ---


def layer_norm(x, weights, name):
    x = x - x.mean(axis=-1, keepdims=True)
    x /= np.sqrt((x * x).mean(axis=-1, keepdims=True) + EPSILON)
    return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def linear(x, weights, name):
    return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]


def gelu(x):
    """The tanh approximation: close enough to place a scale."""
    return 0.5 * x * (1 + np.tanh(0.79788456 * (x + 0.044715 * x**3)))


def split_heads(x, heads):
    return x.reshape(*x.shape[:2], heads, -1).transpose(0, 2, 1, 3)


def attend(q, k, v, valid_len):
    """Dense attention over the valid keys, one head at a time to bound the memory."""
    result = np.empty_like(v)
    for index in np.ndindex(v.shape[:2]):
        scores = q[index] @ k[index][:valid_len].T / np.float32(math.sqrt(q.shape[-1]))
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        result[index] = scores @ v[index][:valid_len] / scores.sum(axis=-1, keepdims=True)
    return result.transpose(0, 2, 1, 3).reshape(v.shape[0], v.shape[2], -1)


def valid_density(q, k, rows, args):
    """Oracle probabilities [heads, rows, valid keys] of evenly spread queries, and the density they leave."""
    q, k = (x.reshape(-1, *x.shape[2:])[:, : args.valid_len] for x in (q, k))
    ranges = sparsam_oracle.calibrate(q, k)
    picked = np.unique(np.linspace(0, args.valid_len - 1, min(rows, args.valid_len)).astype(int))
    options = {"bits": BITS, "threshold": args.threshold, "tx": ranges[0], "ty": ranges[1]}
    kept, probabilities = 0, []
    for query, key in zip(q[:, picked], k):
        probability, mask = sparsam_oracle.predict(query, key, **options)
        kept += mask.sum()
        probabilities.append(probability)
    return np.stack(probabilities), kept / (len(q) * len(picked) * args.valid_len)


def find_scale(probabilities, args):
    """The factor of both Q and K under which --density of the pairs stay above the threshold.

    Codes of normalised rows do not depend on it, only the norms do. So the scores grow with its square, and the
    probabilities at any factor follow from those at factor 1. Rounded, so that rounding errors leave no trace in it.
    """
    logarithms = np.log(np.maximum(probabilities, 1e-300))
    logarithms -= logarithms.max(axis=-1, keepdims=True)
    low, high = 0.01, 100.0
    for _ in range(30):
        middle = math.sqrt(low * high)
        sharpened = np.exp(middle**2 * logarithms)
        sharpened /= sharpened.sum(axis=-1, keepdims=True)
        low, high = (middle, high) if (sharpened > args.threshold).mean() > args.density else (low, middle)
    return float(f"{low:.4g}")


def scale_queries_and_keys(weights, inputs, args):
    """Scales Q and K of each layer in place and returns the density that each layer leaves."""
    embeddings = [weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "token_type", "position")]
    x = embeddings[0][inputs["input_ids"]] + embeddings[1][0] + embeddings[2]
    x = layer_norm(x, weights, "embeddings.LayerNorm")
    densities = []
    for layer in range(args.layers):
        prefix = f"encoder.layer.{layer}"
        attention = f"{prefix}.attention"
        projections = [linear(x, weights, f"{attention}.self.{name}") for name in ("query", "key", "value")]
        q, k, v = (split_heads(projection, args.heads) for projection in projections)
        scale = np.float32(find_scale(valid_density(q, k, SAMPLED_ROWS, args)[0], args))
        for name in ("query", "key"):
            weights[f"{attention}.self.{name}.weight"] *= scale
            weights[f"{attention}.self.{name}.bias"] *= scale
        q, k = q * scale, k * scale
        densities.append(float(valid_density(q, k, MEASURED_ROWS, args)[1]))
        context = linear(attend(q, k, v, args.valid_len), weights, f"{attention}.output.dense")
        x = layer_norm(x + context, weights, f"{attention}.output.LayerNorm")
        inner = gelu(linear(x, weights, f"{prefix}.intermediate.dense"))
        x = layer_norm(x + linear(inner, weights, f"{prefix}.output.dense"), weights, f"{prefix}.output.LayerNorm")
    return densities


class Graph:
    """Nodes in order, with the names that the exporter gives."""

    def __init__(self, weights):
        self.nodes = []
        self.initializers = [numpy_helper.from_array(array, name) for name, array in weights.items()]

    def op(self, scope, op_type, inputs, suffix="", **attributes):
        """Appends a node and returns its result."""
        name = f"/{scope}/{op_type}{suffix}"
        self.nodes.append(helper.make_node(op_type, inputs, [f"{name}_output_0"], name, **attributes))
        return f"{name}_output_0"

    def constant(self, scope, value, suffix=""):
        return self.op(scope, "Constant", [], suffix, value=numpy_helper.from_array(np.asarray(value)))

    def linear(self, scope, x):
        name = scope.replace("/", ".")
        product = self.op(scope, "MatMul", [x, f"{name}.weight"])
        return self.op(scope, "Add", [f"{name}.bias", product])

    def layer_norm(self, scope, x):
        name = scope.replace("/", ".")
        return self.op(scope, "LayerNormalization", [x, f"{name}.weight", f"{name}.bias"], axis=-1, epsilon=EPSILON)

    def gelu(self, scope, x):
        divided = self.op(scope, "Div", [x, self.constant(scope, np.float32(math.sqrt(2)))])
        one = self.constant(scope, np.float32(1), "_1")
        shifted = self.op(scope, "Add", [self.op(scope, "Erf", [divided]), one])
        product = self.op(scope, "Mul", [x, shifted])
        return self.op(scope, "Mul", [product, self.constant(scope, np.float32(0.5), "_2")], "_1")


def build_mask(graph):
    """attention_mask [batch, n] of zeros and ones to an additive one [batch, 1, 1, n]."""
    x = "attention_mask"
    for index, axis in enumerate((1, 2)):
        axes = graph.constant("mask", np.array([axis], np.int64), f"_{index}")
        x = graph.op("mask", "Unsqueeze", [x, axes], f"_{index}")
    x = graph.op("mask", "Cast", [x], to=TensorProto.FLOAT)
    x = graph.op("mask", "Sub", [graph.constant("mask", np.float32(1), "_2"), x])
    return graph.op("mask", "Mul", [x, graph.constant("mask", np.finfo(np.float32).min, "_3")])


def build_embeddings(graph, args):
    scope = "embeddings"
    words = graph.op(f"{scope}/word_embeddings", "Gather", [f"{scope}.word_embeddings.weight", "input_ids"])
    types = graph.constant(scope, np.zeros((args.batch, args.seq_len), np.int64))
    types = graph.op(f"{scope}/token_type_embeddings", "Gather", [f"{scope}.token_type_embeddings.weight", types])
    positions = graph.constant(scope, np.arange(args.seq_len, dtype=np.int64)[None], "_1")
    positions = graph.op(f"{scope}/position_embeddings", "Gather", [f"{scope}.position_embeddings.weight", positions])
    total = graph.op(scope, "Add", [graph.op(scope, "Add", [words, types]), positions], "_1")
    return graph.layer_norm(f"{scope}/LayerNorm", total)


def build_attention(graph, scope, x, mask, args):
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
    scores = graph.op(scope, "Add", [scores, mask])
    context = graph.op(scope, "MatMul", [graph.op(scope, "Softmax", [scores], axis=-1), value], "_1")
    context = graph.op(scope, "Transpose", [context], "_3", perm=[0, 2, 1, 3])
    shape = graph.constant(scope, np.array([args.batch, args.seq_len, args.hidden], np.int64), "_4")
    return graph.op(scope, "Reshape", [context, shape], "_context", allowzero=0)


def build_model(weights, args):
    """The whole graph over the given weights."""
    graph = Graph(weights)
    mask = build_mask(graph)
    x = build_embeddings(graph, args)
    for layer in range(args.layers):
        scope = f"encoder/layer.{layer}"
        context = build_attention(graph, f"{scope}/attention/self", x, mask, args)
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
            "bert",
            [helper.make_tensor_value_info(n, TensorProto.INT64, tokens) for n in ("input_ids", "attention_mask")],
            [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*tokens, args.hidden])],
            graph.initializers,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="make_bert.py",
    )


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True, help="the .onnx file to write")
    parser.add_argument("--seq-len", type=int, default=512, help="tokens (default: %(default)s)")
    parser.add_argument("--layers", type=int, default=12, help="default: %(default)s")
    parser.add_argument("--hidden", type=int, default=768, help="default: %(default)s")
    parser.add_argument("--heads", type=int, default=12, help="default: %(default)s")
    parser.add_argument("--intermediate", type=int, help="width of the feed-forward part (default: 4 times hidden)")
    parser.add_argument("--vocabulary", type=int, default=1024, help="default: %(default)s")
    parser.add_argument("--batch", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--valid-len", type=int, help="tokens that are not padding (default: all)")
    parser.add_argument("--density", type=float, default=0.1, help="kept share of the pairs (default: %(default)s)")
    parser.add_argument("--threshold", type=float, default=2e-3, help="the prediction's (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--inputs", type=pathlib.Path, help="also write the inputs of the calibration, an .npz")
    parser.add_argument("--external-data", action="store_true", help="weights in OUTPUT.data beside the graph")
    args = parser.parse_args()
    args.intermediate = args.intermediate or 4 * args.hidden
    args.valid_len = args.seq_len if args.valid_len is None else args.valid_len
    for name in ("seq_len", "layers", "hidden", "heads", "batch", "valid_len"):
        if getattr(args, name) < 1:
            parser.error(f"--{name.replace('_', '-')} expects at least 1, got {getattr(args, name)}")
    if args.vocabulary < 2:
        parser.error(f"--vocabulary expects at least 2 (0 is padding), got {args.vocabulary}")
    if args.hidden % args.heads:
        parser.error(f"--hidden expects a multiple of --heads {args.heads}, got {args.hidden}")
    if args.valid_len > args.seq_len:
        parser.error(f"--valid-len expects at most --seq-len {args.seq_len}, got {args.valid_len}")
    if not (0 < args.density < 1 and 0 < args.threshold < 1):
        parser.error(f"expects --density and --threshold in (0, 1), got {args.density} and {args.threshold}")
    return parser, args


def main():
    parser, args = parse_arguments()
    weights, inputs = make_weights(args), make_inputs(args)
    total_bytes = sum(array.nbytes for array in weights.values())
    if total_bytes > PROTOBUF_LIMIT_BYTES and not args.external_data:
        parser.error(f"one ONNX file holds less than 2 GiB, the weights take {total_bytes} bytes: use --external-data")
    densities = scale_queries_and_keys(weights, inputs, args)
    if max(abs(density - args.density) for density in densities) > 0.2 * args.density:
        reached = f"{min(densities):.4g} to {max(densities):.4g} in {args.layers} layers"
        bound = f"a row of {args.valid_len} keys keeps fewer than 1 / threshold = {1 / args.threshold:g}"
        parser.error(f"--density {args.density} is out of reach: got {reached}; {bound}")
    model = build_model(weights, args)
    del weights
    args.output.parent.mkdir(parents=True, exist_ok=True)
    data = args.output.with_name(args.output.name + ".data")
    data.unlink(missing_ok=True)  # onnx appends to a file that is there
    if args.external_data:
        onnx.save_model(model, args.output, save_as_external_data=True, location=data.name, size_threshold=1024)
    else:
        onnx.save_model(model, args.output)
    if args.inputs:
        np.savez(args.inputs, **inputs)
    size = f"{total_bytes / 1e6:.0f} MB of weights"
    print(f"{args.output}: {size}, density {np.mean(densities):.4f} at threshold {args.threshold:g}")
    print("by layer: " + " ".join(f"{density:.4f}" for density in densities))


if __name__ == "__main__":
    main()
