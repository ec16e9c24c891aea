# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Attention cores to run on any target, and what they must give."""

import dataclasses
import hashlib
import json

import numpy as np

# What differs from run to run although nothing changed.
VOLATILE = {"simulation_seconds", "wall_seconds", "producer", "parameters"}


@dataclasses.dataclass(frozen=True)
class Core:
    """Shapes of Q, K and V, filled from a seed; tokens are no multiple of a tile by default."""

    heads: int = 2
    queries: int = 80
    keys: int = 80
    dims: int = 16
    valid: int = 0

    def tensors(self):
        rng = np.random.default_rng(0)
        shape = lambda tokens: (self.heads, tokens, self.dims)  # noqa: E731
        return {name: rng.standard_normal(shape(tokens), dtype=np.float32)
                for name, tokens in (("q", self.queries), ("k", self.keys), ("v", self.keys))}

    def arguments(self, folder):
        """Writes the tensors and returns the options that name them."""
        options = []
        for name, tensor in self.tensors().items():
            path = folder / f"{self.heads}-{self.queries}-{self.keys}-{self.dims}-{name}.npy"
            if not path.exists():
                np.save(path, tensor)
            options += [f"--{name}", path]
        return options + ([f"--valid-len={self.valid}"] if self.valid else [])

    def reference(self):
        """Dense attention in double."""
        q, k, v = (tensor.astype(np.float64) for tensor in self.tensors().values())
        scores = q @ k.swapaxes(-1, -2) / np.sqrt(self.dims)
        if self.valid:
            scores[..., self.valid :] = -np.inf
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return weights / weights.sum(axis=-1, keepdims=True) @ v


def settings(target, more=None):
    """--set options of a target's own settings and of others."""
    def text(value):
        return str(value).lower() if isinstance(value, bool) else str(value)

    return [f"--set={name}={text(value)}" for name, value in {**target.settings, **(more or {})}.items()]


def stable(report):
    """A report without what differs from run to run."""
    if isinstance(report, dict):
        return {name: stable(value) for name, value in report.items() if name not in VOLATILE}
    return [stable(value) for value in report] if isinstance(report, list) else report


def digest(report, arrays=None):
    """One text for everything that a command gave."""
    state = hashlib.sha256(json.dumps(stable(report), sort_keys=True).encode())
    for name, array in sorted((arrays or {}).items()):
        state.update(name.encode() + array.tobytes())
    return state.hexdigest()
