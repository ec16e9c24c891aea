# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks what sparsam-attention.test wrote into the current folder."""

import numpy as np

one, mask, padded, four, dense = (dict(np.load(f"{name}.npz")) for name in ("out", "mask", "padded", "four", "dense"))
assert (one["out"].dtype, one["out"].shape) == (np.float32, (2, 32, 8))
assert (one["mask"].dtype, one["mask"].shape) == (np.bool_, (2, 32, 32))
assert 0 < one["mask"].mean() < 1
assert set(mask) == {"mask"} and (mask["mask"] == one["mask"]).all()
assert (four["out"] == one["out"][np.newaxis]).all() and four["mask"].shape == (1, 2, 32, 32)
assert not padded["mask"][:, :, 20:].any() and padded["mask"].any()

q, k, v = (np.load(f"{name}.npy").astype(np.float64) for name in "qkv")
scores = np.exp(q @ k.swapaxes(1, 2) / np.sqrt(8))
np.testing.assert_allclose(dense["out"], scores @ v / scores.sum(axis=-1, keepdims=True), atol=1e-4)
assert dense["mask"].all()
