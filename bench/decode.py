#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures decoding with a cache against ONNX Runtime on this machine, in one run.

    .venv/bin/python bench/decode.py [--build build/release] [--prompt 992] [--steps 32] [--rounds 3] [--json] [-- compile options]

Makes a model of the shape of GPT-2 small (random weights) in the build folder, and decodes --steps tokens behind a prompt,
dense, on the host. Both sides use two threads and take turns; a side's time per token is the median over its steps and rounds.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import onnxruntime

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
THREADS = 2
sys.path.insert(0, str(REPOSITORY / "models"))
import make_gpt2  # noqa: E402


def run(*command):
    process = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{process.stderr}")
    return process.stdout


def session_of(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def make_prompt(session, args, path):
    """Caches behind a random prompt, by ONNX Runtime; returns the inputs of the first step."""
    shape = argparse.Namespace(layers=12, heads=12, hidden=768, attention_mask=False)
    past = [np.zeros((1, shape.heads, 0, shape.hidden // shape.heads), np.float32)] * (2 * shape.layers)
    tokens = np.random.default_rng(0).integers(50257, size=args.prompt)
    logits, *past = session.run(None, make_gpt2.feeds_of(tokens, past, shape))
    feeds = make_gpt2.feeds_of([int(logits[0, -1].argmax())], past, shape)
    np.savez(path, **feeds)
    return feeds, shape


def decode(session, feeds, shape, steps):
    """Greedy decoding in ONNX Runtime: tokens, and seconds of each step."""
    token, past = int(feeds["input_ids"][0, 0]), [array for name, array in feeds.items() if name.startswith("past")]
    tokens, seconds = [], []
    for _ in range(steps):
        inputs = make_gpt2.feeds_of([token], past, shape)
        start = time.perf_counter()
        logits, *past = session.run(None, inputs)
        seconds.append(time.perf_counter() - start)
        token = int(logits[0, -1].argmax())
        tokens.append(token)
    return tokens, seconds


def measure(driver, folder, args):
    model, program, state = folder / "gpt2-small.onnx", folder / "gpt2-small.spx", folder / "gpt2-state.npz"
    if not model.exists():
        run(sys.executable, REPOSITORY / "models/make_gpt2.py", "-o", model)
    options = args.options or ["--target=sanger", "--attention=host"]
    run(driver, "compile", model, "--cache", f"past={args.prompt + args.steps}", "--shape=input_ids=1x1", "-o", program, *options)
    session = session_of(model)
    feeds, shape = make_prompt(session, args, state)
    ours, theirs, same = [], [], True
    for _ in range(args.rounds):
        tokens, seconds = decode(session, feeds, shape, args.steps)
        theirs += seconds
        report = json.loads(
            run(driver, "generate", program, "--input", state, "--steps", args.steps, "--threads", THREADS, "--json")
        )
        ours += [step["simulation_seconds"] for step in report["steps"]]
        same &= report["tokens"] == tokens
    return {
        "prompt": args.prompt,
        "steps": args.steps,
        "seconds_per_token": statistics.median(ours),
        "onnxruntime_seconds_per_token": statistics.median(theirs),
        "over_onnxruntime": statistics.median(ours) / statistics.median(theirs),
        "same_tokens": same,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=REPOSITORY / "build/release")
    parser.add_argument("--prompt", type=int, default=992)
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("options", nargs="*", help="of compile (default: attention on the host)")
    args = parser.parse_args()
    folder = args.build.resolve() / "bench-data"
    folder.mkdir(exist_ok=True)
    report = measure(args.build.resolve() / "bin/sparsam", folder, args)
    if args.json:
        print(json.dumps(report, indent=2))
        return
    print(f"tokens {'equal' if report['same_tokens'] else 'differ'}; per token, behind {args.prompt}:")
    print(f"  sparsam      {1e3 * report['seconds_per_token']:.1f} ms")
    print(f"  ONNX Runtime {1e3 * report['onnxruntime_seconds_per_token']:.1f} ms")
    print(f"  ratio        {report['over_onnxruntime']:.2f} x (wanted: 1 x)")


if __name__ == "__main__":
    main()
