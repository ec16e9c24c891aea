# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains and exports the associative-recall model.

Accuracy against density means little on random weights: their attention is near uniform. This small transformer has
attention that matters, because every answer sits at one position out of 128 that only attention can find. Its task:

    k3 v7  k9 v1  ...  k5 v2 | k9 k3 k9 ...      32 key-value pairs, then 64 queries
                               v1 v7 v1          the labels: the value paired with each query

Needs torch (see models/README.md). One core, about a quarter of an hour.
"""

import argparse
import pathlib
import time

import numpy as np
import torch
from torch import nn

TOKENS = 128
PAIRS = TOKENS // 4
QUERIES = TOKENS // 2
KEYS = 64
VALUES = 64
VOCABULARY = 1 + KEYS + VALUES  # 0 is unused, then the keys, then the values
UNSCORED = -100


def make_batch(rng, batch, pairs, queries):
    """Draws sequences of `pairs` pairs and `queries` queries.

    Shorter sequences (the curriculum) are spread over the slots of the full one, so that every position embedding is
    trained. Returns tokens, positions and labels, each [batch, 2 * pairs + queries].
    """
    keys = np.argsort(rng.random((batch, KEYS)), axis=1)[:, :pairs]
    values = rng.integers(VALUES, size=(batch, pairs))
    slots = np.sort(np.argsort(rng.random((batch, PAIRS)), axis=1)[:, :pairs], axis=1)
    places = np.sort(np.argsort(rng.random((batch, QUERIES)), axis=1)[:, :queries], axis=1)
    asked = rng.integers(pairs, size=(batch, queries))

    context = np.stack([1 + keys, 1 + KEYS + values], axis=2).reshape(batch, 2 * pairs)
    context_positions = np.stack([2 * slots, 2 * slots + 1], axis=2).reshape(batch, 2 * pairs)
    tokens = np.concatenate([context, 1 + np.take_along_axis(keys, asked, 1)], axis=1)
    positions = np.concatenate([context_positions, 2 * PAIRS + places], axis=1)
    labels = np.full_like(tokens, UNSCORED)
    labels[:, 2 * pairs :] = 1 + KEYS + np.take_along_axis(values, asked, 1)
    return tokens, positions, labels


def bound_keys(tokens, pairs):
    """Labels of the auxiliary task of training: every value names the key before it.

    Without it, training stays for thousands of steps where any value of the sequence is as good a guess as any other.
    """
    labels = np.full_like(tokens, UNSCORED)
    labels[:, 1 : 2 * pairs : 2] = tokens[:, 0 : 2 * pairs : 2]
    return labels


def sinusoids(length, hidden):
    """Position embeddings to start from: a shift by one position is a rotation, so neighbours are easy to attend to."""
    angles = np.arange(length)[:, None] / 1000 ** (np.arange(hidden // 2) / (hidden // 2))
    return torch.from_numpy(np.concatenate([np.sin(angles), np.cos(angles)], axis=1)).float()


class Attention(nn.Module):
    """Multi-head attention, written out so that the export shows its usual form."""

    def __init__(self, hidden, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, hidden)

    def split(self, x, length, hidden):
        return x.reshape(-1, length, self.heads, hidden // self.heads).permute(0, 2, 1, 3)

    def forward(self, x):
        length, hidden = int(x.shape[1]), int(x.shape[2])
        q = self.split(self.query(x), length, hidden)
        k = self.split(self.key(x), length, hidden)
        v = self.split(self.value(x), length, hidden)
        scores = torch.matmul(q, k.transpose(-1, -2)) / (hidden // self.heads) ** 0.5
        context = torch.matmul(torch.softmax(scores, dim=-1), v)
        return self.output(context.permute(0, 2, 1, 3).reshape(-1, length, hidden))


class Block(nn.Module):
    """One pre-norm transformer layer."""

    def __init__(self, hidden, heads, intermediate):
        super().__init__()
        self.norm1 = nn.LayerNorm(hidden)
        self.attention = Attention(hidden, heads)
        self.norm2 = nn.LayerNorm(hidden)
        self.up = nn.Linear(hidden, intermediate)
        self.down = nn.Linear(intermediate, hidden)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


class Recall(nn.Module):
    """Tokens [batch, 128] to logits [batch, 128, vocabulary]."""

    def __init__(self, layers, hidden, heads, intermediate):
        super().__init__()
        self.tokens = nn.Embedding(VOCABULARY, hidden)
        self.positions = nn.Parameter(0.5 * sinusoids(TOKENS, hidden))
        self.layers = nn.ModuleList(Block(hidden, heads, intermediate) for _ in range(layers))
        self.norm = nn.LayerNorm(hidden)
        self.classifier = nn.Linear(hidden, VOCABULARY)
        nn.init.normal_(self.tokens.weight, std=0.5)

    def forward(self, tokens, positions=None):
        x = self.tokens(tokens) + (self.positions if positions is None else self.positions[positions])
        for layer in self.layers:
            x = layer(x)
        return self.classifier(self.norm(x))


def accuracy(logits, labels):
    scored = labels != UNSCORED
    return (logits.argmax(-1)[scored] == labels[scored]).float().mean().item()


def train(model, rng, minutes, rate, batch):
    """Runs the curriculum until `minutes` are over; the last part always decays the rate on full sequences."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    stages = [(4, 8), (8, 16), (16, 32), (PAIRS, QUERIES)]
    stage, step, average, start = 0, 0, 0.0, time.time()
    while (elapsed := (time.time() - start) / (60 * minutes)) < 1:
        if elapsed > 0.6:
            stage = len(stages) - 1
        pairs, queries = stages[stage]
        decay = min(1.0, (1 - elapsed) / 0.4)
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 200) * decay
        # Short sequences come in larger batches, so that each step costs about the same.
        samples = make_batch(rng, batch * (2 * PAIRS + QUERIES) // (2 * pairs + queries), pairs, queries)
        tokens, positions, labels = (torch.from_numpy(a) for a in samples)
        logits = model(tokens, positions)
        auxiliary = torch.from_numpy(bound_keys(samples[0], pairs))
        loss = sum(
            nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=UNSCORED)
            for target in (labels, auxiliary)
        )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average = 0.95 * average + 0.05 * accuracy(logits.detach(), labels)
        step += 1
        if step % 100 == 0:
            state = f"step {step} time {elapsed:.2f} pairs {pairs}"
            print(f"{state} loss {loss.item():.4f} accuracy {average:.4f}", flush=True)
        if average > 0.97 and stage < len(stages) - 1:
            stage, average = stage + 1, 0.0
    return step


def export(model, path):
    model.eval()
    torch.onnx.export(
        model,
        (torch.zeros(1, TOKENS, dtype=torch.int64),),
        str(path),
        input_names=["tokens"],
        output_names=["logits"],
        dynamic_axes={"tokens": {0: "batch"}, "logits": {0: "batch"}},
        opset_version=17,
    )


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=14, help="length of the training (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--intermediate", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--batch", type=int, default=64, help="sequences of full length in a step")
    parser.add_argument("--samples", type=int, default=256, help="sequences in eval.npz")
    parser.add_argument("--output", type=pathlib.Path, default=here)
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    model = Recall(args.layers, args.hidden, args.heads, args.intermediate)
    steps = train(model, np.random.default_rng(args.seed), args.minutes, args.rate, args.batch)

    tokens, _, labels = make_batch(np.random.default_rng([args.seed, 1]), args.samples, PAIRS, QUERIES)
    with torch.no_grad():
        result = accuracy(model.eval()(torch.from_numpy(tokens)), torch.from_numpy(labels))
    print(f"{steps} steps, held-out accuracy {result:.4f}")
    args.output.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.output / "eval.npz", tokens=tokens, labels=labels)
    export(model, args.output / "model.onnx")


if __name__ == "__main__":
    main()
