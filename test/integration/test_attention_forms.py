# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The forms that exporters give attention: each is raised and computes what ONNX Runtime does."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

TOLERANCE = 1e-5
BATCH, TOKENS, HEADS, SIZE = 2, 6, 2, 8
HIDDEN = HEADS * SIZE


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.fixture
def check(run_json, load_npz, tmp_path):
    """Compares the model of these nodes with ONNX Runtime; its attention must be raised."""

    def compare(nodes, inputs, constants=()):
        infos = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
            for name, array in inputs.items()
        ]
        values = [numpy_helper.from_array(np.asarray(array), name) for name, array in dict(constants).items()]
        graph = helper.make_graph(nodes, "graph", infos, [onnx.ValueInfoProto(name="y")], values)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        model, program = tmp_path / "m.onnx", tmp_path / "p.spx"
        onnx.save_model(helper.make_model(graph, opset_imports=opsets, ir_version=8), model)
        compiled = run_json("compile", model, "--target=template", "--attention=host", "-o", program)
        assert (compiled["attention"], compiled["not_raised"]) == (1, [])
        np.savez(tmp_path / "x.npz", **inputs)
        run_json("run", program, "--input", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        expected = session.run(["y"], inputs)[0]
        np.testing.assert_allclose(load_npz(tmp_path / "y.npz")["y"], expected, rtol=0, atol=TOLERANCE)

    return compare


# --- operators of com.microsoft ---

LENGTHS = np.array([3, 6], np.int32)
FLAGS = np.array([[1, 1, 0, 1, 1, 0], [1] * TOKENS], np.int32)
FLAGS_OF_QUERIES = np.tril(np.ones((BATCH, TOKENS, TOKENS), np.int32), 2)
MASKS = {
    "lengths": LENGTHS,
    "flags": FLAGS,
    "flags of each query": FLAGS_OF_QUERIES,
    "ends and starts": np.array([4, 6, 1, 2], np.int32),
}


def draw(random, *shape):
    return random.standard_normal(shape).astype(np.float32)


def project(random):
    """Input, weights and bias of com.microsoft.Attention."""
    inputs = {"x": draw(random, BATCH, TOKENS, HIDDEN)}
    return inputs, {"w": draw(random, HIDDEN, 3 * HIDDEN) / 4, "b": draw(random, 3 * HIDDEN)}


def node_of_microsoft(op, inputs, **attributes):
    return helper.make_node(op, inputs, ["y"], "att", domain="com.microsoft", num_heads=HEADS, **attributes)


@pytest.mark.parametrize("attributes", [{}, {"mask_filter_value": -3.0}])
@pytest.mark.parametrize("mask", MASKS)
def test_attention_takes_masks_of_each_shape(mask, attributes, check, random):
    inputs, constants = project(random)
    inputs["mask"] = MASKS[mask]
    check([node_of_microsoft("Attention", ["x", "w", "b", "mask"], **attributes)], inputs, constants)


@pytest.mark.parametrize("shape", [(BATCH, HEADS), (1, HEADS), (BATCH, 1), (1, 1)])
def test_attention_adds_a_bias_to_its_scores(shape, check, random):
    inputs, constants = project(random)
    inputs["bias"] = draw(random, *shape, TOKENS, TOKENS)
    check([node_of_microsoft("Attention", ["x", "w", "b", "", "", "bias"])], inputs, constants)


def test_attention_adds_a_bias_to_a_mask(check, random):
    inputs, constants = project(random)
    inputs |= {"bias": draw(random, 1, HEADS, TOKENS, TOKENS), "mask": LENGTHS}
    check([node_of_microsoft("Attention", ["x", "w", "b", "mask", "", "bias"])], inputs, constants)


def test_attention_takes_lengths_as_the_fusion_of_onnxruntime_writes_them(check, random):
    inputs, constants = project(random)
    inputs["attention_mask"] = np.array([[1, 1, 1, 0, 0, 0], [1] * TOKENS], np.int64)
    constants["axes"] = np.array([1], np.int64)
    nodes = [
        helper.make_node("Cast", ["attention_mask"], ["flags"], to=TensorProto.INT32),
        helper.make_node("ReduceSum", ["flags", "axes"], ["lengths"], keepdims=0),
        node_of_microsoft("Attention", ["x", "w", "b", "lengths"]),
    ]
    check(nodes, inputs, constants)


@pytest.mark.parametrize("mask", ["lengths", "flags", "flags of each query"])
def test_multi_head_attention_takes_masks_of_each_shape(mask, check, random):
    inputs = {name: draw(random, BATCH, TOKENS, HIDDEN) for name in "qkv"}
    inputs["mask"] = MASKS[mask]
    check([node_of_microsoft("MultiHeadAttention", ["q", "k", "v", "", "mask"])], inputs)


# --- graphs ---


def product():
    """Scaled scores of q and kt."""
    return [
        helper.make_node("MatMul", ["q", "kt"], ["product"]),
        helper.make_node("Mul", ["product", "scale"], ["scores"]),
    ]


def operands(random):
    """Inputs and constants of `product`."""
    inputs = {name: draw(random, BATCH, HEADS, TOKENS, SIZE) for name in "qv"}
    inputs["kt"] = draw(random, BATCH, HEADS, SIZE, TOKENS)
    return inputs, {"scale": np.float32(0.35)}


TRIANGLE = np.tril(np.ones((1, 1, 32, 32), np.float32))
SCATTERED = TRIANGLE.copy()
SCATTERED[..., 3:, 2] = 0


@pytest.mark.parametrize("has_padding", [False, True])
@pytest.mark.parametrize("table", [TRIANGLE, SCATTERED, TRIANGLE[..., :TOKENS, :TOKENS]])
def test_raises_masks_by_products_as_old_gpt2_exports_have_them(table, has_padding, check, random):
    inputs, constants = operands(random)
    constants |= {"table": table, "one": np.float32(1), "large": np.float32(1e4)}
    constants |= {"starts": np.array([0, 0]), "ends": np.array([TOKENS, TOKENS]), "axes": np.array([2, 3])}
    nodes = [
        *product(),
        helper.make_node("Slice", ["table", "starts", "ends", "axes"], ["flags"]),
        helper.make_node("Mul", ["scores", "flags"], ["shown"]),
        helper.make_node("Sub", ["one", "flags"], ["inverse"]),
        helper.make_node("Mul", ["inverse", "large"], ["hidden"]),
        helper.make_node("Sub", ["shown", "hidden"], ["masked"]),
        helper.make_node("Add", ["masked", "padding"], ["padded"]),
        helper.make_node("Softmax", ["padded" if has_padding else "masked"], ["p"], "softmax", axis=-1),
        helper.make_node("MatMul", ["p", "v"], ["y"]),
    ]
    if has_padding:
        inputs["padding"] = np.where(np.arange(TOKENS) == 1, np.float32(-1e4), 0)[None, None, None].astype(np.float32)
    else:
        nodes = [node for node in nodes if node.op_type != "Add"]
    check(nodes, inputs, constants)


def test_raises_a_guard_against_rows_that_are_hidden_entirely(check, random):
    inputs, constants = operands(random)
    inputs["mask"] = np.where(random.random((BATCH, 1, TOKENS, TOKENS)) < 0.5, -np.inf, 0).astype(np.float32)
    inputs["mask"][:, :, 2] = -np.inf
    constants["zero"] = np.float32(0)
    nodes = [
        *product(),
        helper.make_node("Add", ["scores", "mask"], ["masked"]),
        helper.make_node("Softmax", ["masked"], ["p"], "softmax", axis=-1),
        helper.make_node("IsNaN", ["p"], ["is_nan"]),
        helper.make_node("Where", ["is_nan", "zero", "p"], ["guarded"]),
        helper.make_node("MatMul", ["guarded", "v"], ["y"]),
    ]
    check(nodes, inputs, constants)
