# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whole encoder layers on a machine, in fixed point, against an independent version in NumPy: bit by bit."""

import json
import pathlib

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from sparsam_oracle import fixed_point as fx
from sparsam_oracle import nm

TOKENS, WIDTH, HEADS, HIDDEN = 37, 64, 4, 96
SIZE = WIDTH // HEADS
EPSILON = 1e-5
DECODER = pathlib.Path(__file__).resolve().parents[2] / "models" / "fixtures" / "gpt2-cache-tiny"


class Encoder:
    """One layer, normalised after (BERT), with random weights; [inputs, outputs] each."""

    def __init__(self, seed=0):
        random = np.random.default_rng(seed)
        shapes = {"q": (WIDTH, WIDTH), "k": (WIDTH, WIDTH), "v": (WIDTH, WIDTH), "o": (WIDTH, WIDTH),
                  "up": (WIDTH, HIDDEN), "down": (HIDDEN, WIDTH)}  # fmt: skip
        self.weights = {name: (random.standard_normal(s) / 8).astype(np.float32) for name, s in shapes.items()}
        self.biases = {name: random.standard_normal(s[1]).astype(np.float32) / 4 for name, s in shapes.items()}
        self.scales = {name: 1 + random.standard_normal(WIDTH).astype(np.float32) / 8 for name in ("norm1", "norm2")}
        self.offsets = {name: random.standard_normal(WIDTH).astype(np.float32) / 4 for name in ("norm1", "norm2")}
        self.x = random.standard_normal((1, TOKENS, WIDTH)).astype(np.float32)

    def save(self, path):
        nodes, constants = [], []

        def constant(name, array):
            constants.append(numpy_helper.from_array(array, name))
            return name

        def node(op, inputs, name, **attributes):
            nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
            return name

        def linear(x, name):
            weight, bias = constant(f"{name}.w", self.weights[name]), constant(f"{name}.b", self.biases[name])
            return node("Add", [node("MatMul", [x, weight], name), bias], f"{name}.add")

        def norm(x, name):
            factors = constant(f"{name}.s", self.scales[name]), constant(f"{name}.o", self.offsets[name])
            return node("LayerNormalization", [x, *factors], name, axis=-1, epsilon=EPSILON)

        split = constant("split", np.array([1, TOKENS, HEADS, SIZE]))
        merge = constant("merge", np.array([1, TOKENS, WIDTH]))

        def heads(name, perm):
            return node("Transpose", [node("Reshape", [linear("x", name), split], f"{name}.r")], f"{name}.t", perm=perm)

        q, v, k = heads("q", [0, 2, 1, 3]), heads("v", [0, 2, 1, 3]), heads("k", [0, 2, 3, 1])
        scores = node("Mul", [node("MatMul", [q, k], "qk"), constant("scale", np.float32(SIZE**-0.5))], "scores")
        context = node("MatMul", [node("Softmax", [scores], "softmax", axis=-1), v], "context")
        merged = node("Reshape", [node("Transpose", [context], "ct", perm=[0, 2, 1, 3]), merge], "merged")
        middle = norm(node("Add", [linear(merged, "o"), "x"], "o.res"), "norm1")
        up = node("Gelu", [linear(middle, "up")], "up.gelu")
        node("Identity", [norm(node("Add", [linear(up, "down"), middle], "down.res"), "norm2")], "y")
        shape = [1, TOKENS, WIDTH]
        graph = helper.make_graph(
            nodes, "encoder", [helper.make_tensor_value_info("x", 1, shape)],
            [helper.make_tensor_value_info("y", 1, shape)], constants)  # fmt: skip
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path)

    def run(self, ranges, n, m):
        """The layer in fixed point; `ranges` as the driver's calibration wrote them."""
        attention = ranges["attention_0"]

        def linear(x, fraction, name, result, function=None, residual=None, residual_fraction=0):
            weights = self.weights[name].T
            words = np.where(nm.mask(weights, n, m), weights, 0)
            weight_fraction = fx.fraction_of(np.abs(weights).max())
            shift = fx.product_shift(fraction + weight_fraction, ranges[name]["product_range"])
            sums = fx.product(x, fx.to_words(words, weight_fraction), shift)
            return fx.output(sums, fraction + weight_fraction - shift, result, self.biases[name], function,
                             residual, residual_fraction)  # fmt: skip

        def fraction_of(name):
            return fx.fraction_of(ranges[name]["output_range"])

        fraction = fx.fraction_of(ranges["q"]["input_range"])
        x = fx.to_words(self.x[0], fraction)
        parts = {name: linear(x, fraction, name, fraction_of(name)) for name in "qkv"}
        q, k, v = (parts[name].reshape(TOKENS, HEADS, SIZE).transpose(1, 0, 2) for name in "qkv")
        both = fraction_of("q") + fraction_of("k")
        shift = fx.product_shift(both, attention["score_range"] / float(np.float32(SIZE**-0.5)))
        score_fraction = fx.fraction_of(attention["score_range"])
        scores = fx.scaled(fx.product(q, k, shift), SIZE**-0.5, both - shift, score_fraction)
        p = fx.softmax(scores, score_fraction)
        context = fx.scaled(fx.product(p, v.transpose(0, 2, 1), 0), 1.0, 15 + fraction_of("v"), fraction_of("v"))
        context = context.transpose(1, 0, 2).reshape(TOKENS, WIDTH)
        o = linear(context, fraction_of("v"), "o", fraction_of("o"), residual=x, residual_fraction=fraction)
        middle = self.norm(o, fraction_of("o"), "norm1", fraction_of("norm1"))
        up = linear(middle, fraction_of("norm1"), "up", fraction_of("up"), "gelu")
        down = linear(up, fraction_of("up"), "down", fraction_of("down"), None, middle, fraction_of("norm1"))
        return fx.to_floats(self.norm(down, fraction_of("down"), "norm2", fraction_of("norm2")), fraction_of("norm2"))

    def norm(self, x, fraction, name, result):
        return fx.normalize(x, fraction, self.scales[name], self.offsets[name], EPSILON, result)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """The layer, as model.onnx with x.npz beside it."""
    folder = tmp_path_factory.mktemp("encoder")
    layer = Encoder()
    layer.save(folder / "model.onnx")
    np.savez(folder / "x.npz", x=layer.x)
    return layer, folder


