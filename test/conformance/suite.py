# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which targets there are, and what each says about itself in targets/<name>/conformance.yaml.

    settings:        parameters that every check sets, as --set: {name: value}
    calibration:     values of what calibration sets, for checks that have no data
    tolerance:       largest absolute difference of a dense core from the reference, values of unit variance
    model_tolerance: the same for outputs of whole models from ONNX Runtime's
    parameters:      what a parameter needs to matter: {name: {settings: {...}, values: [...], arguments: [...], heads: 2,
                     queries: 80, keys: 80, dims: 16}}, each of them optional
    exclusions:      [{check: NAME, reason: TEXT}]; NAME is a test without `test_`, or one variant of it, as in
                     `is_deterministic[sparse]` or `parameter[pes]`; an exclusion of a check that passes is an error

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
KEYS = {"settings", "calibration", "tolerance", "model_tolerance", "parameters", "exclusions"}


class Target:
    """A target of the build, and its conformance.yaml."""

    def __init__(self, name):
        self.name = name
        path = REPOSITORY / "targets" / name / "conformance.yaml"
        self.config = (yaml.safe_load(path.read_text()) if path.is_file() else None) or {}
        unknown = self.config.keys() - KEYS
        assert not unknown, f"{path}: unknown key {', '.join(unknown)}; there are: {', '.join(sorted(KEYS))}"
        for exclusion in self.config.get("exclusions") or []:
            assert exclusion.get("check") and exclusion.get("reason"), f"{path}: an exclusion needs check and reason"
        self.settings = self.config.get("settings") or {}

    def __repr__(self):
        return self.name

    def parameter(self, name):
        return (self.config.get("parameters") or {}).get(name) or {}

    def reason(self, names):
        """Why a check that goes by these names is excluded; None if it is not."""
        return next((e["reason"] for e in self.config.get("exclusions") or [] if e["check"] in names), None)

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
