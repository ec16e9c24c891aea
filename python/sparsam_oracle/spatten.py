# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""SpAtten in NumPy: 12-bit words, progressive keys, local value pruning, cascade of tokens.

Written from the design's description, to be compared with the simulator bit by bit; it shares no code with it. float32 arithmetic
is in the order that the description fixes: sums run over eight lanes.
"""

import dataclasses

import numpy as np

F = np.float32


@dataclasses.dataclass(frozen=True)
class Format:
    """Number formats of a core; ranges are calibrated magnitudes."""

    q_range: float
    k_range: float
    v_range: float
    msb: int = 8
    lsb: int = 4
    value_bits: int = 8
    threshold: float = 0.1
    progressive: bool = False  # a second fetch may happen


def quantize(x, bits, limit):
    """(words, scale): linear, symmetric, rounded half to even."""
    largest = F(2 ** (bits - 1) - 1)
    scale = F(limit) / largest
    words = np.clip(np.rint(np.asarray(x, F) * (F(1) / scale)), -largest, largest)
    return words.astype(np.int64), scale


def taylor_exp(x):
    """2^k times the fifth-order Taylor polynomial of the rest in [0, ln 2)."""
    y = np.maximum(np.asarray(x, F), F(-87))
    k = np.floor(y * F(1.44269504))
    r = y - k * F(0.693147181)
    p = r * (F(1) / F(120)) + F(1) / F(24)
    for c in (F(1) / F(6), F(0.5), F(1), F(1)):
        p = p * r + c
    return p * np.ldexp(F(1), k.astype(np.int32)).astype(F)


def lane_sum(x):
    """Sum over eight lanes, folded by halves."""
    rows = np.concatenate([x, np.zeros(-len(x) % 8, F)]).reshape(-1, 8)
    lanes = np.zeros(8, F)
    for row in rows:
        lanes = lanes + row
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))


def softmax(integer_scores, factor):
    """Probabilities in float32 of integer scores."""
    scores = np.asarray(integer_scores).astype(F) * factor
    weights = taylor_exp(scores - scores.max())
    return weights / lane_sum(weights)


def top_k(scores, k, protect=()):
    """Ascending positions of the k largest; the first of equals; protected ones always."""
    scores = np.asarray(scores, np.float64).copy()
    for position in protect:
        scores[position] = np.inf
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    return np.array(sorted(order[:k]))


def row(q, k_words, v_words, fmt, scales, values):
    """One query: (output words, 12-bit probabilities, kept values, low bits needed)."""
    q_words, factor = q, scales[0]
    needs_lsb = False
    words = k_words >> fmt.lsb << fmt.lsb if fmt.progressive else k_words
    probabilities = softmax(words @ q_words, factor)
    if fmt.progressive and probabilities.max() < F(fmt.threshold):
        needs_lsb = True
        probabilities = softmax(k_words @ q_words, factor)
    p = np.minimum((probabilities * F(4096) + F(0.5)).astype(np.int64), 4095)
    kept = top_k(p, min(values, len(p)))
    total = p[kept] @ v_words[kept]
    return np.clip((total + 2048) >> 12, -2048, 2047), p, kept, needs_lsb


def attention(q, k, v, fmt, values, causal=False):
    """All heads, [heads, queries, d] and [heads, keys, d] in float32.

    Returns (output, token importance, head importance, value mask, low bits needed).
    """
    heads, queries, dim = q.shape
    keys = k.shape[1]
    shift = 12 - fmt.value_bits
    output = np.zeros((heads, queries, dim), F)
    tokens, importance = np.zeros(keys, np.int64), np.zeros(heads, np.int64)
    mask, low = np.zeros((heads, queries, keys), bool), np.zeros((heads, queries), bool)
    q_words, q_scale = quantize(q, 12, fmt.q_range)
    k_words, k_scale = quantize(k, fmt.msb + fmt.lsb, fmt.k_range)
    v_words, v_scale = quantize(v, fmt.value_bits, fmt.v_range)
    v_words = v_words << shift
    factor = F(float(q_scale) * float(k_scale) * float(F(1 / np.sqrt(dim))))
    unit = F(float(v_scale) / 2**shift)
    for h in range(heads):
        for i in range(queries):
            seen = i + keys - queries + 1 if causal else keys
            words, p, kept, low[h, i] = row(
                q_words[h, i], k_words[h, :seen], v_words[h, :seen], fmt, (factor,), values
            )
            output[h, i] = words.astype(F) * unit
            tokens[:seen] += p
            importance[h] += np.abs(words).sum()
            mask[h, i, kept] = True
    return output, tokens / 4096, importance * float(unit), mask, low


def cascade(q, k, v, fmt, counts, values, protect=()):
    """Attention layers, each fed with the output of the one before as q, k and v, on ever fewer tokens.

    counts[l] tokens live in layer l. Returns (output in all places, survivors by layer).
    """
    alive = np.arange(q.shape[1])
    scores = np.zeros(len(alive), F)
    survivors = []
    for layer, following in enumerate([*counts[1:], None]):
        output, tokens, *_ = attention(q, k, v, fmt, values(len(alive)))
        scores = (scores.astype(np.float64) + tokens).astype(F)
        if following is not None and following < len(alive):
            keep = top_k(scores, following, protect)
            survivors.append(keep)
            alive, scores, output = alive[keep], scores[keep], output[:, keep]
        q = k = v = output
    result = np.zeros((q.shape[0], counts[0], q.shape[2]), F)
    result[:, alive] = q
    return result, survivors


@dataclasses.dataclass
class DecoderState:
    """What a decoder keeps: keys and values of all tokens by layer, [heads, tokens, d], and both importances."""

    caches: list
    importance: np.ndarray  # of tokens, float32, of the whole capacity
    heads: np.ndarray  # of heads, float32


def decode(x, state, fmt, tokens, heads, values, protect=()):
    """One step of attention layers, each fed with the output of the one before as query, key and value; changes the state.

    `tokens[l]` of the capacity and `heads[l]` live in layer l. Tokens are ranked by the importance so far, with the newest
    one protected; heads behind each layer, for the rest of the step. Returns (output, survivors, living heads), by layer.
    """
    capacity, living = len(state.importance), np.arange(x.shape[0])
    survivors, lived = [], []
    for layer, (count, following) in enumerate(zip(tokens, [*heads[1:], None])):
        state.caches[layer] = [np.concatenate([cache, x], axis=1) for cache in state.caches[layer]]
        k, v = state.caches[layer]
        length = k.shape[1]
        ranked = state.importance[:length]
        keep = top_k(ranked, min(count, length), (*protect, length - 1)) if count < capacity else np.arange(length)
        out, added, magnitudes, *_ = attention(
            x[living], k[living][:, keep], v[living][:, keep], fmt, values(count))
        if count < capacity:
            state.importance[keep] += added.astype(F)
        else:
            state.importance[keep] = (ranked.astype(np.float64) + added).astype(F)
        state.heads[living] = (state.heads[living].astype(np.float64) + magnitudes).astype(F)
        survivors.append(keep)
        lived.append(living)
        x = np.zeros_like(x)
        x[living] = out
        if following is not None and following < len(living):
            living = living[top_k(state.heads[living], following)]
    return x, survivors, lived
