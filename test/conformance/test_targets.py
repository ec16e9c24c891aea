# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What every target must do. No target is named here: they come from the build, their settings, tolerances and exclusions
from targets/<name>/conformance.yaml (see suite.py). The binary form of instructions is in IsaTest.cpp."""

import itertools
import pathlib
import re
import subprocess

import numpy as np
import pytest
from cores import Core, digest, settings, stable
from observations import FIXTURES, shapes
from suite import BUILD, REPOSITORY, all_targets

MODELS = ["bert-tiny", "gpt2-tiny"]
CORES = {
    "odd": Core(),
    "padded": Core(valid=52),
    "tiny": Core(heads=1, queries=1, keys=7, dims=8),
    "tiled": Core(heads=3, queries=130, keys=130, dims=32),
}
REFUSALS = [b"cannot run on", b"has a mask that is no pattern of windows and global tokens: it depends on the input"]
MODES = {"sparse": [], "dense": ["--dense"]}

ATTENTION = """
func.func @main(%q: tensor<2x3x70x16xf32>{parameter}) -> tensor<2x3x70x16xf32> {{
  %o = sattn.attention %q, %q, %q{mask} {{scale = 0.25 : f32, policy = #sattn.dense, sattn.name = "attention_0"{causal}}}
    : tensor<2x3x70x16xf32>, tensor<2x3x70x16xf32>, tensor<2x3x70x16xf32>{type} -> tensor<2x3x70x16xf32>
  return %o : tensor<2x3x70x16xf32>
}}
"""


@pytest.fixture
def attend(run_json, load_npz, tmp_path):
    """Runs a core on a target; returns report and arrays."""

    def run(target, core, *arguments, more=None):
        output = tmp_path / "attention.npz"
        report = run_json("attention", "--target", target, *settings(target, more), *core.arguments(tmp_path), "-o", output, *arguments)
        return report, load_npz(output)

    return run


@pytest.fixture
def compiled(run_json, tmp_path):
    """Compiles a model of the fixtures for a target; returns the program and the inputs."""

    def compile_model(target, name, *arguments):
        folder, program = FIXTURES / name, tmp_path / f"{name}.spx"
        run_json("compile", folder / "model.onnx", "--target", target, *settings(target), *shapes(name), *arguments, "-o", program)
        return program, folder / "inputs.npz"

    return compile_model


def calibrated(name):
    return ["--calibrate", FIXTURES / name / "inputs.npz"]


# --- the compiler's half ---


def attention_text(mask, causal):
    """A core in the input's dialect; `mask` is the shape of an input, or empty."""
    parts = {"parameter": f", %m: tensor<{mask}xf32>", "mask": " mask %m", "type": f", tensor<{mask}xf32>"}
    return ATTENTION.format(causal=", causal" if causal else "", **(parts if mask else dict.fromkeys(parts, ""))).encode()


def opt(*arguments, text=None, may_refuse=False):
    """sparsam-opt's output; None where the target says that its machine cannot run this, or that its patterns are static."""
    process = subprocess.run([BUILD / "bin" / "sparsam-opt", *map(str, arguments)], input=text, capture_output=True, check=False)
    if may_refuse and process.returncode == 1 and any(text in process.stderr for text in REFUSALS):
        return None
    assert process.returncode == 0, process.stderr.decode()
    return process.stdout


def test_dialect_round_trips(target):
    seen = set()
    more = ",".join(option.removeprefix("--set=") for option in settings(target, target.calibration))
    for attention, mask, causal in itertools.product(["sparse", "dense"], ["", "1x1x70x70", "2x1x1x70", "1x3x1x70"], [False, True]):
        pipeline = f"--sparsam-compile=target={target} attention={attention}" + (f" settings={more}" if more else "")
        lowered = opt(pipeline, text=attention_text(mask, causal), may_refuse=True)
        if lowered is None:
            continue
        seen.add(attention)
        assert f"{target}.".encode() in lowered, "no instruction of the target is left"
        assert opt(text=lowered) == lowered
        assert opt(text=opt("--mlir-print-op-generic", text=lowered)) == lowered
        assert opt(text=opt("--emit-bytecode", text=lowered)) == lowered
    assert seen == set(MODES), "not one of the cores can be lowered"


def test_program_is_listed(target, compiled, run_json):
    program, _ = compiled(target, MODELS[0], "--dense")
    for kernel in run_json("disassemble", program):
        assert kernel["target"] == target.name
        assert len(kernel["listing"].splitlines()) > 1


# --- numerics ---


@pytest.mark.parametrize("core", CORES)
def test_dense_core_equals_the_reference(target, core, attend):
    core = CORES[core]
    _, arrays = attend(target, core, "--dense")
    queries = core.valid or core.queries
    np.testing.assert_allclose(arrays["out"][:, :queries], core.reference()[:, :queries], atol=target.config.get("tolerance", 1e-5), rtol=0)


@pytest.mark.parametrize("name", MODELS)
def test_dense_model_equals_onnxruntime(target, name, compiled, run_json, load_npz, tmp_path):
    program, inputs = compiled(target, name, "--dense")
    report = run_json("run", program, "--input", inputs, "-o", tmp_path / "y.npz")
    metrics = "\n".join(f"{launch['kernel']}: {launch['metrics']}" for launch in report["launches"])
    expected, actual = load_npz(FIXTURES / name / "outputs.npz"), load_npz(tmp_path / "y.npz")
    assert actual.keys() == expected.keys()
    for output, value in expected.items():
        np.testing.assert_allclose(actual[output], value, atol=target.config.get("model_tolerance", 1e-4), rtol=0, err_msg=metrics)


@pytest.mark.parametrize("mode", MODES)
def test_is_deterministic(target, mode, attend):
    digests = {threads: digest(*attend(target, CORES["tiled"], *MODES[mode], f"--threads={threads}")) for threads in (1, 2, 3)}
    again = digest(*attend(target, CORES["tiled"], *MODES[mode], "--threads=2"))
    assert len({*digests.values(), again}) == 1


# --- time and energy ---


def costs(attend, target, cores, *arguments):
    return [attend(target, core, *arguments)[0]["accelerator"]["cycles"] for core in cores]


@pytest.mark.parametrize("mode", MODES)
def test_time_grows_with_work(target, mode, attend):
    for cores in ([Core(queries=n, keys=n) for n in (32, 128, 256, 512)], [Core(heads=h, queries=128, keys=128) for h in (1, 2, 4, 8)],
                  [Core(queries=128, keys=128, dims=d) for d in (16, 64, 128)]):
        cycles = costs(attend, target, cores, *MODES[mode])
        assert all(a < b for a, b in itertools.pairwise(cycles)), f"{cores}: {cycles}"


@pytest.mark.parametrize("name", MODELS)
def test_replayed_timing_gives_the_cycles_of_the_full_run(target, name, compiled, run_json, tmp_path):
    program, inputs = compiled(target, name, *calibrated(name))
    masks = tmp_path / "masks.npz"
    full = run_json("run", program, "--input", inputs, "--record-masks", masks)
    replayed = run_json("run", program, "--replay-masks", masks)
    assert full["accelerator"]["cycles"] > 0
    assert stable(replayed["accelerator"]) == stable(full["accelerator"])
    # Figures of the numerics (errors, clamped values) are known to a full run alone.
    costs = [[{**launch, "metrics": {}} for launch in report["launches"]] for report in (replayed, full)]
    assert stable(costs[0]) == stable(costs[1])


@pytest.mark.parametrize("name", MODELS)
def test_energy_adds_up(target, name, compiled, run_json):
    program, inputs = compiled(target, name, *calibrated(name))
    report = run_json("run", program, "--input", inputs)
    total = report["accelerator"]
    for cost in (total, *report["launches"]):
        assert all(event["source"] for event in cost["energy"])
        for event in cost["energy"]:
            assert event["picojoules"] == pytest.approx(event["count"] * event["picojoules_each"])
        assert cost["energy_picojoules"] == pytest.approx(sum(event["picojoules"] for event in cost["energy"])) != 0
    for what in ("cycles", "dram_read_bytes", "dram_written_bytes", "instructions", "energy_picojoules"):
        assert total[what] == pytest.approx(sum(launch[what] for launch in report["launches"])), what


def test_units_are_busy_within_the_time(target, attend):
    report, _ = attend(target, Core(heads=4, queries=128, keys=128, dims=64))
    cost = report["accelerator"]
    assert any(unit["busy_cycles"] for unit in cost["units"])
    assert all(0 <= unit["busy_cycles"] <= cost["cycles"] for unit in cost["units"])
    assert cost["dram_read_bytes"] >= 3 * 4 * 128 * 64 // 8, "each of Q, K and V crosses the bus at least as bits"


# --- what was published, and what is excluded ---


def test_paper_is_reproduced(target, run_json):
    rows = run_json("reproduce", "--target", target)
    assert all(row.get("pass") or row.get("not_reproduced") for row in rows)


def test_exclusions_name_checks(target):
    modules = pathlib.Path(__file__).parent.glob("test_*.py")
    checks = {name for module in modules for name in re.findall(r"^def test_(\w+)", module.read_text(), re.MULTILINE)}
    checks |= {f"parameter[{parameter['name']}]" for parameter in target.parameters}
    checks |= {f"{check}[{variant}]" for check in checks for variant in (*MODES, *MODELS, *CORES)}
    names = {exclusion["check"] for exclusion in target.config.get("exclusions") or []}
    parameters = {parameter["name"] for parameter in target.parameters}
    assert names <= checks, f"conformance.yaml excludes {', '.join(sorted(names - checks))}; there is no such check"
    assert {*target.settings, *target.calibration, *(target.config.get("parameters") or {})} <= parameters


def test_suite_sees_every_target():
    listed = (REPOSITORY / "targets" / "CMakeLists.txt").read_text()
    assert all(f"\n  {target}\n" in listed for target in all_targets())
