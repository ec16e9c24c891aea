# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Decoding with a cache of keys and values: every step of one program against ONNX Runtime."""

import argparse
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FIXTURE = REPOSITORY / "models" / "fixtures" / "gpt2-cache-tiny"
sys.path.insert(0, str(REPOSITORY / "models"))
import make_gpt2  # noqa: E402

TOLERANCE = 1e-4
CAPACITY = 32
STEPS = 16
HOST = ("--target=sanger", "--attention=host")


def session_of(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def reference(path, inputs):
    """ONNX Runtime's outputs by name."""
    session = session_of(path)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs)))


def cut(state, length):
    """The first tokens of a state, as the inputs of a step."""
    inputs = {name: array[:, :, :length] if name.startswith("past") else array for name, array in state.items()}
    inputs["position_ids"] = np.array([[length]], np.int64)
    if "attention_mask" in state:
        inputs["attention_mask"] = np.ones((1, length + 1), np.int64)
    return inputs


@pytest.fixture(scope="module")
def state(load_npz):
    return load_npz(FIXTURE / "state.npz")


@pytest.fixture(scope="module")
def steps(load_npz):
    return load_npz(FIXTURE / "steps.npz")


@pytest.fixture(scope="module")
def program(run_json, tmp_path_factory):
    """The fixture, compiled once for all steps."""
    path = tmp_path_factory.mktemp("decode") / "step.spx"
    report = run_json("compile", FIXTURE / "model.onnx", *HOST, f"--cache=past={CAPACITY}", "--shape=input_ids=1x1", "-o", path)
    assert report["attention"] == 2
    assert report["not_raised"] == []
    return path


@pytest.fixture(scope="module")
def without_mask(tmp_path_factory):
    """A model without the input attention_mask: causality is all that hides keys."""
    path = tmp_path_factory.mktemp("decode") / "plain.onnx"
    args = argparse.Namespace(
        layers=2, hidden=32, heads=2, vocabulary=61, positions=40, attention_mask=False, sharpness=6.0,
        embedding_deviation=0.05, seed=3,
    )  # fmt: skip
    onnx.save_model(make_gpt2.build_model(make_gpt2.make_weights(args), args), path)
    return path, args


@pytest.mark.parametrize("length", [0, 1, 5, 9])
def test_one_program_takes_caches_of_any_length(run_json, load_npz, tmp_path, program, state, length):
    inputs = cut(state, length)
    np.savez(tmp_path / "in.npz", **inputs)
    run_json("run", program, "--input", tmp_path / "in.npz", "-o", tmp_path / "out.npz")
    actual, expected = load_npz(tmp_path / "out.npz"), reference(FIXTURE / "model.onnx", inputs)
    assert actual.keys() == expected.keys()
    for name, array in expected.items():
        assert actual[name].shape == array.shape, name
        assert np.abs(actual[name] - array).max() <= TOLERANCE, name


def test_generates_the_tokens_of_every_step(run_json, load_npz, tmp_path, program, steps):
    output, saved = tmp_path / "out.npz", tmp_path / "state.npz"
    report = run_json(
        "generate", program, "--input", FIXTURE / "state.npz", "--steps", STEPS, "-o", output, "--save-state", saved
    )
    expected = [steps[f"{step}.logits"][0, -1] for step in range(STEPS)]
    actual = load_npz(output)
    assert report["tokens"] == [int(logits.argmax()) for logits in expected] == actual["tokens"].tolist()
    assert len(set(report["tokens"])) > 8  # else an error would go unseen
    assert np.abs(actual["logits"] - np.stack(expected)).max() <= TOLERANCE
    assert [step["length"] for step in report["steps"]] == list(range(10, 10 + STEPS))
    for name, array in load_npz(saved).items():
        if name.startswith("past_key_values"):
            assert np.abs(array - steps[name.replace("past_key_values", "present")]).max() <= TOLERANCE


def test_goes_on_where_it_stopped(run_json, tmp_path, program):
    whole = run_json("generate", program, "--input", FIXTURE / "state.npz", "--steps", 8)
    first = run_json("generate", program, "--input", FIXTURE / "state.npz", "--steps", 5, "--save-state", tmp_path / "s.npz")
    rest = run_json("generate", program, "--input", tmp_path / "s.npz", "--steps", 3)
    assert first["tokens"] + rest["tokens"] == whole["tokens"]


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_do_not_matter(run_json, load_npz, tmp_path, program, threads):
    outputs = [tmp_path / f"{name}.npz" for name in "ab"]
    for output, options in zip(outputs, ((), ("--threads", threads))):
        run_json("generate", program, "--input", FIXTURE / "state.npz", "--steps", 4, "-o", output, *options)
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


def test_takes_a_prompt_by_a_program_or_token_by_token(run_json, tmp_path, program, steps):
    prompt, expected = tmp_path / "prompt.npz", [int(steps[f"{step}.token"]) for step in range(STEPS)]
    np.savez(prompt, input_ids=steps["prompt"])
    tokens = steps["prompt"].shape[1]
    compiled = tmp_path / "prompt.spx"
    run_json("compile", FIXTURE / "model.onnx", *HOST, "--cache=past=0", f"--shape=input_ids=1x{tokens}", "-o", compiled)
    report = run_json("generate", program, "--prompt-program", compiled, "--input", prompt, "--steps", STEPS - 1)
    assert report["tokens"] == expected
    report = run_json("generate", program, "--input", prompt, "--steps", STEPS)
    assert report["tokens"] == expected
    assert len(report["prompt"]) == tokens - 1


@pytest.mark.parametrize("new", [1, 3])
def test_causality_needs_no_mask(run_json, load_npz, tmp_path, without_mask, new):
    model, args = without_mask
    program = tmp_path / "p.spx"
    report = run_json("compile", model, *HOST, "--cache=past=24", f"--shape=input_ids=1x{new}", "-o", program)
    assert report["attention"] == 2
    rng = np.random.default_rng(5)
    for length in (0, 4, 21):
        past = [rng.standard_normal((1, 2, length, 16)).astype(np.float32) for _ in range(4)]
        inputs = make_gpt2.feeds_of(rng.integers(61, size=new), past, args)
        np.savez(tmp_path / "in.npz", **inputs)
        run_json("run", program, "--input", tmp_path / "in.npz", "-o", tmp_path / "out.npz")
        expected = reference(model, inputs)
        for name, array in load_npz(tmp_path / "out.npz").items():
            assert np.abs(array - expected[name]).max() <= TOLERANCE, (name, length)