def run(run_json, load_npz, folder, *options):
    report = run_json("run", folder / "model.onnx", "--target", "sta", "--input", folder / "x.npz", "-o",
                      folder / "y.npz", *options)  # fmt: skip
    return load_npz(folder / "y.npz")["y"][0], report


@pytest.mark.parametrize("n, m", [(2, 8), (1, 4), (1, 16)])
def test_fixed_point_is_that_of_the_oracle(encoder, run_json, load_npz, n, m):
    layer, folder = encoder
    settings = ["--set", "numerics=fixed", "--set", f"n={n}", "--set", f"m={m}"]
    ranges = folder / "ranges.json"
    run_json("calibrate", folder / "model.onnx", "--target", "sta", *settings, "--input", folder / "x.npz", "-o", ranges)
    got, report = run(run_json, load_npz, folder, *settings, "--calibration", ranges)
    expected = layer.run(json.loads(ranges.read_text()), n, m)
    assert np.array_equal(got, expected)
    assert [launch["kernel"] for launch in report["launches"]] == ["layer_0"]
    assert not any(kernel["op"].startswith("sattn") for kernel in report["host"]["kernels"])


@pytest.mark.parametrize("preset", ["large", "small", "tiny", "sta4"])
def test_fixed_point_is_the_same_on_every_instance_with_the_same_weights(encoder, run_json, load_npz, preset):
    _, folder = encoder
    dense = ["--dense", "--set", "numerics=fixed", "--calibrate", folder / "x.npz"]
    got, _ = run(run_json, load_npz, folder, *dense, "--preset", preset)
    expected, _ = run(run_json, load_npz, folder, *dense)
    assert np.array_equal(got, expected)


