# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whole models, from the ONNX file to outputs: dense against ONNX Runtime, and sparse against the oracle's curve."""

import dataclasses
import json
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

import sparsam_oracle as oracle

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = REPOSITORY / "models" / "fixtures"
RECALL = REPOSITORY / "models" / "recall"
sys.path.insert(0, str(RECALL))
import curve  # noqa: E402
from accuracy import accuracy  # noqa: E402

TOLERANCE = 1e-4
FIXTURE_DENSITY = 0.3  # what models/README.md states, at threshold 2e-3
RECALL_SAMPLES = 16
THREADS_OF_REFERENCE = 2


@dataclasses.dataclass
class Case:
    """A model, its inputs and what ONNX Runtime makes of them."""

    path: pathlib.Path
    inputs: dict
    outputs: dict
    dynamic: bool = True

    def shapes(self):
        """The --shape options that fix the dynamic dimensions."""
        if not self.dynamic:
            return []
        return [f"--shape={name}={'x'.join(map(str, array.shape))}" for name, array in self.inputs.items()]

    def softmaxes(self):
        return sum(node.op_type == "Softmax" for node in onnx.load(self.path, load_external_data=False).graph.node)


def run_reference(path, inputs):
    """ONNX Runtime's outputs by name."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS_OF_REFERENCE
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs)))


def load_fixture(name):
    folder = FIXTURES / name
    with np.load(folder / "inputs.npz") as inputs, np.load(folder / "outputs.npz") as outputs:
        return Case(folder / "model.onnx", dict(inputs), dict(outputs), dynamic=name != "gpt2-tiny")


def load_recall():
    with np.load(RECALL / "eval.npz") as arrays:
        inputs = {"tokens": arrays["tokens"][:RECALL_SAMPLES]}
    return Case(RECALL / "model.onnx", inputs, run_reference(RECALL / "model.onnx", inputs))


def make_bert(folder, *options):
    model, inputs = folder / "bert.onnx", folder / "bert-inputs.npz"
    size = ["--seq-len=70", "--layers=2", "--hidden=64", "--heads=4", "--density=0.2", f"--inputs={inputs}"]
    script = REPOSITORY / "models" / "make_bert.py"
    subprocess.run([sys.executable, script, "-o", model, *size, *options], check=True, timeout=120)
    with np.load(inputs) as arrays:
        arrays = dict(arrays)
    return Case(model, arrays, run_reference(model, arrays), dynamic=False)


FIXTURE_NAMES = ["bert-tiny", "bert-tiny-opset17", "gpt2-tiny"]
MODELS = [*FIXTURE_NAMES, "recall", "make_bert", "make_bert-padded-external"]


@pytest.fixture(params=MODELS)
def case(request, tmp_path):
    if request.param == "recall":
        return load_recall()
    if request.param == "make_bert":
        return make_bert(tmp_path)
    if request.param == "make_bert-padded-external":
        return make_bert(tmp_path, "--batch=2", "--valid-len=51", "--external-data")
    return load_fixture(request.param)


def attention_tensors(path, inputs):
    """Q and K of every attention, both [batch, heads, n, d], by a dense run with additional outputs."""
    model = onnx.load(path)
    producers = {name: node for node in model.graph.node for name in node.output}
    names = []
    for softmax in (node for node in model.graph.node if node.op_type == "Softmax"):
        node = producers[softmax.input[0]]
        while node.op_type != "MatMul":
            node = producers[node.input[1 if node.op_type == "Where" else 0]]
        names.append((node.input[0], node.input[1]))
    for name in (name for pair in names for name in pair):
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    values = iter(session.run([name for pair in names for name in pair], inputs))
    return [(q, k.swapaxes(-1, -2)) for q, k in zip(values, values)]


# --- the checked-in files themselves; these need no build ---


@pytest.mark.parametrize("name", FIXTURE_NAMES)
def test_fixture_outputs_are_those_of_onnxruntime(name):
    fixture = load_fixture(name)
    for output, value in run_reference(fixture.path, fixture.inputs).items():
        np.testing.assert_allclose(value, fixture.outputs[output], atol=1e-5)


@pytest.mark.parametrize("name", FIXTURE_NAMES)
def test_fixture_has_the_stated_density(name):
    fixture = load_fixture(name)
    length = fixture.inputs["input_ids"].shape[1]
    if "attention_mask" in fixture.inputs:
        keys = fixture.inputs["attention_mask"][:, None, None, :].astype(bool)
        valid = keys & keys.swapaxes(-1, -2)
    else:
        keys = valid = np.tril(np.ones((1, 1, length, length), bool))
    tensors = attention_tensors(fixture.path, fixture.inputs)
    assert len(tensors) == fixture.softmaxes() == 2
    for q, k in tensors:
        _, mask = oracle.predict(q, k, threshold=2e-3, bias=np.where(keys, 0.0, oracle.PADDING))
        assert mask[np.broadcast_to(valid, mask.shape)].mean() == pytest.approx(FIXTURE_DENSITY, abs=0.01)


def test_recall_answers_all_of_its_evaluation_set():
    with np.load(RECALL / "eval.npz") as arrays:
        tokens, labels = arrays["tokens"], arrays["labels"]
    logits = run_reference(RECALL / "model.onnx", {"tokens": tokens})["logits"]
    assert accuracy(logits.argmax(axis=-1), labels) == (1.0, 256 * 64)


# --- through the driver ---


def test_dense_model_equals_onnxruntime(case, run_json, load_npz, tmp_path):
    program, inputs, outputs = tmp_path / "p.spx", tmp_path / "x.npz", tmp_path / "y.npz"
    np.savez(inputs, **case.inputs)
    compiled = run_json("compile", case.path, "--target", "sanger", "--dense", *case.shapes(), "-o", program)
    assert (compiled["attention"], compiled["not_raised"]) == (case.softmaxes(), [])
    run_json("run", program, "--input", inputs, "-o", outputs)
    results = load_npz(outputs)
    assert set(results) == set(case.outputs)
    for name, expected in case.outputs.items():
        assert results[name].dtype == expected.dtype
        np.testing.assert_allclose(results[name], expected, rtol=0, atol=TOLERANCE, err_msg=name)


def test_two_runs_are_byte_identical(run_json, tmp_path):
    fixture = load_fixture("bert-tiny")
    inputs = FIXTURES / "bert-tiny" / "inputs.npz"
    program = tmp_path / "p.spx"
    run_json("compile", fixture.path, "--target", "sanger", "--calibrate", inputs, *fixture.shapes(), "-o", program)
    files = [tmp_path / "first.npz", tmp_path / "second.npz"]
    reports = [run_json("run", program, "--input", inputs, "-o", file) for file in files]
    with np.load(files[0]) as first, np.load(files[1]) as second:
        assert first["last_hidden_state"].tobytes() == second["last_hidden_state"].tobytes()
    assert reports[0]["cycles"] == reports[1]["cycles"] > 0


def test_models_without_products_run_on_no_machine(run_driver, tmp_path):
    x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 4]) for name in "xy")
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "relu", [x], [y])
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save_model(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), tmp_path / "m.onnx")
    np.savez(tmp_path / "x.npz", x=np.ones((1, 4), np.float32))
    process = run_driver("compare", tmp_path / "m.onnx", "--targets", "all", "--input", tmp_path / "x.npz", "--json")
    report = json.loads(process.stdout)
    assert {row["error"] for row in report["targets"]} == {"nothing of this model runs on it"}
    assert process.returncode == 1 and process.stderr == "error: none of the machines runs it\n"


@pytest.mark.parametrize(
    "bits, threshold, empty_row",
    [(4, 0.02, "dense"), (4, 0.1, "argmax"), (2, 0.002, "dense"), (2, 0.02, "dense"), (8, 0.02, "argmax")],
)
def test_sparse_recall_is_as_accurate_as_the_oracle_says(bits, threshold, empty_row, run_json, load_npz, tmp_path):
    with np.load(RECALL / "eval.npz") as arrays:
        tokens, labels = arrays["tokens"][:RECALL_SAMPLES], arrays["labels"][:RECALL_SAMPLES]
    model = curve.MaskedModel(RECALL / "model.onnx")
    logits, _, _ = model.run(tokens, empty_row, bits=bits, threshold=threshold)
    expected, answers = accuracy(logits.argmax(axis=-1), labels)

    program, inputs, outputs = tmp_path / "p.spx", tmp_path / "x.npz", tmp_path / "y.npz"
    np.savez(inputs, tokens=tokens)
    settings = {"bits": bits, "threshold": threshold, "empty_row": empty_row}
    run_json(
        *["compile", RECALL / "model.onnx", "--target", "sanger", f"--shape=tokens={RECALL_SAMPLES}x128"],
        *["--calibrate", inputs, "-o", program, *(f"--set={name}={value}" for name, value in settings.items())],
    )
    run_json("run", program, "--input", inputs, "-o", outputs)
    reached, _ = accuracy(load_npz(outputs)["logits"].argmax(axis=-1), labels)
    # Codes next to a rounding border fall either way, and later layers see the difference: 3 % of 1024 answers.
    assert answers == RECALL_SAMPLES * 64
    assert reached == pytest.approx(expected, abs=0.03)
