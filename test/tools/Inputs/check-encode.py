# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the matrices of sparsam-encode.test, and checks what came out against NumPy."""

import json
import sys

import numpy as np


def keep(weights, n, m):
    """The mask of the n largest magnitudes of every m inputs; of equal ones the first."""
    groups = np.abs(weights).reshape(len(weights), -1, m)
    order = np.argsort(-groups, axis=2, kind="stable")[:, :, :n]
    mask = np.zeros(groups.shape, bool)
    np.put_along_axis(mask, order, True, axis=2)
    return mask.reshape(weights.shape)


def check(name, n, m, bits):
    weights = np.load("w.npy")
    arrays, report = np.load(f"{name}.npz"), json.load(open(f"{name}.json"))
    mask = keep(weights, n, m)
    assert (arrays["mask"] == mask).all()
    assert (arrays["values"].ravel() == weights[mask]).all()
    bitmap = (mask.reshape(len(mask), -1, m) << np.arange(m)).sum(axis=2)
    assert (arrays["bitmap"] == bitmap).all() and arrays["bitmap"].dtype == (np.uint8 if m <= 8 else np.uint16)
    groups = weights.size // m
    assert report["bytes_before"] == weights.size * bits // 8
    assert report["bytes_after"] == groups * (n * bits + (m if n < m else 0)) // 8
    error = np.linalg.norm(np.where(mask, 0, weights)) / np.linalg.norm(weights)
    assert abs(report["error"] - error) < 1e-6
    if bits < 32:
        codes = arrays["codes"] * arrays["scale"]
        assert np.abs(codes - arrays["values"]).max() <= arrays["scale"] / 2
        assert arrays["codes"].dtype == (np.int8 if bits == 8 else np.int16)


if sys.argv[1] == "write":
    weights = np.random.default_rng(0).standard_normal((8, 64)).astype(np.float32)
    weights[0, :8] = weights[0, 0]  # a tie
    np.save("w.npy", weights)
    np.save("row.npy", np.array([[3, -1, 0, 5, 2, -4, 1, 0]], np.int16))
    np.save("odd.npy", np.zeros((4, 12), np.float32))
    np.save("vector.npy", np.zeros(8, np.float32))
    np.save("nan.npy", np.full((2, 8), np.nan, np.float32))
    np.save("bool.npy", np.ones((2, 8), bool))
else:
    check("enc", 2, 8, 16)
    check("narrow", 1, 16, 8)
    check("all", 4, 4, 32)
    row = np.load("row.npz")
    assert row["bitmap"].tolist() == [[9, 3]] and row["values"].tolist() == [[3, 5, 2, -4]]
