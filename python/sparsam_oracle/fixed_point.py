# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Encoder layers in 16-bit fixed point: products, softmax by table, vector unit.

Every tensor has a power-of-two scale; words are NumPy int64 arrays beside their number of fraction bits. The numbers are
the defaults of the machine that computes like this.
"""

import math

import numpy as np

WORD = 16
ACCUMULATOR = 32
GUARD = 8  # fraction bits that the vector unit carries beyond those of its result
EXP_LEVELS = 16  # fraction bits of exponentials and quotients
EXP_ENTRIES, EXP_RANGE = 256, 16
GELU_ENTRIES, GELU_RANGE, GELU_FRACTION = 512, 8, 12
NORM_FRACTION, SCALE_FRACTION, MEAN_GUARD, NEWTON = 14, 12, 8, 2


def saturate(x, bits):
    return np.clip(x, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def round_shift(x, shift):
    """x / 2^shift, rounded half away from zero."""
    if shift <= 0:
        return x << -shift
    half = 1 << (shift - 1)
    return np.where(x >= 0, (x + half) >> shift, -((-x + half) >> shift))


def to_words(x, fraction, bits=WORD):
    scaled = np.ldexp(np.asarray(x, np.float64), fraction)
    rounded = np.where(scaled >= 0, np.floor(scaled + 0.5), np.ceil(scaled - 0.5))
    return saturate(rounded, bits).astype(np.int64)


def to_floats(words, fraction):
    return np.ldexp(words.astype(np.float64), -fraction).astype(np.float32)


def fraction_of(largest, bits=WORD):
    """The most fraction bits, at most 31, with which a word holds `largest`."""
    fraction = 31
    while fraction > 0 and largest * 2.0**fraction > 2 ** (bits - 1) - 1:
        fraction -= 1
    return fraction


def product_shift(fraction, largest):
    """Bits that products lose so that sums up to twice `largest` fit into an accumulator."""
    integer = math.ceil(math.log2(largest)) + 1 if largest > 0 else 0
    return min(max(fraction + integer + 1 - ACCUMULATOR, 0), min(31, fraction))


def product(a, b, shift):
    """a [.., r, k] times b [.., c, k] transposed; each product loses `shift` bits."""
    return ((a[..., :, None, :] * b[..., None, :, :]) >> shift).sum(axis=-1)


def gelu_table():
    x = np.arange(GELU_ENTRIES + 1) * 2 * GELU_RANGE / GELU_ENTRIES - GELU_RANGE
    exact = [0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in x]
    return to_words(np.array(exact, np.float32), GELU_FRACTION, 32)


def gelu(x):
    bound = GELU_RANGE << GELU_FRACTION
    step = (2 * bound) // GELU_ENTRIES
    offset = np.clip(x + bound, 0, 2 * bound - 1)
    entry, rest = offset // step, offset % step
    table = gelu_table()
    line = table[entry] + ((table[entry + 1] - table[entry]) * rest >> int(math.log2(step)))
    return np.where(x >= bound, x, np.where(x < -bound, 0, line))


def lane(x, fraction, result):
    return saturate(round_shift(x, fraction - result - GUARD), 32)


def output(sums, fraction, result, bias=None, function=None, residual=None, residual_fraction=0):
    """What leaves the engine: bias, function, residual, then a word of `result` fraction bits."""
    x = saturate(sums, 32)
    if bias is not None:
        x = saturate(x + to_words(bias, fraction, 32), 32)
    if function == "relu":
        x = np.maximum(x, 0)
    if function == "gelu":
        x, fraction = gelu(saturate(round_shift(x, fraction - GELU_FRACTION), 32)), GELU_FRACTION
    x = lane(x, fraction, result)
    if residual is not None:
        x = saturate(x + lane(residual, residual_fraction, result), 32)
    return saturate(round_shift(x, GUARD), WORD)


def scaled(sums, scale, fraction, result):
    """A product times a float scale, held as 15-bit multiplier and exponent."""
    mantissa, exponent = math.frexp(float(np.float32(scale)))
    multiplier = math.floor(mantissa * 2**15 + 0.5)
    return saturate(round_shift(saturate(sums, 32) * multiplier, fraction + 15 - exponent - result), WORD)


def exponential(x, fraction):
    """e^x of x <= 0: table times first-order Taylor expansion."""
    bits = int(math.log2(EXP_ENTRIES // EXP_RANGE))
    grid = np.arange(EXP_ENTRIES) / 2.0**bits - EXP_RANGE
    table = np.floor(np.ldexp(np.exp(grid), EXP_LEVELS) + 0.5).astype(np.int64)
    shift = fraction - bits
    hi = x >> shift if shift >= 0 else x << -shift
    lo = x & ((1 << shift) - 1) if shift > 0 else np.zeros_like(x)
    value = table[np.clip(hi + EXP_ENTRIES, 0, EXP_ENTRIES - 1)] * ((1 << fraction) + lo) >> fraction
    return np.where(x == 0, 1 << EXP_LEVELS, np.where(x < -(EXP_RANGE << fraction), 0, value))


def softmax(scores, fraction, result=15, mask=None):
    """`mask` has words of 32 bits; the lowest of them hides."""
    hidden = np.zeros(scores.shape, bool) if mask is None else np.broadcast_to(mask == -(1 << 31), scores.shape)
    x = scores if mask is None else scores + mask
    largest = np.where(hidden, np.int64(-(1 << 62)), x).max(axis=-1, keepdims=True)
    e = np.where(hidden, 0, exponential(np.where(hidden, 0, x - largest), fraction))
    total = e.sum(axis=-1, keepdims=True)
    quotient = np.where(total > 0, (e << EXP_LEVELS) // np.maximum(total, 1), 0)
    return np.minimum(quotient, (1 << EXP_LEVELS) - 1) >> (EXP_LEVELS - result)


def reciprocal_root(value):
    """1 / sqrt(value) as root * 2^(-30 - exponent / 2)."""
    exponent = (value.bit_length() - 1) & ~1
    m = value << (30 - exponent) if exponent <= 30 else value >> (exponent - 30)
    y = math.floor(32768 / math.sqrt(((m >> 25) + 0.5) / 32) + 0.5) << 15
    for _ in range(NEWTON):
        y = y * ((3 << 30) - (m * (y * y >> 30) >> 30)) >> 31
    return y, exponent


def normalize(x, fraction, scale, bias, epsilon, result):
    """Layer normalisation of rows of words."""
    size = x.shape[-1]
    scale, bias = to_words(scale, SCALE_FRACTION, 32), to_words(bias, result + GUARD, 32)
    rows = []
    for row in x.reshape(-1, size):
        total = int(row.sum()) << MEAN_GUARD
        mean = (2 * abs(total) + size) // (2 * size) * (-1 if total < 0 else 1)
        difference = (row << MEAN_GUARD) - mean
        variance = int((difference.astype(object) ** 2).sum()) // size
        variance += math.floor(math.ldexp(float(np.float32(epsilon)), 2 * (fraction + MEAN_GUARD)))
        root, exponent = reciprocal_root(variance) if variance else (0, 0)
        z = saturate(round_shift(difference * root, 30 + exponent // 2 - NORM_FRACTION), 32)
        out = saturate(lane(z * scale, NORM_FRACTION + SCALE_FRACTION, result) + bias, 32)
        rows.append(saturate(round_shift(out, GUARD), WORD))
    return np.array(rows).reshape(x.shape)