def test_dense_fixed_point_is_near_the_model(encoder, run_json, load_npz):
    import onnxruntime

    layer, folder = encoder
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    expected = session.run(None, {"x": layer.x})[0][0]
    exact, _ = run(run_json, load_npz, folder, "--dense")
    assert np.abs(exact - expected).max() < 1e-4
    fixed, _ = run(run_json, load_npz, folder, "--dense", "--set", "numerics=fixed", "--calibrate", folder / "x.npz")
    assert 0 < np.abs(fixed - expected).max() < 0.02


def test_sparse_is_the_dense_layer_of_the_pruned_weights(encoder, run_json, load_npz, tmp_path):
    layer, folder = encoder
    got, report = run(run_json, load_npz, folder, "--set", "n=2", "--set", "m=8")
    pruned = Encoder()
    pruned.weights = {k: np.where(nm.mask(w.T, 2, 8).T, w, np.float32(0)) for k, w in layer.weights.items()}
    pruned.save(tmp_path / "model.onnx")
    np.savez(tmp_path / "x.npz", x=layer.x)
    expected, dense = run(run_json, load_npz, tmp_path, "--dense")
    assert np.array_equal(got, expected)
    lost = sum(float((np.square(w) * ~nm.mask(w.T, 2, 8).T).sum()) for w in layer.weights.values())
    whole = sum(float(np.square(w).sum()) for w in layer.weights.values())
    assert report["weights"]["error"] == pytest.approx((lost / whole) ** 0.5, rel=1e-5)
    assert report["weights"]["bytes_before"] / report["weights"]["bytes_after"] == pytest.approx(3.2)
    assert report["cycles"] < dense["cycles"]
    weights = [sum(launch["metrics"]["weight_bytes"] for launch in r["launches"]) for r in (report, dense)]
    # Float words are 32 bits in the file, and 16 on the bus.
    assert weights[1] / weights[0] == pytest.approx(3.2)


def test_a_missing_calibration_is_an_error(encoder, run_driver):
    _, folder = encoder
    process = run_driver("compile", folder / "model.onnx", "--target", "sta", "--set", "numerics=fixed", "-o",
                         folder / "x.spx")  # fmt: skip
    assert process.returncode == 1
    assert "has no value for `input_range`, which numerics=fixed needs; calibrate on sample inputs" in process.stderr


def test_inputs_that_are_no_multiple_of_m_are_refused(tmp_path, run_driver):
    global WIDTH, SIZE
    width, size = WIDTH, SIZE
    try:
        WIDTH, SIZE = 36, 9
        Encoder().save(tmp_path / "model.onnx")
    finally:
        WIDTH, SIZE = width, size
    process = run_driver("compile", tmp_path / "model.onnx", "--target", "sta", "-o", tmp_path / "x.spx")
    assert process.returncode == 1
    assert "cannot be pruned to 2:8: its weight has 36 inputs per output" in process.stderr


def test_a_prompt_leaves_the_keys_and_values_of_the_host(run_json, load_npz, tmp_path):
    """A decoder's prompt: each layer returns columns of its packed queries, keys and values beside its output."""
    steps = load_npz(DECODER / "steps.npz")
    tokens = steps["prompt"].shape[1]
    np.savez(tmp_path / "in.npz", input_ids=steps["prompt"], position_ids=np.arange(tokens)[None],
             attention_mask=np.ones((1, tokens), np.int64))  # fmt: skip
    results = []
    for attention in ("dense", "host"):
        program, outputs = tmp_path / f"{attention}.spx", tmp_path / f"{attention}.npz"
        report = run_json("compile", DECODER / "model.onnx", "--target", "sta", "--attention", attention,
                          "--cache=past=0", f"--shape=input_ids=1x{tokens}", "-o", program)  # fmt: skip
        assert len(report["kernels"]) == (2 if attention == "dense" else 0)
        run_json("run", program, "--input", tmp_path / "in.npz", "-o", outputs)
        results.append(load_npz(outputs))
    dense, host = results
    assert {name for name in host if name.startswith("present")} == {
        f"present.{layer}.{what}" for layer in (0, 1) for what in ("key", "value")
    }
    for name, expected in host.items():
        assert np.abs(dense[name] - expected).max() < 1e-4, name
