# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A figure rests on every parameter that changes it: `figures` of arch.yaml leaves none out, and names none for nothing.

Each parameter of each target is changed, the others at their defaults, in a model with many queries and in one with a single
one. Figures that move must name it. Where arch.yaml has `figures`, what they name must move them, or `unmoved` of
conformance.yaml says why it does not in these models.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess

import pytest
import yaml

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
DRIVER = pathlib.Path(os.environ.get("SPARSAM_BUILD", REPOSITORY / "build/release")) / "bin/sparsam"

RECALL, DECODER = REPOSITORY / "models/recall", REPOSITORY / "models/fixtures/gpt2-cache-tiny"
MODELS = [(RECALL / "model.onnx", f"{RECALL / 'eval.npz'}@0:1"), (DECODER / "model.onnx", DECODER / "state.npz")]
# Figures of a report, by the key of `figures` that says what they rest on.
FIGURES = {"cycles": ("cycles", "utilization"), "dram_bytes": ("dram_bytes",), "energy": ("energy_picojoules",),
           "density": ("density",), "error": ("max_abs_error", "cosine", "agreement")}


def driver(*arguments):
    done = subprocess.run([DRIVER, *map(str, arguments)], capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def compare(target, model, *settings):
    path, inputs = model
    report = driver("compare", path, "--targets", target, "--input", inputs, "--json", *settings)
    if report is None or "error" in report["targets"][0]:
        return None
    row = report["targets"][0]
    row["dram_bytes"] = row["dram_read_bytes"] + row["dram_written_bytes"]
    return row


def other_values(parameter):
    """Values beside the default, as far as its type and its range tell."""
    value, kind = parameter["value"], parameter["type"]
    if parameter.get("choices"):
        return [choice for choice in parameter["choices"] if choice != value]
    if kind == "boolean" or value in ("true", "false"):
        return ["false" if value == "true" else "true"]
    number = float(value)
    least, most = parameter.get("min", 0), parameter.get("max", 1e9)
    others = [number * 2, number / 2, least, most]
    if kind == "integer":
        others = [int(other) for other in others]
    return [other for other in dict.fromkeys(others) if least <= other <= most and other != number]


def moved(target, models, parameter, hints, named):
    """Keys of `figures` that some other value of the parameter changes; extremes only where that shows too little."""
    keys = set()
    for number, value in enumerate([*hints, *other_values(parameter)]):
        if number >= 2 and keys >= named:
            break
        for model, default in models:
            row = compare(target, model, "--set", f"{target}.{parameter['name']}={value}")
            if row:
                keys |= {key for key, names in FIGURES.items() if any(row[name] != default[name] for name in names)}
    return keys


def pytest_generate_tests(metafunc):
    if DRIVER.is_file():
        metafunc.parametrize("target", [target["name"] for target in driver("targets", "--json")])
    else:
        metafunc.parametrize("target", ["no driver"])


def read_yaml(target, name):
    path = REPOSITORY / "targets" / target / name
    return (yaml.safe_load(path.read_text()) if path.is_file() else None) or {}


def test_figures_name_the_parameters_that_change_them(target, sparsam):
    assert sparsam.is_file()
    models = [(model, row) for model in MODELS if (row := compare(target, model))]
    if not models:
        pytest.skip(f"{target} runs none of the models")
    named = {key: {name for names in models[0][1]["rests_on"].get(figures[0], {}).values() for name in names}
             for key, figures in FIGURES.items()}
    declared = read_yaml(target, "arch.yaml").get("figures") or {}
    config = read_yaml(target, "conformance.yaml")
    parameters = driver("targets", target, "--json")["parameters"]

    def moves(parameter):
        hints = ((config.get("parameters") or {}).get(parameter["name"]) or {}).get("values") or []
        return moved(target, models, parameter, hints, {key for key in declared if parameter["name"] in named[key]})

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        moving = dict(zip((parameter["name"] for parameter in parameters), pool.map(moves, parameters)))
    excused = config.get("unmoved") or {}
    wrong = []
    for parameter in parameters:
        name, still = parameter["name"], False
        is_excused = name in excused or parameter["group"] in excused
        for key in FIGURES:
            if key in moving[name] and name not in named[key]:
                wrong.append(f"{key}: {name} changes it and is not named")
            if key in declared and key not in moving[name] and name in named[key]:
                still = True
                if not is_excused:
                    wrong.append(f"{key}: {name} is named and does not change it")
        if name in excused and not still:
            wrong.append(f"{name}: `unmoved` of conformance.yaml excuses what it need not")
    assert not wrong, "\n".join(wrong)
