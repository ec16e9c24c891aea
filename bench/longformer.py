#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures a Longformer-base shape on the windowed machine against ONNX Runtime's dense attention of the same model.

    .venv/bin/python bench/longformer.py [--build build/release] [--repeat 3] [--seq-len 4096] [--layers 12] [--json]

Makes the model (models/make_longformer.py: window 512, one global token, random weights) in the build folder. ONNX Runtime
computes every pair and masks; the machine's simulation computes the window, with numerics and timing. Both take turns with
two threads each, because other work on the machine disturbs both; ratios are those of medians.
"""

import argparse
import json
import pathlib
import statistics
import sys
import time

import numpy as np

from bench import REPOSITORY, THREADS, run, session_of


def make_model(folder, args):
    name = f"longformer-{args.seq_len}-{args.layers}"
    model, inputs = folder / f"{name}.onnx", folder / f"{name}.npz"
    if not model.exists() or not inputs.exists():
        options = (f"--seq-len={args.seq_len}", f"--layers={args.layers}", f"--inputs={inputs}")
        run(sys.executable, REPOSITORY / "models/make_longformer.py", "-o", model, *options)
    return model, inputs


def measure(driver, folder, args):
    model, inputs = make_model(folder, args)
    program = folder / "longformer.spx"
    _, compiled, peak = run(driver, "compile", model, "--target", "salo", "-o", program)
    session, arrays = session_of(model), dict(np.load(inputs))
    ours, theirs, cycles = [], [], 0
    for _ in range(args.repeat):
        output, *_ = run(driver, "run", program, "--input", inputs, "--threads", THREADS, "--json")
        report = json.loads(output)
        ours.append(report["simulation_seconds"])
        cycles = report["cycles"]
        start = time.perf_counter()
        session.run(None, arrays)
        theirs.append(time.perf_counter() - start)
    return {
        "compile_seconds": compiled,
        "compile_peak_over_file": peak / model.stat().st_size,
        "run_seconds": statistics.median(ours),
        "onnxruntime_seconds": statistics.median(theirs),
        "run_over_onnxruntime": statistics.median(ours) / statistics.median(theirs),
        "cycles": cycles,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=REPOSITORY / "build/release")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seq-len", type=int, default=4096)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    build = args.build.resolve()
    folder = build / "bench-data"
    folder.mkdir(exist_ok=True)
    results = measure(build / "bin/sparsam", folder, args)
    if args.json:
        print(json.dumps(results, indent=2))
        return
    print(f"compile                     {results['compile_seconds']:8.2f} s, peak {results['compile_peak_over_file']:.2f} x the file")
    print(f"run, numerics and timing    {results['run_seconds']:8.2f} s, {results['cycles']:,} cycles")
    print(f"ONNX Runtime, dense         {results['onnxruntime_seconds']:8.2f} s")
    print(f"run over ONNX Runtime       {results['run_over_onnxruntime']:8.2f} x, wanted below 1")


if __name__ == "__main__":
    main()
