# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What --cache refuses: graphs that read the tokens of earlier runs in another way than attention does."""

import pathlib

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

FLOAT, INTEGER = TensorProto.FLOAT, TensorProto.INT64
PREFIX = "cannot be compiled with a cache: "


class Graph:
    """One cache `past` [1, 1, past, 4] that x [1, 1, 1, 4] is appended to, and what a case adds."""

    def __init__(self):
        self.nodes = [helper.make_node("Concat", ["past", "x"], ["present"], "append", axis=2)]
        self.constants = [numpy_helper.from_array(np.array(2, np.int64), "two")]
        self.inputs = [
            helper.make_tensor_value_info("x", FLOAT, [1, 1, 1, 4]),
            helper.make_tensor_value_info("ids", INTEGER, [1, 1]),
            helper.make_tensor_value_info("past", FLOAT, [1, 1, "past", 4]),
        ]
        self.outputs = {"present": (FLOAT, [1, 1, "total", 4])}

    def node(self, op, inputs, output, name="", **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name, **attributes))

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))

    def output(self, name, kind=FLOAT, rank=4):
        self.outputs[name] = (kind, [None] * rank)

    def length(self):
        """The number of past tokens, a scalar."""
        self.node("Shape", ["past"], "shape")
        self.node("Gather", ["shape", "two"], "length", axis=0)
        return "length"

    def save(self, path):
        outputs = [helper.make_tensor_value_info(name, *rest) for name, rest in self.outputs.items()]
        graph = helper.make_graph(self.nodes, "decoder", self.inputs, outputs, self.constants)
        onnx.save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


@pytest.fixture
def refuse(run_driver, tmp_path):
    """Compiles the graph, which must fail, and returns what was said."""

    def compile_graph(graph):
        graph.save(tmp_path / "m.onnx")
        options = ("--target=sanger", "--attention=host", "--cache=past=32", "-o", tmp_path / "p.spx")
        process = run_driver("compile", tmp_path / "m.onnx", *options)
        assert process.returncode == 1, process.stdout
        assert not (tmp_path / "p.spx").exists()
        return process.stderr

    return compile_graph


