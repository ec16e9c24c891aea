# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks what sparsam-compare-targets.test wrote into the current folder."""

import csv
import json

(one,), (normalized,) = (json.load(open(f"{name}.json"))["targets"] for name in ("one", "normalized"))
(line,) = csv.DictReader(open("table.csv"))
for figure in ("cycles", "dram_read_bytes", "dram_written_bytes", "energy_picojoules", "area_mm2", "density",
               "utilization", "max_abs_error", "cosine", "agreement", "accuracy"):
    assert float(line[figure]) == one[figure] > 0, figure
assert line["target"] == one["target"] == "sanger" and line["error"] == "" and line["density_source"] == "U"
assert one["busiest_unit"] == line["busiest_unit"] == "rsa"
assert one["rests_on"]["density"]["U"] == ["threshold"]
assert one["rests_on"]["area_mm2"] == {"P": ["area_mm2"]}

# Numerics do not depend on technology, size or bandwidth; cost does.
for figure in ("density", "max_abs_error", "cosine", "agreement", "accuracy"):
    assert normalized[figure] == one[figure], figure
assert normalized["cycles"] < one["cycles"]
assert normalized["machine"]["multipliers"] == 2 * one["machine"]["multipliers"] == 2048
assert normalized["machine"]["technology_nm"] == 28 and normalized["machine"]["bandwidth_gbps"] == 64
assert normalized["sources"]["area_mm2"] == "D"
assert [step.split()[0] for step in normalized["normalized"]] == ["technology", "multipliers", "bandwidth"]
