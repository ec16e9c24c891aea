# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""SpAtten's numerics, pruning across layers and timing against the NumPy oracle and against themselves."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from sparsam_oracle import spatten as oracle

RANGES = ["--set", "tx=4.5", "--set", "ty=4.5", "--set", "tz=4.5"]


def random_heads(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.fixture
def saved(tmp_path):
    """Writes q, k, v as .npy and returns the options that name them."""

    def save(**tensors):
        options = []
        for name, tensor in tensors.items():
            path = tmp_path / f"{name}.npy"
            np.save(path, tensor)
            options += [f"--{name}", path]
        return options

    return save


@pytest.mark.parametrize("bits", [(8, 4, 8), (4, 4, 6), (6, 4, 12)])
def test_many_queries_equal_the_oracle(saved, run_json, load_npz, tmp_path, bits):
    msb, lsb, value_bits = bits
    q, k, v = (random_heads((3, 37, 64), seed) for seed in range(3))
    out = tmp_path / "out.npz"
    settings = ["--set", f"msb_bits={msb}", "--set", f"lsb_bits={lsb}", "--set", f"value_bits={value_bits}"]
    run_json("attention", "--target", "spatten", *saved(q=q, k=k, v=v), *RANGES, *settings,
             "--set", "value_keep=0.3", "-o", out)
    fmt = oracle.Format(4.5, 4.5, 4.5, msb, lsb, value_bits)
    expected = oracle.attention(q, k, v, fmt, values=int(0.3 * 37))[0]
    np.testing.assert_array_equal(load_npz(out)["out"], expected)


@pytest.mark.parametrize("threshold", [0.0, 0.06, 1.0])
def test_one_query_equals_the_oracle(saved, run_json, load_npz, tmp_path, threshold):
    q, k, v = (random_heads((12, n, 64), n) for n in (1, 90, 90))
    v = random_heads((12, 90, 64), 4)
    out = tmp_path / "out.npz"
    report = run_json("attention", "--target", "spatten", *saved(q=q, k=k, v=v), *RANGES,
                      "--set", f"lsb_threshold={threshold}", "--set", "value_keep=0.25", "-o", out)
    fmt = oracle.Format(4.5, 4.5, 4.5, threshold=threshold, progressive=True)
    expected, _, _, _, low = oracle.attention(q, k, v, fmt, values=22)
    np.testing.assert_array_equal(load_npz(out)["out"], expected)
    assert report["launches"][0]["metrics"]["low_bit_fetches"] == pytest.approx(low.mean())


@pytest.mark.parametrize("numerics, taken", [("spatten", "both are taken as the largest word"), ("exact", "may be finite")])
def test_says_what_is_no_number(run_driver, tmp_path, numerics, taken):
    name = attention_model(tmp_path / "m.onnx", 2, 6, 16, 1)
    run_driver("compile", tmp_path / "m.onnx", "--target", "spatten", *RANGES, "--set", f"numerics={numerics}",
               "-o", tmp_path / "m.spx")
    q, k, v = (random_heads((1, 2, 6, 16), seed) for seed in range(3))
    q[0, 0, 1, 2], k[0, 1, 0, :2], v[0, 0, 0, 0] = np.nan, np.inf, -np.inf
    np.savez(tmp_path / "x.npz", q=q, k=k, v=v)
    process = run_driver("run", tmp_path / "m.spx", "--input", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
    assert process.returncode == 0, process.stderr
    text = "NaN or infinite (4 among the queries, keys and values that were loaded)"
    assert text in process.stdout + process.stderr and taken in process.stdout + process.stderr


def attention_model(path, heads, tokens, dim, layers):
    """Attention layers fed with each other, so that nothing but the machine computes."""
    shape = [1, heads, tokens, dim]
    nodes, q, k, v = [], "q", "k", "v"
    for layer in range(layers):
        names = {n: f"{n}{layer}" for n in ("kt", "s", "scaled", "p", "o")}
        nodes += [
            helper.make_node("Transpose", [k], [names["kt"]], perm=[0, 1, 3, 2]),
            helper.make_node("MatMul", [q, names["kt"]], [names["s"]]),
            helper.make_node("Mul", [names["s"], "scale"], [names["scaled"]]),
            helper.make_node("Softmax", [names["scaled"]], [names["p"]], axis=-1),
            helper.make_node("MatMul", [names["p"], v], [names["o"]]),
        ]
        q = k = v = names["o"]
    graph = helper.make_graph(
        nodes,
        "layers",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in "qkv"],
        [helper.make_tensor_value_info(q, TensorProto.FLOAT, shape)],
        [helper.make_tensor("scale", TensorProto.FLOAT, [], [1 / np.sqrt(dim)])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return q


@pytest.fixture
def cascade_run(tmp_path, run_driver, run_json):
    """Compiles three layers that prune, and runs them; returns (report, outputs, masks, program, inputs)."""

    def run(*settings):
        name = attention_model(tmp_path / "m.onnx", heads=2, tokens=40, dim=32, layers=3)
        inputs = {n: random_heads((1, 2, 40, 32), seed) for seed, n in enumerate("qkv")}
        np.savez(tmp_path / "x.npz", **inputs)
        compiled = run_driver("compile", tmp_path / "m.onnx", "--target", "spatten", *RANGES, *settings,
                              "-o", tmp_path / "m.spx")
        assert compiled.returncode == 0, compiled.stderr
        report = run_json("run", tmp_path / "m.spx", "--input", tmp_path / "x.npz", "-o", tmp_path / "y.npz",
                          "--record-masks", tmp_path / "masks.npz")
        with np.load(tmp_path / "y.npz") as y, np.load(tmp_path / "masks.npz") as masks:
            return report, y[name], dict(masks), tmp_path / "m.spx", inputs

    return run


PRUNING = ["--set", "token_prune=0.3", "--set", "prune_slope=0", "--set", "value_keep=0.5"]


def test_cascade_equals_the_oracle(cascade_run):
    report, output, masks, _, inputs = cascade_run(*PRUNING)
    fmt = oracle.Format(4.5, 4.5, 4.5)
    counts = [40, 28, 19]  # floor(40 * 0.7), floor(28 * 0.7)
    expected, survivors = oracle.cascade(*(inputs[n][0] for n in "qkv"), fmt, counts, lambda n: n // 2, protect=(0,))
    np.testing.assert_array_equal(output[0], expected)
    for layer, keep in enumerate(survivors):
        bits = np.unpackbits(masks[f"attention_{layer}.tokens"].reshape(-1))[: counts[layer]]
        np.testing.assert_array_equal(np.flatnonzero(bits), keep)
    assert np.any(output[0] != 0, axis=(0, 2)).sum() == counts[-1]


def test_replayed_timing_equals_the_full_run(cascade_run, run_json, tmp_path):
    report, _, _, program, _ = cascade_run(*PRUNING, "--set", "head_prune=0.5")
    replayed = run_json("run", program, "--replay-masks", tmp_path / "masks.npz")
    assert replayed["accelerator"]["cycles"] == report["accelerator"]["cycles"]
    assert replayed["accelerator"]["dram_read_bytes"] == report["accelerator"]["dram_read_bytes"]


def test_pruned_heads_are_zero(cascade_run):
    _, output, masks, _, _ = cascade_run("--set", "head_prune=0.5", "--set", "prune_slope=0", "--set", "head_front=0.6")
    dead = [h for h in range(2) if not output[0, h].any()]
    assert len(dead) == 1
    assert f"attention_1.heads" in masks


def test_simulates_the_worked_example(run_json, tmp_path):
    table = tmp_path / "w.csv"
    rows = "layer,head,head_dim,queries,keys,key_bits,value_bits\n" + "".join(f"0,{h},64,40,37,8,8\n" for h in (0, 1))
    table.write_text(rows, encoding="utf-8-sig")  # as spreadsheets write it
    common = ["simulate", "--target", "spatten", "--workload", table, "--set", "timing=behavioural",
              "--set", "topk_parallelism=4"]
    report = run_json(*common, "--set", "channels=16", "--set", "multipliers=512")
    assert (report["cycles"], report["cycles_per_layer"]) == (528, [528])
    assert run_json(*common, "--set", "channels=2", "--set", "multipliers=64")["cycles"] == 3248


def test_end_to_end_adds_fully_connected_layers(run_json):
    common = ["simulate", "--target", "spatten", "--preset", "e2e", "--seq-len", 1, "--heads", 16, "--set", "dram_efficiency=1"]
    reports = {bits: run_json(*common, "--set", f"fc_bits={bits}") for bits in (8, 12)}
    connected = {bits: report["fully_connected"] for bits, report in reports.items()}
    assert (connected[8]["cycles"], connected[8]["dram_bytes"]) == (12 * 1024**2 / 512, 12 * 1024**2)
    assert connected[12]["cycles"] == 1.5 * connected[8]["cycles"]
    alone = run_json("simulate", "--target", "spatten", "--seq-len", 1, "--heads", 16)
    whole, attention = reports[8], reports[8]["attention"]
    assert attention == {figure: alone[figure] for figure in attention}
    for figure in ("cycles", "dram_bytes", "operations"):
        assert whole[figure] == attention[figure] + connected[8][figure]
    assert whole["seconds"] == pytest.approx(whole["cycles"] * 1e-9)
    # 2.6 W on chip, 3.9 pJ per bit of DRAM
    assert whole["energy_j"] == pytest.approx(whole["cycles"] * 2.6e-9 + 8 * whole["dram_bytes"] * 3.9e-12)


@pytest.mark.parametrize(
    "options, text",
    [
        (["--seq-len=2048"], "SpAtten needs room for 2048 tokens of 64 dimensions; its SRAM holds two heads of 1024 (parameter 'key_buffer' = 196608 B)"),
        (["--seq-len=64", "--head-dim=48"], "SpAtten has no heads of 48 dimensions: the adder tree splits in halves and has 512 inputs"),
        (["--seq-len=64", "--set=multipliers=32"], "has 32 inputs (parameter 'multipliers'); a power of two up to 32 fits"),
        (["--seq-len=64", "--heads=3", "--set=msb_bits=6", "--set=lsb_bits=0"], "layer 0 has 3 heads with keys of 6 bits"),
        (["--seq-len=64", "--set=token_prune=0.5"], "token_prune = 0.5 prunes from layer to layer of a model, and simulate times layers apart; "
         "run a model, or give --workload with what lives in each layer"),
        (["--seq-len=64", "--set=head_prune=0.5"], "head_prune = 0.5 prunes from layer to layer"),
        (["--seq-len=64", "--set=multipliers=100"], "multipliers = 100 is no power of two, but the adder tree behind them splits in halves (arch.yaml of spatten)"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_refuses_to_simulate(run_driver, options, text):
    process = run_driver("simulate", "--target", "spatten", *options)
    assert process.returncode != 0
    assert text in process.stderr


def test_simulates_masks_without_their_padding(run_json, tmp_path):
    i = np.arange(64)
    np.save(tmp_path / "m.npy", np.stack([np.abs(i[:, None] - i) <= 4, i[:, None] >= i])[None])
    common = ["simulate", "--target", "spatten", "--masks", tmp_path / "m.npy", "--head-dim", 16]
    whole, valid = run_json(*common), run_json(*common, "--valid-len", 20)
    assert 0 < valid["cycles"] < whole["cycles"]
    assert whole["density"] == pytest.approx((64 * 9 - 20 + 64 * 65 / 2) / (2 * 64 * 64))
    assert valid["density"] == pytest.approx((20 * 9 - 20 + 20 * 21 / 2) / (2 * 20 * 20))


@pytest.mark.parametrize(
    "lengths, text",
    [("65", "masks 'masks': --valid-len must lie in [1, 64], got 65"),
     ("1,2", "masks 'masks': --valid-len gives 2 lengths for 1 batch entries")],
    ids=["too_long", "too_many"],
)  # fmt: skip
def test_refuses_lengths_that_do_not_fit_the_masks(run_driver, tmp_path, lengths, text):
    np.save(tmp_path / "m.npy", np.ones((1, 2, 64, 64), bool))
    process = run_driver("simulate", "--target", "spatten", "--masks", tmp_path / "m.npy", "--valid-len", lengths)
    assert process.returncode != 0
    assert text in process.stderr


def test_the_serial_formula_stands_alone(saved, run_json):
    q = random_heads((2, 20, 64), 0)
    common = ["attention", "--target", "spatten", *saved(q=q, k=q, v=q), *RANGES]
    metrics = [run_json(*common, "--set", f"timing={timing}")["launches"][0]["metrics"] for timing in ("behavioural", "pipelined")]
    assert ["cycles_closed_form" in m for m in metrics] == [False, True]


def test_refuses_contexts_beyond_the_sram(saved, run_driver):
    q = random_heads((1, 1025, 64), 0)
    process = run_driver("attention", "--target", "spatten", *saved(q=q, k=q, v=q), *RANGES)
    assert process.returncode != 0
    assert "needs room for 1025 tokens of 64 dimensions; its SRAM holds two heads of 1024 (parameter 'key_buffer' = 196608 B)" in process.stderr


def masked_model(path, mask, heads, tokens, dim):
    """One attention under an additive mask that is a constant of the model."""
    nodes = [
        helper.make_node("Transpose", ["k"], ["t"], perm=[0, 1, 3, 2]),
        helper.make_node("MatMul", ["q", "t"], ["s"]),
        helper.make_node("Mul", ["s", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "mask"], ["masked"]),
        helper.make_node("Softmax", ["masked"], ["p"], axis=-1),
        helper.make_node("MatMul", ["p", "v"], ["o"]),
    ]
    tensor = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, heads, tokens, dim])  # noqa: E731
    constants = [helper.make_tensor("scale", TensorProto.FLOAT, [], [1 / np.sqrt(dim)]),
                 onnx.numpy_helper.from_array(mask.astype(np.float32), "mask")]
    graph = helper.make_graph(nodes, "masked", [tensor(n) for n in "qkv"], [tensor("o")], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


@pytest.fixture
def masked_run(tmp_path, run_json):
    """Runs two heads of 64 tokens under `mask`; returns the report."""

    def run(mask, *options):
        masked_model(tmp_path / "m.onnx", mask, heads=2, tokens=64, dim=16)
        np.savez(tmp_path / "x.npz", **{n: random_heads((1, 2, 64, 16), seed) for seed, n in enumerate("qkv")})
        return run_json("run", tmp_path / "m.onnx", "--target", "spatten", *RANGES, "--input", tmp_path / "x.npz", *options)

    return run


def window(tokens, reach):
    i = np.arange(tokens)
    return np.where(np.abs(i[:, None] - i) <= reach, 0, -1e9)


def test_rows_of_a_mask_come_while_the_queries_before_are_at_work(masked_run):
    cycles = [masked_run(window(64, 4), "--set", f"dram_latency_ns={latency}")["accelerator"]["cycles"] for latency in (0, 100)]
    # Two fills of the pipe at most, and no latency per query: 2 heads x 64 queries.
    assert cycles[1] < cycles[0] + 5 * 100


def test_a_buffer_of_one_row_makes_rows_of_a_mask_wait(masked_run):
    cycles = [masked_run(window(64, 4), "--set", f"bias_buffer={rows * 64 * 4}")["accelerator"]["cycles"] for rows in (32, 1)]
    assert cycles[1] > 2 * 64 * 100 > cycles[0]


def test_what_a_mask_hides_is_no_density_but_takes_its_time(masked_run, run_json, load_npz, tmp_path):
    reach, masks = 4, tmp_path / "masks.npz"
    visible = (window(64, reach) == 0).mean()
    report = masked_run(window(64, reach), "--record-masks", masks)
    metrics = report["launches"][0]["metrics"]
    assert metrics["density"] == pytest.approx(visible)
    assert metrics["value_density"] == 0.5  # of the pairs that are computed, which are all
    trace = load_npz(masks)
    kept, hidden = (np.unpackbits(trace[name], axis=-1) for name in ("attention_0", "attention_0.hidden"))
    np.testing.assert_array_equal(kept[..., :64].reshape(2, 64, 64), np.broadcast_to(window(64, reach) == 0, (2, 64, 64)))
    np.testing.assert_array_equal(kept + hidden, 1)
    # Replayed, the same is computed.
    run_json("compile", tmp_path / "m.onnx", "--target", "spatten", *RANGES, "-o", tmp_path / "m.spx")
    replayed = run_json("run", tmp_path / "m.spx", "--replay-masks", masks)
    assert replayed["accelerator"] == report["accelerator"]
    assert replayed["launches"][0]["metrics"] == metrics


def test_the_mask_of_an_attention_leaves_padding_out(saved, run_json, load_npz, tmp_path):
    q = random_heads((2, 1, 128, 16), 0)
    run_json("attention", "--target", "spatten", *saved(q=q, k=q, v=q), "--valid-len", "100,50", *RANGES, "-o", tmp_path / "out.npz")
    mask = load_npz(tmp_path / "out.npz")["mask"]
    assert not mask[0, :, :, 100:].any() and not mask[1, :, :, 50:].any()
    # 64 values of 128 keys: all that are there in the second entry.
    assert (mask[0].sum(axis=-1) == 64).all() and (mask[1].sum(axis=-1) == 50).all()


def test_a_row_of_a_mask_that_heads_share_comes_once(masked_run):
    mask = np.where(np.arange(64) < 40, 0, -1e9)[None]
    metrics = masked_run(mask)["launches"][0]["metrics"]
    assert metrics["dram_bias_bytes"] == 64 * 4


def test_makes_masks_without_values(saved, run_json, load_npz, tmp_path):
    q, k = (random_heads((2, 20, 16), seed) for seed in range(2))
    run_json("attention", "--target", "spatten", *saved(q=q, k=k), "-o", tmp_path / "out.npz")
    assert set(load_npz(tmp_path / "out.npz")) == {"mask"}


SCHEDULE = "(parameters `token_prune` = 0.99, `head_prune` = 0, `prune_slope` = 0, `token_front` = 0.15, `head_front` = 0.3, `protect` = both)"


@pytest.mark.parametrize(
    "settings, text",
    [
        (["token_prune=1.5"], "parameter 'token_prune' must be at most 0.99 (arch.yaml of spatten), got 1.5"),
        (["head_prune=-1"], "parameter 'head_prune' must be at least 0 (arch.yaml of spatten), got -1"),
        (["value_keep=0"], "parameter 'value_keep' must be at least 0.001 (arch.yaml of spatten), got 0"),
        (["prune_slope=2"], "parameter 'prune_slope' must be at most 1 (arch.yaml of spatten), got 2"),
        (["lsb_threshold=2"], "parameter 'lsb_threshold' must be at most 1 (arch.yaml of spatten), got 2"),
        (["schedule=gpt3"], "parameter 'schedule' must be one of linear, gpt2_small, gpt2_medium, got 'gpt3'"),
        (["msb_bits=7"], "error: msb_bits = 7 is not one of the machine's settings; choose 4, 6, 8, 10 or 12"),
        (["lsb_bits=3"], "error: lsb_bits = 3 is not one of the machine's settings; choose 4, or 0 for static quantisation"),
        (["multipliers=8"], "heads of 16 dimensions; the adder tree splits in halves and has 8 inputs (parameter 'multipliers'): a power of two up to 8 fits"),
        (["token_prune=0.99", "prune_slope=0", "protect=both"],
         f"cannot be part of a cascade {SCHEDULE}: keeps 1 of 32 tokens, but 2 are protected"),
        (["importance_buffer=16", "token_prune=0.3"],
         "needs 128 bytes for scores; the score memory has 16 (parameter 'importance_buffer')"),
        (["value_buffer=512"], "needs room for 32 tokens of 16 dimensions; its SRAM holds two heads of 10 (parameter 'value_buffer' = 512 B)"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_refuses_to_compile(repository, run_driver, tmp_path, settings, text):
    fixture = repository / "models" / "fixtures" / "gpt2-tiny"
    process = run_driver("compile", fixture / "model.onnx", "--target", "spatten", "--calibrate", fixture / "inputs.npz",
                         *(f"--set={setting}" for setting in settings), "-o", tmp_path / "x.spx")
    assert process.returncode != 0
    assert text in process.stderr
    assert not (tmp_path / "x.spx").exists()


@pytest.mark.parametrize(
    "settings, ratio, text",
    [(["token_prune=0.8"], 1.2, "token_prune = 0.8 with prune_slope = 0.5 prunes 1.2 of the last layer's tokens"),
     (["head_prune=0.99", "prune_slope=1"], 1.98, "head_prune = 0.99 with prune_slope = 1 prunes 1.98 of the last layer's heads"),
     (["token_prune=0.8", "prune_slope=0.25"], 1, None)],
    ids=["tokens", "heads", "all_of_them"],
)  # fmt: skip
def test_refuses_to_prune_more_than_there_is(tmp_path, run_driver, settings, ratio, text):
    attention_model(tmp_path / "m.onnx", heads=2, tokens=40, dim=32, layers=4)
    process = run_driver("compile", tmp_path / "m.onnx", "--target", "spatten", *RANGES, *(f"--set={s}" for s in settings),
                         "-o", tmp_path / "m.spx")
    assert (process.returncode == 0) == (ratio <= 1)
    if text:
        assert f"node 'p3': {text}; at most 1: lower one of the two (arch.yaml of spatten)" in process.stderr


def test_refuses_a_decoder_that_forgets_protected_tokens(repository, run_driver, tmp_path):
    fixture = repository / "models" / "fixtures" / "gpt2-cache-tiny"
    common = ["compile", fixture / "model.onnx", "--target", "spatten", "--cache=past=32", "--shape=input_ids=1x1", *RANGES,
              "--set", "token_prune=0.99", "--set", "prune_slope=0", "-o", tmp_path / "x.spx"]
    process = run_driver(*common, "--set", "protect=both")
    assert process.returncode != 0
    assert f"cannot be part of a cascade {SCHEDULE}: keeps 1 of 32 tokens, but 2 are protected, the newest among them" in process.stderr
    assert run_driver(*common).returncode == 0