def test_takes_the_graph_that_cases_start_from(run_json, tmp_path):
    graph = Graph()
    graph.node("Add", ["ids", graph.length()], "y")
    graph.output("y", INTEGER, 2)
    graph.save(tmp_path / "m.onnx")
    program = tmp_path / "p.spx"
    run_json("compile", tmp_path / "m.onnx", "--target=sanger", "--attention=host", "--cache=past=32", "-o", program)
    past = np.arange(20, dtype=np.float32).reshape(1, 1, 5, 4)
    np.savez(tmp_path / "in.npz", x=np.ones((1, 1, 1, 4), np.float32), ids=np.array([[100]]), past=past)
    run_json("run", program, "--input", tmp_path / "in.npz", "-o", tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as out:
        assert out["y"] == 105
        assert out["present"].ravel().tolist() == past.ravel().tolist() + [1] * 4


def test_refuses_sums_over_tokens(refuse):
    graph = Graph()
    graph.node("ReduceMean", ["present"], "y", "mean", axes=[2])
    graph.output("y")
    text = refuse(graph)
    assert f"node 'mean': 'onnx.ReduceMean' op {PREFIX}it reads the tokens of a cache; only sattn.attention may" in text


def test_refuses_outputs_that_grow_but_continue_nothing(refuse):
    graph = Graph()
    graph.node("Neg", ["present"], "y")
    graph.output("y")
    assert "output 'y' grows with the number of past tokens, but is not an input with the new tokens appended" in refuse(graph)


def test_refuses_caches_without_output(refuse):
    graph = Graph()
    graph.node("Neg", ["present"], "negative")
    graph.node("Identity", ["x"], "y")
    graph.outputs = {"y": (FLOAT, [1, 1, 1, 4])}
    graph.inputs.append(helper.make_tensor_value_info("keys", FLOAT, [1, 1, "past", 4]))
    graph.node("Concat", ["keys", "x"], "all", axis=2)
    graph.node("MatMul", ["x", "xt"], "scores")
    graph.node("Transpose", ["all"], "xt", perm=[0, 1, 3, 2])
    graph.nodes[-1], graph.nodes[-2] = graph.nodes[-2], graph.nodes[-1]
    graph.node("Softmax", ["scores"], "p", axis=-1)
    graph.node("MatMul", ["p", "all"], "z")
    graph.output("z")
    assert "input 'keys' is a cache, but no output continues it" in refuse(graph)


def test_refuses_caches_of_other_layouts(refuse):
    graph = Graph()
    graph.nodes = [helper.make_node("Concat", ["past", "x"], ["present"], "append", axis=3)]
    graph.inputs[0] = helper.make_tensor_value_info("x", FLOAT, [1, 1, 4, 1])
    graph.inputs[2] = helper.make_tensor_value_info("past", FLOAT, [1, 1, 4, "past"])
    text = refuse(graph)
    assert f"node 'append': 'onnx.Concat' op {PREFIX}expects caches of float32 [batch, heads, tokens, size], got" in text
    assert "which grows in dimension 3" in text


def test_refuses_caches_that_grow_differently(refuse):
    graph = Graph()
    graph.inputs.append(helper.make_tensor_value_info("values", FLOAT, [1, 1, "past", 4]))
    graph.inputs.append(helper.make_tensor_value_info("two_rows", FLOAT, [1, 1, 2, 4]))
    graph.node("Concat", ["values", "two_rows"], "more", "append_two", axis=2)
    graph.output("more")
    assert f"node 'append_two': 'onnx.Concat' op {PREFIX}it appends 2 tokens, others 1" in refuse(graph)


def test_refuses_numbers_that_are_not_on_a_line(refuse):
    graph = Graph()
    graph.node("Mul", [graph.length(), "length"], "square")
    graph.node("Add", ["ids", "square"], "y", "sum")
    graph.output("y", INTEGER, 2)
    text = refuse(graph)
    assert f"node 'sum': 'onnx.Add' op {PREFIX}its operand 1 depends on the number of past tokens, but is no multiple" in text


def test_refuses_reals_that_depend_on_the_length(refuse):
    graph = Graph()
    graph.node("Cast", [graph.length()], "real", to=FLOAT)
    graph.node("Add", ["x", "real"], "y", "sum")
    graph.output("y")
    text = refuse(graph)
    assert f"{PREFIX}its operand 1 is a constant of f32 that depends on the number of past tokens; only int64 may" in text


def test_refuses_constants_that_grow(refuse):
    graph = Graph()
    graph.constant("zero", np.array(0, np.int64))
    graph.constant("one", np.array(1, np.int64))
    graph.node("Add", [graph.length(), "one"], "total")
    graph.node("Range", ["zero", "total", "one"], "numbers")
    graph.node("Cast", ["numbers"], "reals", to=FLOAT)
    graph.constant("axes", np.array([0, 1, 3], np.int64))
    graph.node("Unsqueeze", ["reals", "axes"], "column")
    graph.node("Add", ["present", "column"], "y", "sum")
    graph.output("y")
    text = refuse(graph)
    assert "is a constant whose shape and elements depend on the number of past tokens" in text


def test_refuses_other_uses_of_a_cache(refuse):
    graph = Graph()
    graph.node("Neg", ["past"], "y")
    graph.output("y")
    text = refuse(graph)
    assert f"node 'append': 'onnx.Concat' op {PREFIX}its cache 'past' is used by other nodes, too" in text


def test_refuses_slices_that_move(refuse):
    graph = Graph()
    graph.constant("table", np.zeros((70000, 1), np.float32))
    graph.constant("first", np.array([1], np.int64))
    graph.node("Reshape", [graph.length(), "first"], "start")
    graph.node("Add", ["start", "first"], "end")
    graph.node("Slice", ["table", "start", "end"], "row", "slice")
    graph.node("Add", ["x", "row"], "y")
    graph.output("y")
    text = refuse(graph)
    assert f"node 'slice': 'onnx.Slice' op {PREFIX}its operand 1 must be constant, but depends on the number" in text


def test_refuses_shapes_that_grow_twice(refuse):
    graph = Graph()
    graph.node("Transpose", ["present"], "t", perm=[0, 1, 3, 2])
    graph.node("MatMul", ["present", "t"], "y", "product")
    graph.output("y")
    text = refuse(graph)
    assert f"node 'product': 'onnx.MatMul' op {PREFIX}its shape must grow by one entry of one dimension" in text


def test_refuses_graphs_that_change(refuse):
    graph = Graph()
    graph.inputs.append(helper.make_tensor_value_info("row", FLOAT, [31]))
    graph.constant("zero", np.array([0], np.int64))
    graph.constant("axis", np.array([0], np.int64))
    graph.node("Reshape", [graph.length(), "axis_shape"], "end")
    graph.constant("axis_shape", np.array([1], np.int64))
    graph.node("Slice", ["row", "zero", "end", "axis"], "part", "slice")
    graph.node("ReduceSum", ["part"], "y", keepdims=0)
    graph.output("y", FLOAT, 0)
    text = refuse(graph)
    assert "there is another onnx.Slice in its place" in text


def test_refuses_operands_that_are_missing_at_some_lengths(refuse):
    """One of two slices cuts nothing: the first with 31 past tokens, else the second, which alone has steps."""
    graph = Graph()
    for name, value in {"zero": [0], "one": [1], "axis": [3], "all": [4], "most": [3], "many": 31}.items():
        graph.constant(name, np.array(value, np.int64))
    graph.node("Div", [graph.length(), "many"], "is_many")
    graph.node("Add", ["most", "is_many"], "first_end")
    graph.node("Sub", ["all", "is_many"], "second_end")
    graph.node("Slice", ["x", "zero", "first_end", "axis"], "part", "first")
    graph.node("Slice", ["part", "zero", "second_end", "axis", "one"], "y", "second")
    graph.output("y")
    text = refuse(graph)
    assert f"node 'second': 'onnx.Slice' op {PREFIX}its operand 4 has no elements at some numbers of past tokens" in text


def test_refuses_lengths_that_nothing_is_appended_to(refuse):
    graph = Graph()
    graph.nodes = [helper.make_node("Neg", ["past"], ["present"])]
    text = refuse(graph)
    assert "--cache past=32: nothing is appended to an input with the dimension 'past' (expects Concat(past, new))" in text


FIXTURE = pathlib.Path(__file__).resolve().parents[2] / "models" / "fixtures" / "gpt2-cache-tiny" / "model.onnx"
POSITIONS = 64  # of the fixture


@pytest.mark.parametrize(
    "options, expected",
    [
        (
            ["--cache=foo=32"],
            "--cache foo=32: no input has a dimension 'foo'; there are batch, past, past + sequence, sequence",
        ),
        (["--cache=past=32"], "note: give it with, for example, --shape input_ids=1x128\n"),
        (["--cache=past=32"], "past_key_values.0.key [batch, 3, past, 16]"),
        (
            ["--cache=past=1000", "--shape=input_ids=1x1"],
            f"--cache past=1000: the model has no positions for so many tokens; it takes at most {POSITIONS - 1} "
            f"past tokens\n  note: with {POSITIONS}, node '/transformer/h.0/attn/Where': ",
        ),
        (
            ["--cache=past=100", "--shape=input_ids=1x1"],
            f"--cache past=100: the model has no positions for so many tokens; it takes at most {POSITIONS - 1} ",
        ),
    ],
)
def test_says_what_a_cache_can_be(options, expected, run_driver, tmp_path):
    process = run_driver(
        *["compile", FIXTURE, "--target=template", "--attention=host", "-o", tmp_path / "p.spx", *options]
    )
    assert process.returncode == 1
    assert expected in process.stderr
    assert not (tmp_path / "p.spx").exists()


def test_takes_a_cache_for_all_positions(run_json, tmp_path):
    options = ["--target=template", "--attention=host", f"--cache=past={POSITIONS}", "--shape=input_ids=1x1"]
    run_json("compile", FIXTURE, *options, "-o", tmp_path / "p.spx")
