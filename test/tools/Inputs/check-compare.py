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
(all_output,), (some_output,) = everything["outputs"].values(), some["outputs"].values()
assert all_output["max_abs_error"] < some_output["max_abs_error"]
assert all_output["cosine"] > 0.9999 and all_output["agreement"] == 1 and all_output["answers"] == 32
