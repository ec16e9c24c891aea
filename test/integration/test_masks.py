# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The functional model's masks, outputs and packing statistics against the oracle, on bare tensors and masks."""

import dataclasses
import json

import numpy as np
import pytest

import sparsam_oracle as oracle

HEADS = 3
HEAD_DIM = 32
MARGIN = 1e-5  # pairs whose probability is this close to the threshold may fall either way
CODE_MARGIN = 2e-5  # of the scaled value's magnitude; float32 rounds the norm, the quotient and the product
CLOCK_OF_ESTIMATORS = 1e9


def ambiguous_rows(x, bits, limit, normalize):
    """Rows with a value so close to a rounding border that float32 and float64 may give different codes."""
    if normalize:
        x = x / np.linalg.norm(x, axis=-1, keepdims=True)
    scaled = x * ((2 ** (bits - 1) - 1) / limit)
    border = np.abs(scaled - np.floor(scaled) - 0.5)
    return (border < CODE_MARGIN * np.maximum(np.abs(scaled), 1)).any(axis=-1)


def draw(rng, n, bits, limit, normalize):
    """Float32 rows [heads, n, d] without ambiguous codes: those are drawn again."""
    x = np.zeros((HEADS, n, HEAD_DIM), np.float32)
    again = np.ones(x.shape[:2], bool)
    while again.any():
        x[again] = 1.5 * rng.standard_normal((again.sum(), HEAD_DIM), dtype=np.float32)
        again = ambiguous_rows(x.astype(np.float64), bits, limit, normalize)
    return x


def ranges(normalize):
    """Ranges tx, ty which the largest values exceed, so that the clamp is tested as well."""
    return (0.5, 0.45) if normalize else (3.5, 4.0)


@pytest.fixture
def run_attention(run_json, load_npz, tmp_path):
    """Runs `sparsam attention` on arrays; returns its arrays."""

    def run(q, k, v=None, valid_len=None, **settings):
        tensors = {"q": q, "k": k, "v": v}
        arguments = []
        for name, tensor in tensors.items():
            if tensor is not None:
                np.save(tmp_path / f"{name}.npy", tensor)
                arguments += [f"--{name}", tmp_path / f"{name}.npy"]
        if valid_len is not None:
            arguments += ["--valid-len", valid_len]
        arguments += [f"--set={name}={str(value).lower()}" for name, value in settings.items()]
        run_json("attention", "--target", "sanger", *arguments, "-o", tmp_path / "out.npz")
        return load_npz(tmp_path / "out.npz")

    return run


def assert_masks_agree(mask, probabilities, threshold):
    """Equal but for pairs next to the threshold, of which there must be few: else nothing would be compared."""
    assert mask.dtype == bool and mask.shape == probabilities.shape
    decided = np.abs(probabilities - threshold) > MARGIN
    assert decided.mean() > 0.9
    np.testing.assert_array_equal(mask[decided], (probabilities > threshold)[decided])


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("bits", [2, 4, 6, 8])
@pytest.mark.parametrize(
    "n, valid_len", [(1, None), (50, None), (64, None), (64, 52), (65, None), (200, 130), (512, None)]
)
def test_masks_equal_the_oracle(n, valid_len, bits, normalize, run_attention):
    rng = np.random.default_rng([n, bits, normalize])
    tx, ty = ranges(normalize)
    q, k = (draw(rng, n, bits, limit, normalize) for limit in (tx, ty))
    threshold = min(0.5, 1 / (valid_len or n))  # the mean probability, at which both outcomes are common
    settings = {"bits": bits, "normalize": normalize, "threshold": threshold, "tx": tx, "ty": ty}
    expected, oracle_mask = oracle.predict(q, k, valid_len=valid_len, **settings)
    assert n == 1 or 0.05 < oracle_mask[..., : valid_len or n].mean() < 0.95
    result = run_attention(q, k, valid_len=valid_len, **settings)
    assert_masks_agree(result["mask"], expected, threshold)


def test_calibrates_on_the_tensors_when_no_range_is_given(run_attention):
    rng = np.random.default_rng(1)
    q, k = (rng.standard_normal((HEADS, 80, HEAD_DIM), dtype=np.float32) for _ in range(2))
    tx, ty = oracle.calibrate(q, k)
    given = run_attention(q, k, threshold=0.01, tx=tx, ty=ty)["mask"]
    found = run_attention(q, k, threshold=0.01)["mask"]
    # The range found in float32 may differ in its last bit, and with it a code next to a rounding border.
    assert (given == found).mean() > 0.999
    assert 0.05 < found.mean() < 0.95


