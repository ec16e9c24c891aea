# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The algorithm: low-bit prediction of the mask, and attention on it (section 2).

Arrays are [..., n, d] with any leading dimensions (batch, heads). All arithmetic is in float64, while the published
reference is float32: when masks are compared, positions where P is within rounding of T may differ.
"""

import numpy as np

PADDING = -10000.0  # the additive mask of the reference


def calibrate(q, k, normalize=True):
    """Ranges (tx, ty) of one layer: the largest magnitudes of Q' and K' over all heads (section 2.1, first step)."""
    return tuple(float(np.abs(_unit_rows(x)[0] if normalize else x).max()) for x in (q, k))


def quantize(x, bits, limit):
    """Symmetric codes: clamp(round_half_even(x * qmax / limit), -qmax, qmax); the code -qmax - 1 is never produced."""
    if not limit > 0:
        raise ValueError(f"expects a calibrated range > 0, got {limit}")
    qmax = 2 ** (bits - 1) - 1
    return np.clip(np.rint(np.asarray(x, np.float64) * (qmax / limit)), -qmax, qmax).astype(np.int64)


def predict(q, k, bits=4, threshold=0.002, normalize=True, tx=None, ty=None, valid_len=None, bias=None):
    """Returns (P, mask), both [..., n, n]: the predicted probabilities and where they are > threshold (section 2.1).

    tx and ty default to the calibration on these very tensors. Keys from valid_len on are padding: one number, or one
    for each batch element of [batch, heads, n, d]. bias is a further additive mask, for instance a causal one.
    """
    q, k = np.asarray(q, np.float64), np.asarray(k, np.float64)
    if tx is None or ty is None:
        tx, ty = calibrate(q, k, normalize)
    norms = 1.0
    if normalize:
        q, q_norms = _unit_rows(q)
        k, k_norms = _unit_rows(k)
        norms = q_norms * np.swapaxes(k_norms, -1, -2)
    qmax = 2 ** (bits - 1) - 1
    dots = _matmul(quantize(q, bits, tx), np.swapaxes(quantize(k, bits, ty), -1, -2))
    scores = dots / (qmax / tx) / (qmax / ty) * norms / np.sqrt(q.shape[-1])
    probabilities = _softmax(scores + _additive_mask(k.shape[-2], valid_len, bias))
    return probabilities, probabilities > threshold


def attention(q, k, v, mask=None, valid_len=None, empty_row="dense", predicted=None, bias=None):
    """softmax(Q K^T / sqrt(d) - 10000 (1 - mask) + padding) V (section 2.2); mask None means dense.

    A query without any kept key is computed densely ("dense", as the reference does), gives zero ("zero"), or keeps its
    likeliest key by `predicted`, the P of predict ("argmax").
    """
    q, k, v = (np.asarray(x, np.float64) for x in (q, k, v))
    scores = _matmul(q, np.swapaxes(k, -1, -2)) / np.sqrt(q.shape[-1])
    scores = scores + _additive_mask(k.shape[-2], valid_len, bias)
    if mask is None:
        return _matmul(_softmax(scores), v)
    mask = fill_empty_rows(np.broadcast_to(np.asarray(mask, bool), scores.shape), empty_row, predicted)
    probabilities = _softmax(scores + np.where(mask, 0.0, PADDING))
    return _matmul(np.where(mask.any(axis=-1, keepdims=True), probabilities, 0.0), v)


def fill_empty_rows(mask, empty_row="dense", predicted=None):
    """The pairs that are computed: the mask with its empty rows made dense, left empty, or given their likeliest key.

    (section 2.2, edge cases). The reference's dense row is the softmax of scores - 10000, which is that of the scores
    but for float32 rounding; here it is exact.
    """
    empty = ~mask.any(axis=-1, keepdims=True)
    if empty_row == "dense":
        return mask | empty
    if empty_row == "zero":
        return mask
    if empty_row != "argmax":
        raise ValueError(f"empty_row is dense, zero or argmax, got {empty_row}")
    if predicted is None:
        raise ValueError("empty_row = argmax needs the predicted probabilities")
    likeliest = np.arange(mask.shape[-1]) == np.argmax(predicted, axis=-1)[..., None]
    return mask | (empty & likeliest)


def _unit_rows(x):
    """Rows divided by their norms, and the norms [..., n, 1]. A row of zeros stays zero [A]: the sheet gives 0/0."""
    x = np.asarray(x, np.float64)
    norms = np.linalg.norm(x, axis=-1, keepdims=True)
    return x / np.where(norms == 0, 1.0, norms), norms


def _matmul(a, b):
    """The product in float64: exact for the small integers of the codes, and much faster than NumPy's integer one."""
    return np.matmul(a.astype(np.float64), b.astype(np.float64))


def _softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _additive_mask(keys, valid_len, bias):
    lengths = np.asarray(keys if valid_len is None else valid_len)
    if lengths.ndim:
        lengths = lengths.reshape(-1, 1, 1, 1)
    padding = np.where(np.arange(keys) < lengths, 0.0, PADDING)
    return padding if bias is None else padding + bias
