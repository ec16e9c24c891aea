# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The exp unit in the integers of its RTL (section 3.4): x * 23/16 for x * log2 e, then 2^v from 64 left edges."""

LUT_BITS = 6
APPENDED_BITS = 4


def _table(fraction_bits):
    """D[i] = floor((2^(i/64) - i/64) * 2^fraction_bits + 0.5)."""
    size = 1 << LUT_BITS
    return [int((2 ** (i / size) - i / size) * (1 << fraction_bits) + 0.5) for i in range(size)]


def exp_unit(raw, width, point):
    """exp of the word `raw` (`width` bits, `point` of them fraction), as the RTL computes it: wraps, no sign."""
    fraction_bits = point + APPENDED_BITS
    scaled = (16 * raw + 8 * raw - raw) % (1 << (width + APPENDED_BITS))
    shift, fraction = scaled >> fraction_bits, scaled % (1 << fraction_bits)
    mantissa = fraction + _table(fraction_bits)[fraction >> (fraction_bits - LUT_BITS)]
    return ((mantissa << shift) >> APPENDED_BITS) % (1 << width)


def exp_unit_signed(raw, width, point):
    """The usable variant [A]: `raw` is a signed number, negative exponents shift right, overflow saturates.

    The result is a signed word too, so it saturates at 2^(width - 1) - 1.
    """
    fraction_bits = point + APPENDED_BITS
    scaled = 16 * raw + 8 * raw - raw
    shift, fraction = scaled >> fraction_bits, scaled % (1 << fraction_bits)
    mantissa = fraction + _table(fraction_bits)[fraction >> (fraction_bits - LUT_BITS)]
    shift -= APPENDED_BITS
    result = mantissa << shift if shift >= 0 else mantissa >> -shift
    return min(result, (1 << (width - 1)) - 1)
