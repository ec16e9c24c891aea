# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The two released latency estimators (5.1, 5.2), in seconds, and the proposed cycle model of one head (5.3)."""

HIDDEN = 768  # BERT-base, all heads lumped: hard-wired in the released estimators
PES = 1024


def estimator1(n, density, load_balance, clock=1e9):
    """Projections at full rate; scores, context and (the pitfall) the output projection scaled by density / LB."""
    peak = 2 * PES * clock
    projections = 6 * n * HIDDEN**2
    rest = 4 * n**2 * HIDDEN + 2 * n * HIDDEN**2
    return projections / peak + rest * density / (load_balance * peak)


def estimator2(n, density, load_balance, clock=1e9, bandwidth=128e9):
    """As estimator 1, but attention by tiles of 64 sub-rows and 64 keys; every division is real-valued."""
    peak = 2 * PES * clock
    projections = 6 * n * HIDDEN**2
    output = 2 * n * HIDDEN**2 * density / (load_balance * peak)
    subrows = density / load_balance / 0.25 * n
    tile_cycles = (HIDDEN + 64) + (subrows + 64)
    slowdown = max(1, 64 * 2 * clock / bandwidth)
    attention = (subrows / 64) * (n / 64) * tile_cycles * slowdown / clock
    return projections / peak + attention + output


def block_cycles(d, overlap="none", width=64, rows=64):
    """Cycles of one block: nothing overlapped, row skew hidden ("partial"), or wave fronts ("full")."""
    return {"none": 2 * (d + width + rows) + 3, "partial": 2 * (d + width) + 3, "full": 2 * d}[overlap]


def sparse_cycles(subrows_per_stripe, d, overlap="none", width=64, rows=64):
    """All blocks of one head; subrows_per_stripe is that of pack_split for this head."""
    blocks = sum(-(-subrows // rows) for subrows in subrows_per_stripe)
    return blocks * block_cycles(d, overlap, width, rows) + (width + rows if overlap != "none" else 0)


def predict_cycles(n, d, query_rows=None):
    """The 64 x 64 low-bit array on all tiles of a head, or on those of its first query_rows rows."""
    row_tiles = -(-(n if query_rows is None else query_rows) // 64)
    return row_tiles * -(-n // 64) * max(d, 64) + 128


def dma_cycles(n, d, clock=1e9, bandwidth=128e9):
    """Q, K, V in and O out once, 16 bits each."""
    return 4 * n * d * 2 * clock / bandwidth


def head_cycles(n, d, subrows_per_stripe, overlap="none", clock=1e9, bandwidth=128e9):
    """The slowest of prediction, sparse passes and DMA, behind the first 64-row stripe of prediction.

    The sheet does not say whether this fill includes the 128 cycles of array latency; here it does [A].
    """
    fill = predict_cycles(n, d, query_rows=min(n, 64))
    sparse = sparse_cycles(subrows_per_stripe, d, overlap)
    return max(predict_cycles(n, d), sparse, dma_cycles(n, d, clock, bandwidth)) + fill
