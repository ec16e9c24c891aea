# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the arrays of sparsam-attention.test and sparsam-simulate.test into the current folder."""

import numpy as np

random = np.random.default_rng(0)
q, k, v, wide = (random.standard_normal((2, 32, d)).astype(np.float32) for d in (8, 8, 8, 9))
for name, array in {"q": q, "k": k, "v": v, "wide": wide}.items():
    np.save(f"{name}.npy", array)
for name, array in {"q4": q, "k4": k, "v4": v}.items():
    np.save(f"{name}.npy", array[np.newaxis])
np.save("integers.npy", q.astype(np.int64))
np.save("matrix.npy", q[0])
np.save("empty.npy", q[:, :0])
np.save("zero.npy", np.zeros_like(q))
np.save("nan.npy", np.where(q == q.max(), np.nan, q).astype(np.float32))

masks = random.random((1, 2, 64, 64)) < 0.2
np.save("masks.npy", masks)
np.save("packed.npy", np.packbits(masks))
np.save("floats.npy", masks.astype(np.float32))
