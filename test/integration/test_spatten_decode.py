# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""SpAtten behind caches: every step against the NumPy oracle, and what a prompt hands to the steps."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from test_spatten import RANGES, random_heads

from sparsam_oracle import spatten as oracle


@pytest.fixture
def decoder(repository, run_json, tmp_path):
    """Compiles the decoder of the fixtures for the machine; returns a function that generates tokens from its state."""
    fixture = repository / "models" / "fixtures" / "gpt2-cache-tiny"

    def compile_decoder(*settings):
        program = tmp_path / "step.spx"
        run_json("compile", fixture / "model.onnx", "--target", "spatten", "--cache=past=32", "--shape=input_ids=1x1",
                 *settings, "-o", program)

        def generate(steps, state=fixture / "state.npz"):
            saved = tmp_path / f"{steps}.npz"
            report = run_json("generate", program, "--input", state, "--steps", steps, "--save-state", saved)
            return report, saved

        return generate

    return compile_decoder


def test_decodes_dense_like_onnxruntime(decoder, repository, load_npz):
    report, _ = decoder("--dense")(8)
    expected = load_npz(repository / "models" / "fixtures" / "gpt2-cache-tiny" / "steps.npz")
    assert report["tokens"] == [int(expected[f"{step}.logits"][0, -1].argmax()) for step in range(8)]


def test_importance_persists_from_step_to_step(decoder, load_npz):
    generate = decoder(*RANGES, "--set", "token_prune=0.7", "--set", "prune_slope=0")
    whole, saved = generate(8)
    importance = load_npz(saved)["sparsam.importance"]
    layers, heads = 2, 3
    assert importance.shape[1] >= 17
    # Every row of probabilities adds 1, rounded to 12 bits each; what was pruned all along stays at 0.
    assert importance.sum() == pytest.approx(8 * layers * heads, rel=0.01)
    first, state = generate(5)
    rest, _ = generate(3, state)
    assert first["tokens"] + rest["tokens"] == whole["tokens"]


def decoder_model(path, heads, dim, layers, queries=1):
    """Attention layers fed with each other, some queries at a time, each with a cache of keys and values."""
    row, nodes, x = [1, heads, queries, dim], [], "x"
    tensor = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)  # noqa: E731
    inputs, outputs = [tensor("x", row)], []
    for layer in range(layers):
        n = {m: f"{m}.{layer}" for m in ("key", "value", "new_key", "new_value", "t", "s", "scaled", "p", "o")}
        nodes += [
            helper.make_node("Concat", [n["key"], x], [n["new_key"]], axis=2),
            helper.make_node("Concat", [n["value"], x], [n["new_value"]], axis=2),
            helper.make_node("Transpose", [n["new_key"]], [n["t"]], perm=[0, 1, 3, 2]),
            helper.make_node("MatMul", [x, n["t"]], [n["s"]]),
            helper.make_node("Mul", [n["s"], "scale"], [n["scaled"]]),
            helper.make_node("Softmax", [n["scaled"]], [n["p"]], axis=-1),
            helper.make_node("MatMul", [n["p"], n["new_value"]], [n["o"]]),
        ]
        inputs += [tensor(n[m], [1, heads, "past", dim]) for m in ("key", "value")]
        outputs += [tensor(n["new_" + m], [1, heads, "total", dim]) for m in ("key", "value")]
        x = n["o"]
    scale = helper.make_tensor("scale", TensorProto.FLOAT, [], [1 / np.sqrt(dim)])
    graph = helper.make_graph(nodes, "decoder", inputs, [tensor(x, row), *outputs], [scale])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return x


TOKENS = ["--set", "token_prune=0.3"]
HEADS = ["--set", "head_prune=0.4"]


