# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""N:M pruning by magnitude, and the compressed form."""

import numpy as np


def mask(weights, n, m):
    """Keeps the n largest magnitudes of every m inputs of each output; of equal ones the first.

    `weights` is [outputs, inputs], inputs a multiple of m.
    """
    groups = np.abs(weights).reshape(len(weights), -1, m)
    order = np.argsort(-groups, axis=2, kind="stable")[:, :, :n]
    kept = np.zeros(groups.shape, bool)
    np.put_along_axis(kept, order, True, axis=2)
    return kept.reshape(weights.shape)


def bitmaps(kept, m):
    """One number per group: bit i for position i."""
    return (kept.reshape(len(kept), -1, m) << np.arange(m)).sum(axis=2)


def compressed_bytes(shape, n, m, bits):
    """Bytes of a matrix [outputs, inputs] with n words of `bits` bits and a bitmap of m bits per group."""
    return shape[0] * shape[1] // m * (n * bits + (m if n < m else 0)) / 8
