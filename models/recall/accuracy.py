# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints the accuracy of outputs on the evaluation set: the share of the 64 answers of each sequence that are right.

Takes an .npz with `logits` [samples, 128, vocabulary] (what `sparsam run` or ONNX Runtime gives) or `predictions`
[samples, 128] (token numbers). Fewer samples than eval.npz has are compared with its first ones.
"""

import argparse
import json
import pathlib
import sys

import numpy as np

UNSCORED = -100


def accuracy(predictions, labels):
    """The share of right answers and their number. Positions labelled -100 are not scored."""
    scored = labels != UNSCORED
    return float((predictions[scored] == labels[scored]).mean()), int(scored.sum())


def load_predictions(path):
    """The predicted tokens [samples, 128] of an .npz with logits or predictions."""
    with np.load(path) as arrays:
        if "predictions" in arrays:
            predictions = arrays["predictions"]
        elif "logits" in arrays and arrays["logits"].ndim == 3:
            predictions = arrays["logits"].argmax(axis=-1)
        else:
            found = ", ".join(f"{name}{list(arrays[name].shape)}" for name in arrays) or "nothing"
            raise ValueError(f"expects logits[samples, 128, vocabulary] or predictions[samples, 128], found {found}")
    if predictions.ndim != 2:
        raise ValueError(f"expects predictions[samples, 128], got {list(predictions.shape)}")
    return predictions


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("outputs", type=pathlib.Path, help=".npz with logits or predictions")
    parser.add_argument("--eval", type=pathlib.Path, default=pathlib.Path(__file__).parent / "eval.npz")
    parser.add_argument("--json", action="store_true", help="print an object instead of a sentence")
    args = parser.parse_args()
    try:
        labels = np.load(args.eval)["labels"]
        predictions = load_predictions(args.outputs)
        if not 0 < len(predictions) <= len(labels) or predictions.shape[1] != labels.shape[1]:
            raise ValueError(f"expects at most {list(labels.shape)} predictions, got {list(predictions.shape)}")
    except (OSError, KeyError, ValueError) as error:
        sys.exit(f"accuracy.py: {args.outputs}: {error}")
    share, answers = accuracy(predictions, labels[: len(predictions)])
    if args.json:
        print(json.dumps({"accuracy": share, "answers": answers, "samples": len(predictions)}))
    else:
        print(f"accuracy {share:.4f} on {answers} answers of {len(predictions)} sequences")


if __name__ == "__main__":
    main()