@pytest.mark.parametrize("empty_row", ["dense", "zero", "argmax"])
def test_outputs_equal_the_oracle(empty_row, run_attention):
    rng = np.random.default_rng(2)
    tx, ty = ranges(True)
    q, k = (draw(rng, 100, 4, limit, True) for limit in (tx, ty))
    v = rng.standard_normal(q.shape, dtype=np.float32)
    settings = {"threshold": 0.3, "tx": tx, "ty": ty}
    predicted, mask = oracle.predict(q, k, valid_len=90, **settings)
    empty = ~mask.any(axis=-1)
    assert 0.05 < empty.mean() < 0.95
    result = run_attention(q, k, v, valid_len=90, numerics="ref", empty_row=empty_row, **settings)
    assert_masks_agree(result["mask"] | empty[..., None], predicted * ~empty[..., None] + empty[..., None], 0.3)
    expected = oracle.attention(q, k, v, mask, valid_len=90, empty_row=empty_row, predicted=predicted)
    assert result["out"].dtype == np.float32
    np.testing.assert_allclose(result["out"][:, :90], expected[:, :90], rtol=0, atol=1e-4)


def test_batch_dimension_is_kept(run_attention):
    rng = np.random.default_rng(3)
    q, k, v = (rng.standard_normal((2, HEADS, 40, HEAD_DIM), dtype=np.float32) for _ in range(3))
    tx, ty = oracle.calibrate(q, k)
    result = run_attention(q, k, v, threshold=0.02, tx=tx, ty=ty)
    assert (result["out"].shape, result["mask"].shape) == (q.shape, (2, HEADS, 40, 40))
    single = run_attention(q[1], k[1], v[1], threshold=0.02, tx=tx, ty=ty)
    np.testing.assert_array_equal(result["mask"][1], single["mask"])
    np.testing.assert_array_equal(result["out"][1], single["out"])


def clustered_masks(batch=2, heads=2, n=150, seed=0):
    """Masks with empty vectors, full vectors and all in between."""
    rng = np.random.default_rng(seed)
    density = rng.choice([0.0, 0.02, 0.1, 0.5, 1.0], size=(batch, heads, n, 1))
    return rng.random((batch, heads, n, n)) < density


def assert_statistics_agree(report, expected):
    for name in ("nnz", "nonempty_vectors", "full_segments", "subrows", "blocks"):
        assert report[name] == getattr(expected, name), name
    assert report["density"] == pytest.approx(expected.density, rel=1e-9)
    for name in ("skip", "noskip", "noskip_as_released"):
        assert report["load_balance"][name] == pytest.approx(getattr(expected, name), rel=1e-9), name


@pytest.mark.parametrize("encoder", ["subrow", "column_cut"])
@pytest.mark.parametrize("pes", [16, 32])
@pytest.mark.parametrize("n, valid_len", [(1, None), (64, None), (65, None), (150, None), (150, [150, 70])])
def test_simulated_statistics_equal_the_oracle(n, valid_len, pes, encoder, run_json, tmp_path):
    masks = clustered_masks(n=n)
    lengths = np.array(valid_len or [n, n])
    inside = np.arange(n) < lengths[:, None]
    masks &= inside[:, None, :, None] & inside[:, None, None, :]
    if n == 1:
        masks[:] = True
    np.save(tmp_path / "m.npy", masks)
    options = ["--valid-len", ",".join(map(str, valid_len))] if valid_len else []
    report = run_json(
        *["simulate", "--target", "sanger", "--masks", tmp_path / "m.npy", "--head-dim", 64, *options],
        *[f"--set=pes={pes}", f"--set=encoder={encoder}"],
    )
    assert_statistics_agree(report, oracle.pack_split(masks, pes=pes, valid_len=valid_len, encoder=encoder))
    assert report["cycles"] > 0


def test_statistics_ignore_what_lies_in_the_padding(run_json, tmp_path):
    masks = clustered_masks(batch=1, n=100)
    np.save(tmp_path / "m.npy", masks)
    command = ["simulate", "--target", "sanger", "--masks", tmp_path / "m.npy", "--head-dim", 64, "--valid-len", 70]
    executed = oracle.pack_split(masks & (np.arange(100) < 70))  # padded queries take blocks, too
    expected = dataclasses.replace(oracle.pack_split(masks, valid_len=70), blocks=executed.blocks)
    assert_statistics_agree(run_json(*command), expected)


