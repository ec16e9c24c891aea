# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""SALO in NumPy, written from its spec sheet alone; shares no code with the compiler or the simulator.

Section numbers in the doc strings are those of the sheet; [A] marks where the sheet leaves something open and a reading
had to be chosen. Integers are int64 and wrapped to the widths of the hardware where it wraps.
"""

import numpy as np

LOWEST = -16  # the exponent of a masked PE and of an empty sum
SLOPES = np.array([12, 14, 17, 20])
INTERCEPTS = np.array([255, 246, 225, 185])


def wrap(x, bits):
    """The low bits of x as a signed number."""
    half = 1 << (bits - 1)
    return ((np.asarray(x, np.int64) + half) & (2 * half - 1)) - half


def to_words(x, factor=1.0):
    """9-bit words with 4 fraction bits: rounded to even, saturated (2.3)."""
    return np.clip(np.rint(np.float32(x) * np.float32(factor) * np.float32(16)), -256, 255).astype(np.int64)


def exponential(score, shift=3):
    """Stage 1: 2^(score / 2^shift) as (value / 256, exponent) (2.3)."""
    score = np.asarray(score, np.int64)
    exponent = wrap((score >> (8 + shift)) & 31, 5)
    fraction = (score >> shift) & 255
    piece = fraction >> 6
    return INTERCEPTS[piece] + ((SLOPES[piece] * fraction) >> 4), exponent


def attend(score, valid, values, shift=3):
    """Stages 1 to 4 of rows of PEs; PEs from left to right in the last axis (2.3).

    `score` and `valid` are [rows, PEs], `values` [rows, PEs, d] words. Returns (sum, exponent, out).
    """
    value, exponent = exponential(wrap(score, 18), shift)
    value, exponent = np.where(valid, value, 0), np.where(valid, exponent, LOWEST)
    rows, columns = value.shape
    total, most = np.zeros(rows, np.int64), np.full(rows, LOWEST)
    for c in range(columns):
        own, e = value[:, c], exponent[:, c]
        smaller = e < most
        value[:, c] = np.where(smaller, own >> np.maximum(most - e, 0), own)
        total = wrap(np.where(smaller, total, total >> np.maximum(e - most, 0)) + value[:, c], 18)
        most = np.where(smaller, most, e)
        exponent[:, c] = most
    inverse = np.where(total > 0, np.minimum(255, 32768 // np.maximum(total, 1)), 255)
    products = ((value >> 1) & 255) * inverse[:, None]
    probabilities = wrap((products >> ((most[:, None] - exponent) & 31)) >> 7, 9)
    out = wrap(((probabilities[..., None] * values) >> 3).sum(axis=1), 18)
    return total, most, out


class Rows:
    """Merged rows: running sums, exponents and outputs (2.4)."""

    def __init__(self, count, d):
        self.sum, self.exponent = np.zeros(count, np.int64), np.full(count, LOWEST)
        self.out = np.zeros((count, d), np.int64)

    def merge(self, index, total, exponent, out):
        most = np.maximum(self.exponent[index], exponent)
        before = self.sum[index] >> (most - self.exponent[index])
        both = before + (total >> (most - exponent))
        weight = np.where(both > 0, (before << 8) // np.maximum(both, 1), 256)[:, None]
        self.out[index] = (weight * self.out[index] + (256 - weight) * out) >> 8
        self.sum[index], self.exponent[index] = both, most


class Plan:
    """Passes of a tile (2.2): dicts of offset, cols, keys (group in the global column), shown (group, from, to, cols)."""

    def __init__(self, windows, tokens, rows, cols):
        self.tokens, self.rows, self.cols = tokens, rows, cols
        self.tiles, self.span, self.extra = -(-tokens // rows), max(1, -(-rows // cols)), []
        self.reach = rows * (self.tiles - 1) + max(rows, cols)
        self.widths = [min(cols, max(rows, cols) - i * cols) for i in range(self.span)]
        self.passes = [
            {"offset": offset + done, "cols": min(cols, width - done), "keys": None, "shown": None}
            for offset, width in windows
            for done in range(0, width, cols)
        ]

    def first(self, at):
        return self.passes[at]["offset"] + self.rows - 1

    def follows(self, at):
        own = self.passes[at : at + self.span]
        return len(own) == self.span and all(p["offset"] == own[0]["offset"] + i * self.cols for i, p in enumerate(own))

    def show(self, at, begin, end):
        for i in range(self.span):
            self.passes[at + i]["shown"] = (0, begin, end, self.widths[i])

    def ride(self):
        """Shows the first group its keys in the passes there are; False where that cannot be."""
        for at in reversed(range(len(self.passes))):
            if self.first(at) > 0 or not self.follows(at):
                continue
            end = min(self.first(at) + self.reach, self.tokens)
            if end == self.tokens:
                self.show(at, 0, end)
                return True
            for rest in range(at + self.span, len(self.passes)):
                if self.follows(rest) and self.first(rest) <= end and self.first(rest) + self.reach >= self.tokens:
                    self.show(at, 0, end)
                    self.show(rest, end, self.tokens)
                    return True
        return self.ride_the_most()

    def left(self, at):
        """Keys in front of and behind those that the passes from `at` on show, and passes of one tile for them."""
        begin = min(max(self.first(at), 0), self.tokens)
        end = min(max(self.first(at) + self.reach, begin), self.tokens)
        return begin, end, -(-begin // self.cols) - (-(self.tokens - end) // self.cols)

    def ride_the_most(self):
        """Shows the first group what the best passes show, and the rest in passes of the first tile alone."""
        own = [at for at in range(len(self.passes)) if self.follows(at)]
        at = min(own, key=lambda at: self.left(at)[2], default=None)
        if at is None or self.left(at)[2] >= self.tiles * self.span:
            return False
        begin, end, _ = self.left(at)
        self.show(at, begin, end)
        for low, high in ((0, begin), (end, self.tokens)):
            for key in range(low, high, self.cols):
                shown = (0, low, high, self.cols)
                self.extra.append({"offset": key - (self.rows - 1), "cols": 0, "keys": None, "shown": shown, "once": True})
        return True

    def add(self, group, has_keys):
        """Passes for `group` alone."""
        for i in range(self.span):
            keys = group if i == 0 and has_keys else None
            shown = (group, 0, self.tokens, self.widths[i])
            self.passes.append({"offset": i * self.cols - (self.rows - 1), "cols": 0, "keys": keys, "shown": shown})


def plan(windows, tokens, group_count, rows=32, cols=32):
    """The passes of a tile, as Plan has them.

    `windows` are (offset, width) with dilation 1. The first group rides: its keys in pass 0, its queries in the last
    passes whose last row starts at or before key 0, and in later ones for the keys behind; keys that no pass shows it
    get passes of the first tile alone ("once"). For further groups passes are added [A].
    """
    own = Plan(windows, tokens, rows, cols)
    for group in range(group_count):
        riding = group == 0 and bool(own.passes)
        if riding:
            own.passes[0]["keys"] = 0
        if not (riding and own.ride()):
            own.add(group, has_keys=not riding)
    return own.passes + own.extra


def factors(q, k, v, scale, shift=3, base=np.e, limit=16.0, balance=True):
    """What Q, K and V are multiplied by, calibrated on themselves [A].

    Scores to base 2 reach `limit` at most; Q and K, and V alone, fill their words, which end at 255 / 16.
    """
    scale = np.float64(np.float32(scale))
    reach = np.abs(scale * (q @ k.swapaxes(-1, -2))).max() * np.log2(base)
    both = scale * 2**shift * np.log2(base) * min(1, limit / reach)
    if not balance:
        return np.float32([both, 1, 1])
    largest = [np.float64(np.abs(x).max()) for x in (q, k, v)]
    key = np.sqrt(largest[0] * largest[1] * both) / largest[1]
    return np.float32([both / key, key, 255 / 16 / largest[2]])


def attention(
    q, k, v, windows, global_tokens=(), dilation=1, rows=32, cols=32, globals_=1, shift=3, valid_len=None, hidden=(), by=(1, 1, 1)
):
    """The output of [..., n, d] floats, bit by bit.

    `windows` are (offset, width) in units of `dilation`, which divides n where it is not 1. Keys from `valid_len` on and
    those in `hidden` are masked, as keys beyond an edge are. Q, K and V are multiplied by the factors `by`, outputs divided by the last one.
    """
    visible = np.arange(k.shape[-2]) < (k.shape[-2] if valid_len is None else valid_len)
    visible[list(hidden)] = False
    out = np.empty(q.shape, np.float32)
    for index in np.ndindex(q.shape[:-2]):
        words = [to_words(x[index], factor) for x, factor in zip((q, k, v), by)]
        out[index] = _head(*words, visible, windows, global_tokens, dilation, rows, cols, globals_, shift)
    return out * (np.float32(1 / 256) / np.float32(by[2]))


def _head(q, k, v, visible, windows, global_tokens, dilation, rows, cols, globals_, shift):
    n, d = q.shape
    tokens = n // dilation
    ordered = sorted(global_tokens, key=lambda t: (t % dilation, t // dilation))
    groups = [ordered[i : i + globals_] for i in range(0, len(ordered), globals_)]
    result, special = Rows(n, d), Rows(len(ordered), d)
    passes = plan(windows, tokens, len(groups), rows, cols)
    for segment in range(dilation):
        own = np.arange(tokens) * dilation + segment
        for p in passes:
            _local(p, own, dilation, segment, visible, groups, q, k, v, result, shift)
        for tile in range(0, tokens, rows):
            for p in passes:
                if p["shown"] and not (p.get("once") and tile > 0):
                    _shown(p, tile, own, visible, groups, q, k, v, special, rows, cols, globals_, shift)
    result.out[ordered] = special.out
    return result.out


def _local(p, own, dilation, segment, visible, groups, q, k, v, result, shift):
    """One pass of all tiles: column c sees key i + offset + cols - 1 - c, then come the global keys."""
    tokens, count = len(own), len(k) // dilation
    keys = np.arange(tokens)[:, None] + p["offset"] + np.arange(p["cols"])[::-1]
    exists = (keys >= 0) & (keys < count)
    numbers = np.clip(keys, 0, count - 1) * dilation + segment
    valid = exists & visible[numbers] & ~np.isin(numbers, sum(groups, []))
    if p["keys"] is not None:
        group = np.broadcast_to(groups[p["keys"]], (tokens, len(groups[p["keys"]])))
        numbers = np.concatenate([numbers, group], axis=1)
        valid = np.concatenate([valid, visible[group]], axis=1)
    score = np.einsum("id,ixd->ix", q[own], k[numbers])
    result.merge(own, *attend(score, valid, v[numbers], shift))


def _shown(p, tile, own, visible, groups, q, k, v, special, rows, cols, globals_, shift):
    """The keys that pass the last row of a tile, as the rows of the global queries see them."""
    group, begin, end, width = p["shown"]
    seen = max(0, cols - rows) if tile > 0 else 0  # shown by the tile before
    keys = tile + p["offset"] + rows - 1 + np.arange(seen, width)
    keys = keys[(keys >= begin) & (keys < end) & (keys >= 0) & (keys < len(own))][::-1]
    if len(keys) == 0:
        return
    for i, query in enumerate(groups[group]):
        score = (k[own[keys]] @ q[query])[None]
        special.merge(
            np.array([group * globals_ + i]), *attend(score, visible[own[keys]][None], v[own[keys]][None], shift)
        )


def pattern_mask(n, windows, global_tokens=(), dilation=1):
    """Which pairs survive (2.1); `windows` in units of `dilation`."""
    distance = np.arange(n)[None] - np.arange(n)[:, None]
    mask = np.zeros((n, n), bool)
    for offset, width in windows:
        for m in range(width):
            mask |= distance == (offset + m) * dilation
    mask[list(global_tokens)] = True
    mask[:, list(global_tokens)] = True
    return mask


def select_blocks(scores, valid_len, block=64, window=8, globals_=1, randoms=3, dilation=1):
    """The mask that version 2 picks for [n, n] scores (2.5)."""
    n = len(scores)
    mask = np.zeros((n, n), bool)
    for i in range(0, n, block):
        for j in range(0, n, block):
            part = np.asarray(scores[i : i + block, j : j + block], np.float64)
            keys = np.arange(j, j + block) < valid_len
            queries = np.arange(i, i + block) < valid_len
            mask[i : i + block, j : j + block] = _select_block(part, queries, keys, window, globals_, randoms, dilation)
    return mask


def _select_block(part, queries, keys, window, globals_, randoms, dilation):
    b = len(part)
    mask = np.zeros((b, b), bool)
    mask[:, np.argsort(-part.sum(axis=0), kind="stable")[:globals_]] = True
    mask[np.argsort(-part.sum(axis=1), kind="stable")[:globals_]] = True
    diagonals = np.array([np.trace(part, offset=u - (b - 1)) for u in range(2 * b - 1)])
    steps = np.arange(window) * dilation
    sums = [diagonals[c + steps].sum() for c in range(2 * b - 1 - steps[-1])]
    best = int(np.argmax(sums))
    number = np.arange(b)[None] - np.arange(b)[:, None] + b - 1
    mask |= np.isin(number, best + steps) & keys[None] & queries[:, None]
    if randoms:
        rest = np.where(mask | ~keys[None], 0, part)
        picked = np.argsort(-rest, axis=1, kind="stable")[:, :randoms]
        np.put_along_axis(mask, picked, True, axis=1)
    return mask & keys[None]
