# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a mask to array passes: pack and split, its statistics, and the simpler encoder of the RTL (2.3, 2.4, 3.3).

A *vector* is the part of one query's row of the mask that lies in one column stripe (`width` keys).
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class PackStatistics:
    """What pack and split makes of a mask, summed over heads. Vectors that are padding as a whole are left out."""

    nnz: int
    vectors: int
    nonempty_vectors: int
    full_segments: int  # segments with exactly `pes` ones; subrows = full segments + remainders
    subrows: int
    subrows_per_stripe: tuple  # for every head, then every stripe; the cycle model needs them apart
    blocks: int
    density: float  # of the valid area
    pes: int

    @property
    def empty_vectors(self):
        return self.vectors - self.nonempty_vectors

    @property
    def skip(self):
        """Load balance with empty vectors skipped: the published one."""
        return self._balance(self.subrows)

    @property
    def noskip(self):
        """Load balance where an empty vector takes a sub-row as well."""
        return self._balance(self.subrows + self.empty_vectors)

    @property
    def noskip_as_released(self):
        """The released code's number for it, which adds the non-empty vectors instead: an upstream slip."""
        return self._balance(self.subrows + self.nonempty_vectors)

    def _balance(self, rows):
        return self.nnz / (self.pes * rows) if rows else 0.0


def pack_split(mask, width=64, pes=16, rows=64, valid_len=None, encoder="subrow"):
    """Statistics of a mask [batch, heads, n, n] (or [heads, n, n], or [n, n]) (section 2.3; column_cut: 2.4).

    valid_len is one number, or one for each batch element. Pairs outside of its square are ignored, whatever the mask
    says there; vectors that lie outside as a whole are not even counted as empty. n need not be a multiple of `width`:
    the last stripe is padded with zeros [A].
    """
    mask = np.asarray(mask, bool)
    mask = mask.reshape((1,) * (4 - mask.ndim) + mask.shape)
    batch, heads, n, keys = mask.shape
    lengths = np.broadcast_to(n if valid_len is None else valid_len, (batch,)).astype(int)
    if n != keys or not ((lengths >= 1) & (lengths <= n)).all():
        raise ValueError(f"expects square masks and valid lengths in [1, n], got {n} x {keys} and {lengths}")
    vectors, densities, counts, per_stripe, blocks = 0, [], [], [], 0
    for element, length in zip(mask, lengths):
        valid = element[:, :length, :length]
        stripes = -(-length // width)
        vectors += heads * length * stripes
        densities.append(valid.mean())
        for head in valid:
            padded = np.pad(head, ((0, 0), (0, stripes * width - length)))
            for stripe in np.split(padded, stripes, axis=1):
                packed = _encode(stripe, pes, rows, encoder)
                blocks += len(packed)
                per_stripe.append(sum(len(block) for block in packed))
                counts += [(query, len(columns)) for block in packed for query, columns in block]
    nonempty = _nonempty_vectors(mask, lengths, width)
    return PackStatistics(
        nnz=sum(count for _, count in counts),
        vectors=int(vectors),
        nonempty_vectors=nonempty,
        full_segments=sum(count == pes for _, count in counts),
        subrows=len(counts),
        subrows_per_stripe=tuple(per_stripe),
        blocks=blocks,
        density=float(np.mean(densities)),
        pes=pes,
    )


def _encode(stripe, pes, rows, encoder):
    """The blocks of one stripe, each a list of sub-rows (query, columns)."""
    if encoder == "subrow":
        return split_stripe(stripe, pes, rows)
    if encoder != "column_cut":
        raise ValueError(f"encoder is subrow or column_cut, got {encoder}")
    result = []
    for group in range(0, len(stripe), rows):
        for first, stored in column_cut(stripe[group : group + rows], pes)[0]:
            subrows = [(group + row, [first + c for c in columns]) for row, columns in enumerate(stored) if columns]
            result += [subrows] if subrows else []
    return result


def _nonempty_vectors(mask, lengths, width):
    """Vectors with a kept pair in the valid square, counted on the mask itself and not on the encoder's result."""
    total = 0
    for element, length in zip(mask, lengths):
        valid = element[:, :length, :length]
        total += sum(int(valid[..., s : s + width].any(axis=-1).sum()) for s in range(0, valid.shape[-1], width))
    return total


def split_stripe(stripe, pes=16, rows=64):
    """The blocks of one stripe [n, width]: lists of at most `rows` sub-rows (query, columns), full segments first."""
    subrows = []
    for query, bits in enumerate(np.asarray(stripe, bool)):
        columns = [int(c) for c in np.flatnonzero(bits)]
        subrows += [(query, columns[start : start + pes]) for start in range(0, len(columns), pes)]
    return [subrows[start : start + rows] for start in range(0, len(subrows), rows)]


def bubbles(columns, width=64, pes=16):
    """Extra delays c4 of the PEs of one row, which give every row the same latency (section 3.3).

    With fewer than `pes` columns, the unused PEs get the dummy columns that follow the last one, or else the free ones
    before it [A: any increasing ones will do].
    """
    filled = list(columns)
    for candidate in [*range((filled or [-1])[-1] + 1, width), *reversed(range(width))]:
        if len(filled) >= pes:
            break
        if candidate not in filled:
            filled.append(candidate)
    filled.sort()
    return [right - left - 1 for left, right in zip(filled, [*filled[1:], width])]


def column_cut(bits, pes=16):
    """The encoder of the RTL, cycle by cycle, for one stripe [rows, columns] (section 2.4).

    Returns (blocks, cycles): a block is (first column, [columns of each row, relative to it]); each of the cycles is
    (column read, whether it was stored, whether a block was emitted, column counter afterwards). A column that
    overflows a row is read again in the next cycle. What is left at the end of the stripe is emitted without a cycle
    [A].
    """
    bits = np.asarray(bits, bool)
    blocks, cycles = [], []
    stored = [[] for _ in bits]
    first, counter, column = 0, 0, 0
    while column < bits.shape[1]:
        present = bits[:, column]
        full = any(b and len(s) == pes for b, s in zip(present, stored))
        if full:
            blocks.append((first, stored))
            stored = [[] for _ in bits]
            first, counter = column, 0
        else:
            for row in np.flatnonzero(present):
                stored[row].append(counter)
            counter += 1
        cycles.append((column, bool(present.any()) and not full, full, counter))
        column += not full
    if any(stored):
        blocks.append((first, stored))
    return blocks, cycles
