# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The NumPy oracle against the numbers printed in Sanger's spec sheet (sections 7 and 8) and against itself.

These tests need no build: they are what makes the oracle fit to judge the simulator.
"""

import itertools
import math

import numpy as np
import pytest

import sparsam_oracle as oracle

# Worked example (a).
Q = np.array([[1.0, 0.5], [-0.72, 0.2], [0.36, -1.4], [0.0, 0.84]])
K = np.array([[1.4, 0.2], [-0.6, 1.2], [0.2, -1.0], [-1.24, -0.4]])
MASK = np.array([[1, 0, 0, 0], [0, 1, 0, 1], [1, 0, 1, 0], [1, 1, 0, 0]], bool)


def example_c():
    """10 empty rows, 30 with 8 ones, 20 with 16, 4 with 40, in 64 keys."""
    ones = np.array([0] * 10 + [8] * 30 + [16] * 20 + [40] * 4)
    return np.arange(64) < ones[:, None]


def test_quantizes_example_a():
    np.testing.assert_array_equal(oracle.quantize(Q, 4, 1.4), [[5, 2], [-4, 1], [2, -7], [0, 4]])
    np.testing.assert_array_equal(oracle.quantize(K, 4, 1.4), [[7, 1], [-3, 6], [1, -5], [-6, -2]])


def test_dot_products_of_example_a():
    dots = oracle.quantize(Q, 4, 1.4) @ oracle.quantize(K, 4, 1.4).T
    np.testing.assert_array_equal(dots, [[37, -3, -5, -34], [-27, 18, -9, 22], [7, -48, 37, 2], [4, 24, -20, -8]])
    scores = dots[0] / (25 * math.sqrt(2))
    np.testing.assert_allclose(scores, [1.0465, -0.0849, -0.1414, -0.9617], atol=5e-5)


def test_predicts_example_a():
    probabilities, mask = oracle.predict(Q, K, bits=4, threshold=0.2, normalize=False, tx=1.4, ty=1.4)
    expected = [
        [0.5676, 0.1831, 0.1730, 0.0762],
        [0.0977, 0.3489, 0.1626, 0.3907],
        [0.2265, 0.0478, 0.5291, 0.1966],
        [0.2513, 0.4424, 0.1274, 0.1789],
    ]
    np.testing.assert_allclose(probabilities, expected, atol=5e-5)
    np.testing.assert_array_equal(mask, MASK)
    assert mask.mean() == 7 / 16


@pytest.mark.parametrize("pes, subrows, load_balance", [(2, [1, 2, 2, 2], 0.875), (1, [1] * 7, 1.0)])
def test_packs_example_b(pes, subrows, load_balance):
    statistics = oracle.pack_split(MASK, width=4, pes=pes)
    (block,) = oracle.split_stripe(MASK, pes=pes)
    assert [len(columns) for _, columns in block] == subrows
    assert (statistics.subrows, statistics.skip) == (len(subrows), load_balance)


@pytest.mark.parametrize("row, delays", [(2, [1, 1]), (3, [0, 2])])
def test_bubbles_of_example_b(row, delays):
    assert oracle.bubbles(np.flatnonzero(MASK[row]).tolist(), width=4, pes=2) == delays


def test_packs_example_c():
    statistics = oracle.pack_split(example_c())
    assert (statistics.nnz, statistics.density) == (720, 0.17578125)
    assert (statistics.subrows, statistics.nonempty_vectors, statistics.blocks) == (62, 54, 1)
    assert statistics.full_segments == 20 + 4 * 2
    assert statistics.skip == 720 / 992 == pytest.approx(0.7258065, abs=5e-8)
    assert statistics.noskip_as_released == 45 / 116 == pytest.approx(0.3879310, abs=5e-8)
    assert statistics.noskip == 720 / (16 * 72) == 0.625


def test_latencies_of_example_c():
    statistics = oracle.pack_split(example_c())
    arguments = (64, statistics.density, statistics.skip)
    assert oracle.estimator1(*arguments) * 1e6 == pytest.approx(121.008, abs=5e-4)
    assert oracle.estimator2(*arguments) * 1e6 == pytest.approx(120.448, abs=5e-4)


@pytest.mark.parametrize("overlap, cycles", [("none", 387), ("partial", 259), ("full", 128)])
def test_block_cycles_of_example_c(overlap, cycles):
    assert oracle.block_cycles(64, overlap) == cycles
    fill = 0 if overlap == "none" else 128
    assert oracle.sparse_cycles(oracle.pack_split(example_c()).subrows_per_stripe, 64, overlap) == cycles + fill


@pytest.mark.parametrize(
    "x, width, point, raw_result",
    [(0.25, 20, 8, 328), (1, 20, 8, 693), (2, 20, 8, 1878), (3.5, 20, 8, 8372), (1, 32, 16, 177505)],
)
def test_exponentials_of_example_d(x, width, point, raw_result):
    raw = int(x * 2**point)
    assert oracle.exp_unit(raw, width, point) == raw_result
    assert oracle.exp_unit_signed(raw, width, point) == raw_result


def test_column_cut_of_example_e():
    blocks, cycles = oracle.column_cut([[1, 0, 1, 1]], pes=2)
    # (column, stored, emitted, column counter afterwards): the overflowing column 3 is read again.
    until_overflow = [(0, True, False, 1), (1, False, False, 2), (2, True, False, 3), (3, False, True, 0)]
    assert cycles == [*until_overflow, (3, True, False, 1)]
    assert blocks == [(0, [[0, 2]]), (3, [[0]])]


@pytest.mark.parametrize(
    "n, density, load_balance, first, second",
    [
        (512, 0.10, 0.60, 0.999424, 0.986681),
        (384, 0.10, 0.65, 0.731609, 0.722665),
        (128, 0.25, 0.70, 0.256293, 0.253680),
    ],
)
def test_latency_table(n, density, load_balance, first, second):
    # Printed in ms with six digits, so half of the last one is what can be asked for.
    assert oracle.estimator1(n, density, load_balance) * 1e3 == pytest.approx(first, abs=5.01e-7)
    assert oracle.estimator2(n, density, load_balance) * 1e3 == pytest.approx(second, abs=5.01e-7)


@pytest.mark.parametrize(
    "pes, density, load_balance",
    [
        *[(16, 0.05, 0.2078), (16, 0.087, 0.3490), (16, 0.1, 0.4004), (16, 0.2, 0.7109), (16, 0.25, 0.6977)],
        *[(16, 0.331, 0.6980), (16, 0.5, 0.8162), (32, 0.1, 0.2002), (32, 0.25, 0.5000), (32, 0.5, 0.6895)],
    ],
)
def test_load_balance_of_random_masks(pes, density, load_balance):
    # The sheet's expectation of Bernoulli masks; 8 heads, so that chance stays well below its tolerance of 1 %.
    mask = np.random.default_rng(7).random((8, 512, 512)) < density
    assert oracle.pack_split(mask, pes=pes).skip == pytest.approx(load_balance, rel=0.01)


def test_exponential_stays_within_the_published_error():
    for width, point, limit, error in [(20, 8, 8, 0.0305), (32, 16, 9, 0.0355)]:
        words = np.linspace(0, limit * 2**point, 2001, endpoint=False).astype(int)
        ratios = [oracle.exp_unit(int(w), width, point) / 2**point / math.exp(w / 2**point) for w in words]
        assert max(abs(r - 1) for r in ratios) <= error


def test_signed_exponential_of_negative_words():
    values = [oracle.exp_unit_signed(-word, 32, 16) / 2**16 for word in range(0, 6 * 2**16, 999)]
    assert all(left >= right for left, right in itertools.pairwise(values))
    for word, value in zip(range(0, 6 * 2**16, 999), values):
        assert value == pytest.approx(math.exp(-word / 2**16), rel=0.05, abs=2**-16)
    assert oracle.exp_unit_signed(100 << 16, 32, 16) == 2**31 - 1


@pytest.mark.parametrize("bits, qmax", [(2, 1), (4, 7), (6, 31), (8, 127)])
def test_codes_are_symmetric(bits, qmax):
    codes = oracle.quantize(np.linspace(-3, 3, 1001), bits, 1.0)
    assert (codes.min(), codes.max()) == (-qmax, qmax)


def test_quantize_rejects_an_uncalibrated_range():
    with pytest.raises(ValueError, match="calibrated range > 0, got 0"):
        oracle.quantize(Q, 4, 0.0)


def random_heads(n, d=16, heads=2, seed=0):
    rng = np.random.default_rng(seed)
    return [2 * rng.standard_normal((heads, n, d)) for _ in range(3)]


def test_attention_without_mask_is_dense():
    q, k, v = random_heads(20)
    everything = np.ones((20, 20), bool)
    np.testing.assert_allclose(oracle.attention(q, k, v), oracle.attention(q, k, v, everything), rtol=1e-12)


def test_attention_ignores_what_the_mask_drops():
    q, k, v = random_heads(20)
    _, mask = oracle.predict(q, k, threshold=0.02)
    changed = np.where(mask[..., None], v[:, None], 1e3)  # [heads, query, key, d]
    result = oracle.attention(q, k, v, mask)
    for head, query in itertools.product(range(2), range(20)):
        row = oracle.attention(q[head, [query]], k[head], changed[head, query], mask[head, [query]])
        np.testing.assert_allclose(row[0], result[head, query], rtol=1e-12)


def test_empty_rows_follow_their_policy():
    q, k, v = random_heads(20)
    predicted, mask = oracle.predict(q, k, threshold=0.9)
    empty = ~mask.any(axis=-1)
    assert 0 < empty.sum() < empty.size
    dense, zero, argmax = (
        oracle.attention(q, k, v, mask, empty_row=policy, predicted=predicted) for policy in ("dense", "zero", "argmax")
    )
    np.testing.assert_allclose(dense[empty], oracle.attention(q, k, v)[empty], rtol=1e-12)
    assert not zero[empty].any()
    likeliest = np.take_along_axis(v, predicted.argmax(axis=-1)[..., None], axis=1)
    np.testing.assert_allclose(argmax[empty], likeliest[empty], rtol=1e-12)
    np.testing.assert_array_equal(dense[~empty], zero[~empty])


def test_padded_keys_are_never_kept():
    q, k, _ = random_heads(20)
    short, mask = oracle.predict(q, k, valid_len=13, tx=0.9, ty=0.9)
    alone, _ = oracle.predict(q[:, :13], k[:, :13], tx=0.9, ty=0.9)
    assert not mask[..., 13:].any()
    np.testing.assert_allclose(short[:, :13, :13], alone, rtol=1e-12)


def test_valid_lengths_of_a_batch_apply_to_their_element():
    q, k, _ = (np.stack([x, x]) for x in random_heads(20))
    probabilities, _ = oracle.predict(q, k, valid_len=[20, 13])
    np.testing.assert_array_equal(probabilities[0], oracle.predict(q[0], k[0])[0])
    np.testing.assert_array_equal(probabilities[1], oracle.predict(q[1], k[1], valid_len=13)[0])


def test_statistics_leave_out_padding():
    mask = np.random.default_rng(3).random((2, 2, 100, 100)) < 0.2
    mixed = oracle.pack_split(mask, valid_len=[100, 70])
    parts = [oracle.pack_split(mask[0]), oracle.pack_split(mask[1, :, :70, :70])]
    for name in ("nnz", "vectors", "nonempty_vectors", "full_segments", "subrows", "blocks"):
        assert getattr(mixed, name) == sum(getattr(part, name) for part in parts), name
    assert mixed.density == pytest.approx((parts[0].density + parts[1].density) / 2)


@pytest.mark.parametrize("encoder", ["subrow", "column_cut"])
@pytest.mark.parametrize("n, density", [(1, 1.0), (64, 0.0), (64, 1.0), (65, 0.3), (150, 0.1)])
def test_encoders_lose_nothing(encoder, n, density):
    mask = np.random.default_rng(5).random((n, n)) < density
    statistics = oracle.pack_split(mask, encoder=encoder)
    assert statistics.nnz == mask.sum()
    assert sum(statistics.subrows_per_stripe) == statistics.subrows >= statistics.nonempty_vectors
    assert 0 <= statistics.full_segments <= statistics.subrows <= 64 * statistics.blocks


def test_bubbles_align_every_row():
    for columns in [[], [0], [63], [5, 6, 40], list(range(16)), list(range(48, 64)), list(range(0, 64, 4))]:
        delays = oracle.bubbles(columns)
        assert len(delays) == 16 and min(delays) >= 0 and max(delays) <= 48


def test_load_balances_cover_the_extremes():
    assert oracle.pack_split(np.zeros((64, 64), bool)).skip == 0.0
    assert oracle.pack_split(np.ones((64, 64), bool)).skip == 1.0


def test_head_is_bound_by_its_slowest_part():
    # n = 128, d = 64: prediction 4 tiles of 64 cycles + 128, of which the first stripe of rows (2 tiles) is the fill.
    fill = 2 * 64 + 128
    assert oracle.head_cycles(128, 64, (0, 0), "none", bandwidth=1e12) == (4 * 64 + 128) + fill
    assert oracle.head_cycles(128, 64, (640, 640), "none") == 20 * 387 + fill
    # DMA: 4 * 128 * 64 * 2 = 65536 bytes, at 1 byte per cycle.
    assert oracle.head_cycles(128, 64, (0, 0), "none", bandwidth=1e9) == 65536 + fill
