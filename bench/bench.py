#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures compilation and simulation against ONNX Runtime on this machine, in one run.

    .venv/bin/python bench/bench.py [--build build/release] [--repeat 5] [--json]

Makes BERT-base (12 layers, hidden 768, 512 tokens, random weights, density as models/make_bert.py says) in the build
folder. Ratios are those of medians of runs that take turns, because other work on the machine disturbs both.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import onnxruntime

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
THREADS = 2


def run(*command):
    """Runs a command; returns its output, seconds and peak memory in bytes."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    output, errors = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{errors}")
    return output, seconds, usage.ru_maxrss * 1024


def make_bert(folder):
    model, inputs = folder / "bert-base.onnx", folder / "bert-base.npz"
    if not model.exists() or not inputs.exists():
        run(sys.executable, REPOSITORY / "models/make_bert.py", "-o", model, "--seq-len=512", f"--inputs={inputs}")
    return model, inputs


def session_of(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def measure_bert(driver, folder, repeat):
    model, inputs = make_bert(folder)
    calibration, program, masks = folder / "calibration.json", folder / "bert-base.spx", folder / "masks.npz"
    run(driver, "calibrate", model, "--target", "sanger", "--input", inputs, "-o", calibration)
    compiles = [run(driver, "compile", model, "--target", "sanger", "--calibration", calibration, "-o", program) for _ in range(repeat)]
    run(driver, "run", program, "--input", inputs, "--record-masks", masks)
    session, arrays = session_of(model), dict(np.load(inputs))
    session.run(None, arrays)
    ours, theirs, replays, cycles = [], [], [], 0
    for _ in range(repeat):
        output, *_ = run(driver, "run", program, "--input", inputs, "--threads", THREADS, "--repeat", 5, "--json")
        ours.append(json.loads(output)["simulation_seconds"])
        rounds = []
        for _ in range(5):
            start = time.perf_counter()
            session.run(None, arrays)
            rounds.append(time.perf_counter() - start)
        theirs.append(statistics.median(rounds))
        output, *_ = run(driver, "run", program, "--replay-masks", masks, "--repeat", 5, "--json")
        report = json.loads(output)
        replays.append(report["simulation_seconds"])
        cycles = report["cycles"]
    replay = statistics.median(replays)
    return {
        "compile_seconds": statistics.median(seconds for _, seconds, _ in compiles),
        "compile_peak_over_file": max(peak for _, _, peak in compiles) / model.stat().st_size,
        "run_seconds": statistics.median(ours),
        "onnxruntime_seconds": statistics.median(theirs),
        "run_over_onnxruntime": statistics.median(ours) / statistics.median(theirs),
        "timing_only_seconds": replay,
        "cycles": cycles,
        "cycles_per_second": cycles / replay,
    }


def measure_recall(driver, folder, repeat):
    model, inputs, program = REPOSITORY / "models/recall/model.onnx", folder / "recall.npz", folder / "recall.spx"
    calibration = folder / "recall.json"
    np.savez(inputs, tokens=np.load(REPOSITORY / "models/recall/eval.npz")["tokens"][:1])
    run(driver, "calibrate", model, "--target", "sanger", "--shape", "tokens=1x128", "--input", inputs, "-o", calibration)
    times = []
    for _ in range(repeat):
        *_, compiled, _ = run(driver, "compile", model, "--target", "sanger", "--shape", "tokens=1x128", "--calibration", calibration, "-o", program)
        *_, ran, _ = run(driver, "run", program, "--input", inputs)
        times.append(compiled + ran)
    return {"compile_and_run_seconds": statistics.median(times)}


def measure_compare(driver, repeat):
    """The trained model, 16 sequences, on every machine that is built, and dense on the host."""
    model, data = REPOSITORY / "models/recall/model.onnx", REPOSITORY / "models/recall/eval.npz"
    runs = [run(driver, "compare", model, "--targets", "all", "--input", f"{data}@0:16", "--calibrate", f"{data}@16:32", "--json")
            for _ in range(repeat)]
    rows = json.loads(runs[0][0])["targets"]
    return {
        "compare_seconds": statistics.median(seconds for _, seconds, _ in runs),
        "machines": [row["target"] for row in rows if "error" not in row],
        "refused": {row["target"]: row["error"] for row in rows if "error" in row},
    }


def rows_of(bert, recall, compare):
    """What, measured, wanted."""
    machines = len(compare["machines"])
    return [
        ("compile BERT-base, n = 512", f"{bert['compile_seconds']:.2f} s", "3 s"),
        ("its peak memory over the file's size", f"{bert['compile_peak_over_file']:.2f} x", "1.3 x"),
        ("run it, numerics and timing, over ONNX Runtime's dense run", f"{bert['run_over_onnxruntime']:.2f} x", "1 x"),
        ("timing only, from recorded masks", f"{1e3 * bert['timing_only_seconds']:.0f} ms", "50 ms"),
        ("simulated cycles per second, timing only", f"{1e-6 * bert['cycles_per_second']:.0f} million", "100 million"),
        ("compile and run the small trained model", f"{recall['compile_and_run_seconds']:.2f} s", "0.3 s"),
        (f"compare it on {machines} machine{'s' * (machines != 1)}, 16 sequences", f"{compare['compare_seconds']:.2f} s", "2 s"),
    ]


def table(rows):
    lines = ["| what | measured | wanted |", "|---|---|---|"]
    return "\n".join(lines + [f"| {what} | {measured} | {wanted} |" for what, measured, wanted in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=REPOSITORY / "build/release")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    driver, folder = arguments.build.resolve() / "bin/sparsam", arguments.build.resolve() / "bench-data"
    folder.mkdir(exist_ok=True)
    results = {
        "bert": measure_bert(driver, folder, arguments.repeat),
        "recall": measure_recall(driver, folder, arguments.repeat),
        "compare": measure_compare(driver, arguments.repeat),
    }
    print(json.dumps(results, indent=2) if arguments.json else table(rows_of(**results)))


if __name__ == "__main__":
    main()
