# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which targets there are, and what each says about itself in targets/<name>/conformance.yaml.

    settings:        parameters that every check sets, as --set: {name: value}
    calibration:     values of what calibration sets, for checks that have no data
    tolerance:       largest absolute difference of a dense core from the reference, values of unit variance
    model_tolerance: the same for outputs of whole models from ONNX Runtime's
    figures:         arguments of `sparsam simulate` for the closed forms, where there are any: [--seq-len=512, ...]
    parameters:      what a parameter needs to matter: {name: {observe: deep, settings: {...}, values: [...], arguments: [...],
                     refuses: TEXT, heads: 2, queries: 80, keys: 80, dims: 16}}, each of them optional. Without `observe` it
                     is looked for in cores and closed forms; `observe` names one place of observations.py instead: figures,
                     selection (from scores), a model (bert-tiny, gpt2-tiny, deep: six layers), decode. With `refuses` its
                     effect is an error with that text.
    unmoved:         {NAME: TEXT}; why a parameter, or a group of them, is named by `figures` of arch.yaml although it moves
                     nothing in the models of test/integration/test_figures.py
    exclusions:      [{check: NAME, reason: TEXT, fails: TEXT}]; NAME is a test without `test_`, or one variant of it, as in
                     `is_deterministic[sparse]` or `parameter[pes]`; `fails` is what the failure says (a regular expression).
                     An exclusion of a check that passes, or that fails otherwise, is an error

A target that has nothing to say needs no such file.
"""

import functools
import json
import os
import pathlib
import subprocess

import yaml

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SPARSAM_BUILD", REPOSITORY / "build" / "release")).resolve()
KEYS = {"settings", "calibration", "tolerance", "model_tolerance", "figures", "parameters", "unmoved", "exclusions"}
PARAMETER_KEYS = {"observe", "settings", "values", "arguments", "refuses", "heads", "queries", "keys", "dims", "valid"}
EXCLUSION_KEYS = {"check", "reason", "fails"}


def expect_keys(path, where, given, known):
    unknown = given.keys() - known
    assert not unknown, f"{path}: {where}: unknown key {', '.join(sorted(unknown))}; there are: {', '.join(sorted(known))}"


class Target:
    """A target of the build, and its conformance.yaml."""

    def __init__(self, name):
        self.name = name
        path = REPOSITORY / "targets" / name / "conformance.yaml"
        self.config = (yaml.safe_load(path.read_text()) if path.is_file() else None) or {}
        expect_keys(path, "top", self.config, KEYS)
        for name, needs in (self.config.get("parameters") or {}).items():
            expect_keys(path, name, needs, PARAMETER_KEYS)
        for exclusion in self.config.get("exclusions") or []:
            expect_keys(path, exclusion.get("check"), exclusion, EXCLUSION_KEYS)
            assert all(exclusion.get(key) for key in EXCLUSION_KEYS), f"{path}: an exclusion needs check, reason and fails"
        self.settings = self.config.get("settings") or {}
        self.calibration = self.config.get("calibration") or {}
        self.figures = self.config.get("figures") or []

    def __repr__(self):
        return self.name

    def parameter(self, name):
        return (self.config.get("parameters") or {}).get(name) or {}

    def exclusion(self, names):
        """That of a check which goes by these names; None if it is not excluded."""
        return next((e for e in self.config.get("exclusions") or [] if e["check"] in names), None)

    @functools.cached_property
    def parameters(self):
        return query("targets", self.name)["parameters"]


def query(*arguments):
    """What the driver says as JSON; needed before there are fixtures, to know what to test."""
    process = subprocess.run([BUILD / "bin" / "sparsam", *arguments, "--json"], capture_output=True, text=True, check=False)
    assert process.returncode == 0, f"sparsam {' '.join(arguments)}: {process.stderr}"
    return json.loads(process.stdout)


@functools.cache
def all_targets():
    return [Target(entry["name"]) for entry in query("targets")]


def names_of(function, given):
    """What exclusions may call a check: by its name, or by one of its variants as well."""
    name = function.removeprefix("test_")
    rest = [value for key, value in given.items() if key != "target"]
    return {name, *(f"{name}[{value['name'] if isinstance(value, dict) else value}]" for value in rest)}
