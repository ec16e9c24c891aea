#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs every bench of this folder and prints one table.

    .venv/bin/python bench/all.py [--build build/release]

Each runs alone as well, with options of its own. Some minutes on two cores; the big models are made once, in the build folder.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import bench

# Random weights need no calibration to be timed: any range will do.
SPATTEN = ["--", "--target=spatten", "--preset=gpt2-small", "--set=tx=4.5", "--set=ty=4.5", "--set=tz=4.5"]

# Further benches: script and options, what its ratio says, the name of the ratio in its --json, what is wanted.
RATIOS = [
    (["longformer.py"], "Longformer-base shape, 4096 tokens: run, numerics and timing, over ONNX Runtime's dense run", "run_over_onnxruntime", "1 x"),
    (["decode.py"], "GPT-2 small shape, 992 tokens and 32 more: a token over ONNX Runtime's with cache", "over_onnxruntime", "1 x"),
    (["decode.py", *SPATTEN], "the same on SpAtten, numerics and timing", "over_onnxruntime", "1 x"),
]


def run(script, build):
    """What a bench prints as JSON; its errors go to the terminal."""
    name, *options = script
    command = [sys.executable, pathlib.Path(__file__).parent / name, "--build", build, "--json", *options]
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=bench.REPOSITORY / "build/release")
    build = parser.parse_args().build
    results = run(["bench.py"], build)
    if results is None:
        sys.exit("bench.py failed")
    rows = bench.rows_of(**results)
    for script, what, ratio, wanted in RATIOS:
        result = run(script, build)
        rows.append((what, f"{result[ratio]:.2f} x" if result else "failed", wanted))
    print(bench.table(rows))
    if any(measured == "failed" for _, measured, _ in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