@pytest.mark.parametrize(
    "settings, tokens, heads, protect, prompt",
    [(TOKENS + HEADS, [24, 16, 11], [4, 2, 1], (), 10), (HEADS, [24, 24, 24], [4, 2, 1], (), 10),
     (TOKENS + ["--set", "protect=both"], [24, 16, 11], [4, 4, 4], (0,), 10),
     (TOKENS + HEADS, [24, 16, 11], [4, 2, 1], (), 0)],
    ids=["tokens_and_heads", "heads", "tokens_but_the_first", "fewer_tokens_than_heads"],
)  # fmt: skip
def test_every_step_of_a_pruning_decoder_equals_the_oracle(
    tmp_path, run_json, load_npz, settings, tokens, heads, protect, prompt
):
    layers, steps, dim = 3, 14, 32
    name = decoder_model(tmp_path / "m.onnx", heads[0], dim, layers)
    run_json("compile", tmp_path / "m.onnx", "--target", "spatten", "--cache=past=24", *RANGES, *settings,
             "--set", "prune_slope=0", "-o", tmp_path / "m.spx")
    random = np.random.default_rng(0)
    rows = lambda count: random.standard_normal((heads[0], count, dim)).astype(np.float32)  # noqa: E731
    state = oracle.DecoderState([[rows(prompt), rows(prompt)] for _ in range(layers)],
                                np.zeros(24, np.float32), np.zeros(heads[0], np.float32))
    fmt = oracle.Format(4.5, 4.5, 4.5, progressive=True)
    kept = {"sparsam.importance": np.zeros((1, prompt), np.float32), "sparsam.head_importance": state.heads[None]}
    seen = set()
    for step in range(steps):
        x = rows(1)
        x[step // 4] *= 3  # so that other heads become important
        inputs = {"x": x[None], **{k: v for k, v in kept.items() if step > 0}}
        for layer, (keys, values) in enumerate(state.caches):
            inputs |= {f"key.{layer}": keys[None], f"value.{layer}": values[None]}
        np.savez(tmp_path / "x.npz", **inputs)
        run_json("run", tmp_path / "m.spx", "--input", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
        y = load_npz(tmp_path / "y.npz")
        expected, _, living = oracle.decode(x, state, fmt, tokens, heads, lambda n: n // 2, protect)
        np.testing.assert_array_equal(y[name][0], expected, f"step {step}")
        kept = {n: y[n.replace(".", ".new_")] for n in kept if n.replace(".", ".new_") in y}
        assert ("sparsam.importance" in kept, "sparsam.head_importance" in kept) == (tokens[2] < 24, heads[2] < 4)
        if "sparsam.importance" in kept:
            np.testing.assert_array_equal(kept["sparsam.importance"][0], state.importance[: prompt + step + 1])
        if "sparsam.head_importance" in kept:
            np.testing.assert_array_equal(kept["sparsam.head_importance"][0], state.heads)
        seen.add(tuple(living[1]))
    assert heads[2] == 4 or len(seen) > 1  # else no ranking was at work


def test_steps_go_on_from_the_importance_of_a_prompt(tmp_path, run_json, load_npz):
    heads, dim, layers, prompt, capacity = 4, 32, 3, 9, 24
    for queries, cache in ((prompt, 0), (1, capacity)):
        name = decoder_model(tmp_path / f"{queries}.onnx", heads, dim, layers, queries)
        run_json("compile", tmp_path / f"{queries}.onnx", "--target", "spatten", f"--cache=past={cache}", *RANGES, *TOKENS,
                 *HEADS, "--set", "prune_slope=0", "-o", tmp_path / f"{queries}.spx")
    x = random_heads((1, heads, prompt, dim), 0)
    np.savez(tmp_path / "x.npz", x=x)
    run_json("run", tmp_path / f"{prompt}.spx", "--input", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
    y = load_npz(tmp_path / "y.npz")
    state = oracle.DecoderState([], np.zeros(capacity, np.float32), np.zeros(heads, np.float32))
    fed, fmt = x[0], oracle.Format(4.5, 4.5, 4.5)
    for _ in range(layers):
        state.caches.append([fed, fed])
        fed, tokens, magnitudes, *_ = oracle.attention(fed, fed, fed, fmt, prompt // 2)
        state.importance[:prompt] = (state.importance[:prompt].astype(np.float64) + tokens).astype(np.float32)
        state.heads = (state.heads.astype(np.float64) + magnitudes).astype(np.float32)
    np.testing.assert_array_equal(y[name][0], fed)  # no token and no head is pruned
    np.testing.assert_array_equal(y["sparsam.new_importance"][0], state.importance[:prompt])
    np.testing.assert_array_equal(y["sparsam.new_head_importance"][0], state.heads)

    np.savez(tmp_path / "z.npz", x=x[:, :, :1], **{k.replace("new_", ""): v for k, v in y.items() if "new_" in k})
    run_json("run", tmp_path / "1.spx", "--input", tmp_path / "z.npz", "-o", tmp_path / "w.npz")
    fmt = oracle.Format(4.5, 4.5, 4.5, progressive=True)
    expected, *_ = oracle.decode(x[0, :, :1], state, fmt, [24, 16, 11], [4, 2, 1], lambda n: n // 2)
    np.testing.assert_array_equal(load_npz(tmp_path / "w.npz")[name][0], expected)


def test_says_what_a_prompt_does_not_hand_over(decoder, repository, run_json, run_driver, tmp_path):
    fixture = repository / "models" / "fixtures" / "gpt2-cache-tiny"
    decoder(*RANGES, "--set", "token_prune=0.7")
    run_json("compile", fixture / "model.onnx", "--target", "spatten", "--cache=past=0", "--shape=input_ids=1x8", *RANGES,
             "-o", tmp_path / "prompt.spx")
    np.savez(tmp_path / "prompt.npz", input_ids=np.arange(8)[None])
    process = run_driver("generate", tmp_path / "step.spx", "--prompt-program", tmp_path / "prompt.spx",
                         "--input", tmp_path / "prompt.npz", "--steps", 2)
    assert process.returncode == 0
    assert ("prompt.spx returns no 'sparsam.new_importance': rankings start from zeros; compile it with the pruning "
            f"settings of {tmp_path / 'step.spx'}") in process.stderr


def test_replayed_decoding_takes_as_long(tmp_path, run_json):
    heads, dim = 4, 32
    decoder_model(tmp_path / "m.onnx", heads, dim, 3)
    run_json("compile", tmp_path / "m.onnx", "--target", "spatten", "--cache=past=24", *RANGES, *TOKENS, *HEADS,
             "-o", tmp_path / "m.spx")
    inputs = {f"{n}.{layer}": random_heads((1, heads, 20, dim), layer) for n in ("key", "value") for layer in range(3)}
    np.savez(tmp_path / "x.npz", x=random_heads((1, heads, 1, dim), 9), **inputs)
    report = run_json("run", tmp_path / "m.spx", "--input", tmp_path / "x.npz", "--record-masks", tmp_path / "masks.npz")
    replayed = run_json("run", tmp_path / "m.spx", "--replay-masks", tmp_path / "masks.npz")
    for figure in ("cycles", "dram_read_bytes", "dram_written_bytes"):
        assert replayed["accelerator"][figure] == report["accelerator"][figure]


def test_compares_what_the_model_returns_alone(run_json, repository):
    """A machine that prunes returns importance as well, which the model knows nothing of."""
    decoder = repository / "models/fixtures/gpt2-cache-tiny"
    (row,) = run_json("compare", decoder / "model.onnx", "--input", decoder / "state.npz", "--targets", "spatten",
                      "--set", "head_prune=0.5")["targets"]
    assert "logits" in row["outputs"] and not any(name.startswith("sparsam.") for name in row["outputs"])
