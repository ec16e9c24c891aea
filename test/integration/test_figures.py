# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A figure rests on every parameter that changes it: `figures` of arch.yaml leaves none out.

Each parameter of each target is changed, the others at their defaults; figures that move must name it."""

import json
import os
import pathlib
import subprocess

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
DRIVER = pathlib.Path(os.environ.get("SPARSAM_BUILD", REPOSITORY / "build/release")) / "bin/sparsam"

MODEL, INPUTS = (REPOSITORY / "models/fixtures/gpt2-tiny" / name for name in ("model.onnx", "inputs.npz"))
FIGURES = ("cycles", "dram_bytes", "energy_picojoules", "density", "utilization", "max_abs_error", "cosine", "agreement")


def driver(*arguments):
    done = subprocess.run([DRIVER, *map(str, arguments)], capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def compare(target, *settings):
    report = driver("compare", MODEL, "--targets", target, "--input", INPUTS, "--json", *settings)
    if report is None or "error" in report["targets"][0]:
        return None
    row = report["targets"][0]
    row["dram_bytes"] = row["dram_read_bytes"] + row["dram_written_bytes"]
    return row


def other_values(text):
    """Values beside the default, as far as their type tells."""
    if text in ("true", "false"):
        return ["false" if text == "true" else "true"]
    try:
        number = int(text)
        return [number * 2, max(number // 2, 1)]
    except ValueError:
        pass
    try:
        return [float(text) * 2, float(text) / 2]
    except ValueError:
        return []


def pytest_generate_tests(metafunc):
    if DRIVER.is_file():
        metafunc.parametrize("target", [target["name"] for target in driver("targets", "--json")])
    else:
        metafunc.parametrize("target", ["no driver"])


def test_figures_name_every_parameter_that_changes_them(target, sparsam):
    assert sparsam.is_file()
    default = compare(target)
    if default is None:
        pytest.skip(f"{target} does not run {MODEL.parent.name}")
    missing = []
    for parameter in driver("targets", target, "--json")["parameters"]:
        for value in other_values(parameter["value"]):
            row = compare(target, "--set", f"{target}.{parameter['name']}={value}")
            for figure in FIGURES if row else ():
                named = {name for names in default["rests_on"].get(figure, {}).values() for name in names}
                if row[figure] != default[figure] and parameter["name"] not in named:
                    missing.append(f"{figure}: {parameter['name']}")
    assert not missing, sorted(set(missing))
