# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a target does with given settings, as one text: a core, a whole model, decoding, closed forms, a selection.

A parameter matters where one of these changes with it; `observe` in conformance.yaml names the one to look at (see suite.py).
"""

import functools
import json
import subprocess
import sys

import numpy as np
from cores import Core, digest, settings
from suite import REPOSITORY

FIXTURES = REPOSITORY / "models" / "fixtures"
DECODER = "gpt2-cache-tiny"
SCORES = np.random.default_rng(0).standard_normal((2, 128, 128), dtype=np.float32)

# Small; with padding; many heads in one row of DRAM; several tiles.
PARAMETER_CORES = [Core(), Core(valid=52), Core(heads=16), Core(heads=4, queries=256, keys=256, dims=64)]
SHAPE = ("heads", "queries", "keys", "dims", "valid")


def shapes(name):
    """Options for the inputs of a model of the fixtures whose shapes are dynamic."""
    with np.load(FIXTURES / name / "inputs.npz") as inputs:
        return [f"--shape={n}={'x'.join(map(str, a.shape))}" for n, a in inputs.items()] if name.startswith("bert") else []


class Observer:
    """Runs commands one after the other, each once. An observation is (text, ""), or (None, error) where one was refused."""

    def __init__(self, run_driver, load_npz, folder):
        self.run_driver, self.load_npz, self.folder = run_driver, load_npz, folder
        self.output = folder / "out.npz"

    @functools.cache
    def __call__(self, target, what, more=(), arguments=()):
        """`what` is a core, or a name of OBSERVATIONS; `more` are pairs of a parameter and its value."""
        observe = Observer.core if isinstance(what, Core) else OBSERVATIONS[what]
        self.output.unlink(missing_ok=True)
        process = observe(self, target, what, dict(more), arguments)
        if process.returncode != 0:
            return None, process.stderr
        arrays = self.load_npz(self.output) if self.output.exists() else {}
        return digest(json.loads(process.stdout), arrays), ""

    def core(self, target, core, more, arguments):
        return self.run_driver("attention", "--target", target, *settings(target, more), *core.arguments(self.folder), "-o", self.output,
                               "--json", *arguments)

    def figures(self, target, _, more, arguments):
        return self.run_driver("simulate", "--target", target, *settings(target, more), *target.figures, "--json", *arguments)

    def selection(self, target, _, more, arguments):
        scores = self.folder / "scores.npy"
        np.save(scores, SCORES)
        return self.run_driver("simulate", "--target", target, *settings(target, more), "--scores", scores, "--json", *arguments)

    def model(self, target, name, more, arguments):
        """Calibrated on its inputs; where a value of calibration is set, conformance.yaml gives the others."""
        model, inputs, shape = self.deep if name == "deep" else (FIXTURES / name / "model.onnx", FIXTURES / name / "inputs.npz", shapes(name))
        is_set = target.calibration.keys() & more.keys()
        calibration = [] if is_set else ["--calibrate", inputs]
        values = {**target.calibration, **more} if is_set else more
        return self.run_driver("run", model, "--target", target, *settings(target, values), *shape, *calibration, "--input", inputs, "-o",
                               self.output, "--json", *arguments)

    def decode(self, target, _, more, arguments):
        program, values = self.folder / "step.spx", {**target.calibration, **more}
        process = self.run_driver("compile", FIXTURES / DECODER / "model.onnx", "--target", target, *settings(target, values),
                                  "--cache=past=32", "--shape=input_ids=1x1", "-o", program)
        if process.returncode != 0:
            return process
        return self.run_driver("generate", program, "--input", FIXTURES / DECODER / "state.npz", "--steps=4", "-o", self.output, "--json",
                               *arguments)

    @functools.cached_property
    def deep(self):
        """An encoder of six layers with padding, for what grows or shrinks from layer to layer; the fixtures have two."""
        model, inputs = self.folder / "deep.onnx", self.folder / "deep.npz"
        sizes = {"seq-len": 32, "layers": 6, "hidden": 32, "heads": 4, "vocabulary": 64, "valid-len": 24}
        subprocess.run([sys.executable, REPOSITORY / "models" / "make_bert.py", "-o", model, "--inputs", inputs,
                        *(f"--{name}={size}" for name, size in sizes.items())], check=True, capture_output=True)
        return model, inputs, []


OBSERVATIONS = {
    "figures": Observer.figures,
    "selection": Observer.selection,
    "bert-tiny": Observer.model,
    "gpt2-tiny": Observer.model,
    "deep": Observer.model,
    "decode": Observer.decode,
}


def observations(target, parameter):
    """Where to look at a parameter: where conformance.yaml says; otherwise at cores and closed forms; everywhere for one that
    says to change nothing."""
    config = target.parameter(parameter["name"])
    if parameter["informative"]:
        return [*PARAMETER_CORES[:2], *OBSERVATIONS]
    if "observe" in config:
        return [config["observe"]]
    shape = {key: config[key] for key in SHAPE if key in config}
    return [*([Core(**shape)] if shape else PARAMETER_CORES), *(["figures"] if target.figures else [])]
