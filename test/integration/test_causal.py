# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Attention as one operator that hides the future, with unequal numbers of queries and keys, against ONNX Runtime."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

BATCH, HEADS, SIZE = 2, 2, 4


def tensors(queries, keys):
    random = np.random.default_rng([queries, keys])
    shapes = {"q": queries, "k": keys, "v": keys}
    return {name: random.standard_normal((BATCH, HEADS, n, SIZE), np.float32) for name, n in shapes.items()}


def save(path, node, inputs, output, opset):
    values = [helper.make_tensor_value_info(name, 1, x.shape) for name, x in inputs.items()]
    graph = helper.make_graph([node], "causal", values, [helper.make_tensor_value_info("o", 1, output)])
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), path)


@pytest.mark.parametrize("options", [["--attention", "host"], ["--dense"]], ids=["host", "dense"])
@pytest.mark.parametrize("opset", [23, 24])
@pytest.mark.parametrize("queries, keys", [(4, 6), (6, 4), (1, 6), (5, 5)])
def test_causal_attention_is_that_of_onnxruntime(queries, keys, opset, options, run_json, load_npz, tmp_path):
    inputs = tensors(queries, keys)
    node = helper.make_node("Attention", ["q", "k", "v"], ["o"], name="a", is_causal=1)
    save(tmp_path / "model.onnx", node, inputs, inputs["q"].shape, opset)
    np.savez(tmp_path / "x.npz", **inputs)
    run_json("run", tmp_path / "model.onnx", "--target", "sanger", *options, "--input", tmp_path / "x.npz", "-o",
             tmp_path / "y.npz")  # fmt: skip
    expected = onnxruntime.InferenceSession(str(tmp_path / "model.onnx")).run(None, inputs)[0]
    np.testing.assert_allclose(load_npz(tmp_path / "y.npz")["o"], expected, atol=1e-5)
