#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Sets up, builds, and takes a trained transformer from its ONNX file to outputs and cycles of an accelerator.
set -eu
cd "$(dirname "$0")"
scripts/setup.sh
scripts/build.sh release sparsam
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PATH=$PWD/build/release/bin:$PATH

# Prints a command, then runs it.
try() {
  echo
  echo "\$ $*" | sed "s|$work/||g"
  status=0
  "$@" >"$work/output" 2>&1 || status=$?
  sed "s|$work/||g" "$work/output"
  return $status
}

# Of the held-out sequences of the model's task, associative recall: 16 to run, 16 others to calibrate on.
.venv/bin/python - "$work" <<'PYTHON'
import sys
import numpy
tokens = numpy.load("models/recall/eval.npz")["tokens"]
numpy.savez(sys.argv[1] + "/x.npz", tokens=tokens[:16])
numpy.savez(sys.argv[1] + "/samples.npz", tokens=tokens[16:32])
PYTHON
try sparsam targets
try sparsam compile models/recall/model.onnx --target sanger --shape tokens=16x128 --calibrate "$work/samples.npz" --set threshold=0.01 -o "$work/recall.spx"
try sparsam run "$work/recall.spx" --input "$work/x.npz" -o "$work/y.npz"
try .venv/bin/python models/recall/accuracy.py "$work/y.npz"
try sparsam compare models/recall/model.onnx --target sanger --shape tokens=16x128 --calibrate "$work/samples.npz" --input "$work/x.npz" --set threshold=0.01
try sparsam reproduce
