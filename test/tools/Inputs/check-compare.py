# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks what sparsam-compare.test wrote into the current folder."""

import json

everything, some = (json.load(open(f"{name}.json")) for name in ("all", "some"))
for report in (everything, some):
    for side in ("dense", "sparse"):
        for figure in ("cycles", "dram_read_bytes", "dram_written_bytes", "energy_picojoules", "density", "load_balance"):
            assert report[side][figure] > 0, (side, figure)
        assert report[side]["utilization"]
    assert report["dense"]["density"] == 32 * 33 / 2 / 32**2  # causal
assert everything["dense"] == some["dense"]
assert some["sparse"]["density"] < everything["sparse"]["density"]
for report in (everything, some):  # the host computes what a machine that keeps all pairs computes
    assert report["dense"]["max_abs_error"] < 1e-4 and report["dense"]["agreement"] == 1
assert everything["sparse"]["max_abs_error"] < some["sparse"]["max_abs_error"]
(output,) = everything["sparse"]["outputs"].values()
assert output["cosine"] > 0.9999 and output["agreement"] == 1 and output["answers"] == 32

# Error is against float32 on the host, as in the table of machines, so that words count.
words, machines = (json.load(open(f"{name}.json")) for name in ("words", "machines"))
for figure in ("max_abs_error", "cosine", "agreement", "cycles"):
    assert words["sparse"][figure] == machines["targets"][0][figure], figure
assert words["dense"]["max_abs_error"] > 10 * some["dense"]["max_abs_error"]
assert words["sparse"]["warnings"] == machines["targets"][0]["warnings"] != []
