# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models that are refused: what is said, and that no program is left behind."""

import onnx
import pytest
from onnx import TensorProto, helper

FLOAT, INTEGER = TensorProto.FLOAT, TensorProto.INT64


def save(path, nodes, inputs, constants=(), output="y", opset=17):
    """Writes a model with these nodes; inputs are (name, type, shape)."""
    infos = [helper.make_tensor_value_info(*each) for each in inputs]
    result = onnx.ValueInfoProto(name=output)
    graph = helper.make_graph(nodes, "graph", infos, [result], list(constants))
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    onnx.save_model(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


@pytest.fixture
def refuse(run_driver, tmp_path):
    """Compiles a model, which must fail and leave no file, and returns what was said."""

    def compile_model(*model, options=(), **rest):
        save(tmp_path / "m.onnx", *model, **rest)
        before = sorted(tmp_path.iterdir())
        process = run_driver("compile", tmp_path / "m.onnx", "--target=template", "-o", tmp_path / "p.spx", *options)
        assert process.returncode == 1, process.stdout
        assert sorted(tmp_path.iterdir()) == before
        return process.stderr

    return compile_model


@pytest.mark.parametrize("extent", [2**40, 2**32])
def test_refuses_initializers_whose_size_wraps_around(refuse, extent):
    weight = TensorProto(name="w", data_type=FLOAT, dims=[extent, extent], raw_data=b"")
    node = helper.make_node("Gather", ["w", "i"], ["y"], "n")
    error = refuse([node], [("i", INTEGER, [3])], [weight])
    assert f"initializer 'w' has the shape [{extent}, {extent}], which is negative or has more than 2^40" in error


@pytest.mark.parametrize("extent", [2**40, 2**32])
def test_refuses_inputs_whose_size_wraps_around(refuse, extent):
    error = refuse([helper.make_node("Relu", ["x"], ["y"], "n")], [("x", FLOAT, [extent, extent])])
    assert f"input 'x' has the shape {extent}x{extent}, which has more than 2^40 elements" in error


def test_refuses_results_of_too_many_elements(refuse):
    inputs = [("a", FLOAT, [2**40, 1]), ("b", FLOAT, [1, 2**40])]
    error = refuse([helper.make_node("Add", ["a", "b"], ["y"], "n")], inputs)
    assert "node 'n' (Add): makes a tensor of more than 1099511627776 elements" in error


def test_leaves_no_program_that_does_not_load(refuse, tmp_path):
    earlier = tmp_path / "p.spx"
    earlier.write_bytes(b"an earlier program")
    error = refuse([helper.make_node("Relu", ["x"], ["y"], "n")], [("x", FLOAT, [1] * 33)])
    assert f"error: cannot load program {earlier}: tensor 'x' has 33 dimensions" in error
    assert earlier.read_bytes() == b"an earlier program"


def test_lists_the_nodes_that_compute_on_other_floats(refuse):
    nodes = [
        helper.make_node("Cast", ["x"], ["half"], "cast", to=TensorProto.FLOAT16),
        helper.make_node("Sub", ["half", "half"], ["d"], "/model/Sub"),
        helper.make_node("MatMul", ["d", "half"], ["y"], "/model/MatMul"),
    ]
    error = refuse(nodes, [("x", FLOAT, [2, 2])])
    assert "the model has 2 nodes that would compute in another type than float32, int64 and int32:" in error
    assert "\n  node '/model/Sub': Sub on FLOAT16\n  node '/model/MatMul': MatMul on FLOAT16\n" in error
    assert "note: reals are computed in float32: export the model in float32" in error


def test_names_the_host_where_a_target_cannot_run_the_attention(refuse):
    """Values of another width than queries."""
    nodes = [
        helper.make_node("MatMul", ["q", "kt"], ["s"]),
        helper.make_node("Softmax", ["s"], ["p"], "core", axis=-1),
        helper.make_node("MatMul", ["p", "v"], ["y"]),
    ]
    inputs = [("q", FLOAT, [1, 2, 8, 4]), ("kt", FLOAT, [1, 2, 4, 8]), ("v", FLOAT, [1, 2, 8, 6])]
    error = refuse(nodes, inputs, options=["--dense"])
    assert "error: node 'core': " in error
    assert error.endswith("\n  note: --attention host runs attention on the host instead\n")


def test_names_a_node_once(refuse):
    node = helper.make_node("Add", ["x", "y"], ["z"], "n")
    error = refuse([node], [("x", FLOAT, [2, 3]), ("y", FLOAT, [2, 4])], output="z")
    assert error.startswith("error: node 'n' (Add): cannot broadcast")


def test_shows_names_that_hold_an_end_of_string(refuse):
    weight = TensorProto(name="w", data_type=FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value="a\0b.bin")
    error = refuse([helper.make_node("Relu", ["w"], ["y"], "n")], [], [weight])
    assert "has its data in 'a?b.bin', which is not a path inside the folder of the model" in error


def test_refuses_two_shapes_of_one_input(refuse):
    model = [helper.make_node("Relu", ["x"], ["y"], "n")], [("x", FLOAT, ["batch", 4])]
    error = refuse(*model, options=["--shape=x=1x4", "--shape=x=2x4"])
    assert error == "error: there are two --shape x; an input has one shape\n"


def test_explain_lists_attention_that_nothing_can_run(run_driver, run_json, tmp_path):
    """Grouped queries, beside attention that is raised."""
    nodes = [
        helper.make_node("Attention", ["q", "k", "k"], ["o"], "grouped"),
        helper.make_node("Attention", ["o", "o", "o"], ["y"], "plain"),
    ]
    model = tmp_path / "m.onnx"
    save(model, nodes, [("q", FLOAT, [1, 4, 8, 16]), ("k", FLOAT, [1, 2, 8, 16])], opset=23)
    reason = "cannot be run: grouped queries (4 heads of Q, 2 of K) are not supported"
    report = run_json("explain", model)
    assert report["not_raised"] == [f"grouped: {reason}"]
    assert [core["name"] for core in report["attention"]] == ["attention_0"]
    process = run_driver("compile", model, "--target=template", "-o", tmp_path / "p.spx")
    assert (process.returncode, reason in process.stderr) == (1, True)