@pytest.mark.parametrize("batch, heads, n", [(9, 1, 64), (5, 3, 64), (4, 3, 128), (3, 4, 64)])
def test_padding_that_hides_nothing_takes_little_time(batch, heads, n, run_json, tmp_path):
    rng = np.random.default_rng(6)
    tensors = []
    for name in "qkv":
        np.save(tmp_path / f"{name}.npy", rng.standard_normal((batch, heads, n, 64), np.float32))
        tensors += [f"--{name}", tmp_path / f"{name}.npy"]
    command = ["attention", "--target", "sanger", *tensors]
    plain, padded = run_json(*command), run_json(*command, "--valid-len", n)
    assert plain["launches"][0]["metrics"]["blocks"] == padded["launches"][0]["metrics"]["blocks"]
    # The mask of an entry is loaded before its first head: heads overlap across entries as within them.
    assert padded["cycles"] == pytest.approx(plain["cycles"], rel=0.03)


@pytest.mark.parametrize("encoder", ["subrow", "column_cut"])
def test_simulating_a_padded_mask_costs_what_making_it_did(encoder, run_json, load_npz, tmp_path):
    rng = np.random.default_rng(5)
    for name in "qkv":
        np.save(tmp_path / f"{name}.npy", rng.standard_normal((2, 3, 100, 64), np.float32))
    options = ["--target", "sanger", f"--set=encoder={encoder}", "--valid-len", "52,70"]
    tensors = [argument for name in "qkv" for argument in (f"--{name}", tmp_path / f"{name}.npy")]
    made = run_json("attention", *options, *tensors, "-o", tmp_path / "out.npz")
    masks = load_npz(tmp_path / "out.npz")["mask"]
    assert masks[:, :, 75:].any()  # padded queries have a mask, and take their part of the time
    np.save(tmp_path / "m.npy", masks)
    simulated = run_json("simulate", *options, "--masks", tmp_path / "m.npy", "--head-dim", 64)
    assert simulated["cycles"] == made["cycles"]
    blocks = oracle.pack_split(masks, encoder=encoder).blocks
    expected = dataclasses.replace(oracle.pack_split(masks, valid_len=[52, 70], encoder=encoder), blocks=blocks)
    assert_statistics_agree(simulated, expected)
    assert_statistics_agree(made["launches"][0]["metrics"], expected)


def test_simulated_latencies_are_the_released_estimators(run_json, tmp_path):
    masks = clustered_masks(n=128)
    np.save(tmp_path / "m.npy", masks)
    report = run_json("simulate", "--target", "sanger", "--masks", tmp_path / "m.npy", "--head-dim", 64)
    statistics = oracle.pack_split(masks)
    arguments = (128, statistics.density, statistics.skip, CLOCK_OF_ESTIMATORS)
    for name in ("estimator1", "estimator2"):
        assert report["latency_s"][name] == pytest.approx(getattr(oracle, name)(*arguments), rel=1e-6)


@pytest.mark.parametrize(
    "n, density, load_balance, first, second",
    [
        (512, 0.10, 0.60, 0.999424e-3, 0.986681e-3),
        (384, 0.10, 0.65, 0.731609e-3, 0.722665e-3),
        (128, 0.25, 0.70, 0.256293e-3, 0.253680e-3),
    ],
)
def test_closed_forms_need_no_masks(n, density, load_balance, first, second, run_json):
    statistics = ["--density", density, "--load-balance", load_balance]
    report = run_json("simulate", "--target", "sanger", "--seq-len", n, *statistics)
    assert report["latency_s"]["estimator1"] == pytest.approx(first, rel=1e-5)
    assert report["latency_s"]["estimator2"] == pytest.approx(second, rel=1e-5)


def test_packed_masks_mean_the_same(run_json, tmp_path):
    masks = clustered_masks(n=75)
    np.save(tmp_path / "bool.npy", masks)
    np.save(tmp_path / "bits.npy", np.packbits(masks.reshape(-1)))
    command = ["simulate", "--target", "sanger", "--head-dim", 64, "--masks"]
    plain = run_json(*command, tmp_path / "bool.npy")
    packed = run_json(*command, tmp_path / "bits.npy", "--packed-shape", "2,2,75,75")
    assert json.dumps(plain, sort_keys=True) == json.dumps(packed, sort_keys=True)


def test_more_work_takes_more_cycles(run_json, tmp_path):
    cycles = []
    for density in (0.05, 0.3, 0.9):
        np.save(tmp_path / "m.npy", np.random.default_rng(4).random((1, 4, 512, 512)) < density)
        report = run_json("simulate", "--target", "sanger", "--masks", tmp_path / "m.npy", "--head-dim", 64)
        cycles.append(report["cycles"])
    assert cycles == sorted(cycles) and cycles[0] < cycles[-1]
