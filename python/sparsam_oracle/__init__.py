# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sanger in NumPy, written from its spec sheet alone.

The compiler, the reference semantics and the simulator are tested against this package, so it shares no code with them.
It is written to be compared with the sheet, section by section, not to be fast. Sections in the doc strings are those
of the sheet; [A] marks where the sheet leaves something open and a reading had to be chosen.
"""

from .attention import PADDING, attention, calibrate, fill_empty_rows, predict, quantize
from .exponential import exp_unit, exp_unit_signed
from .packing import PackStatistics, bubbles, column_cut, pack_split, split_stripe
from .timing import block_cycles, dma_cycles, estimator1, estimator2, head_cycles, predict_cycles, sparse_cycles

__all__ = [
    "PADDING",
    "PackStatistics",
    "attention",
    "block_cycles",
    "bubbles",
    "calibrate",
    "column_cut",
    "dma_cycles",
    "estimator1",
    "estimator2",
    "exp_unit",
    "exp_unit_signed",
    "fill_empty_rows",
    "head_cycles",
    "pack_split",
    "predict",
    "predict_cycles",
    "quantize",
    "sparse_cycles",
    "split_stripe",
]
