# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Exports the tiny BERT and GPT-2 fixtures with torch.onnx.

The importer has to read what users have, and most of them have a Transformers model that went through
torch.onnx.export. These fixtures are such files: random weights, real graphs, not touched by any optimiser. Beside each
model.onnx lie inputs.npz and outputs.npz (computed by ONNX Runtime), whose arrays are named after the graph's inputs and outputs.

Random weights attend to all keys alike. So the weights of Q and K are scaled, layer by layer, until Sanger's prediction
(4 bits, normalised, threshold 2e-3) keeps the stated share of the valid pairs on the fixture's own inputs.

Needs torch and transformers (see models/README.md).
"""

import argparse
import pathlib
import sys

import numpy as np
import onnxruntime
import torch
import transformers

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))
import sparsam_oracle  # noqa: E402

VOCABULARY = 200
BERT_LENGTH = 16
GPT2_LENGTH = 32
THRESHOLD = 2e-3


class Bert(torch.nn.Module):
    """BertModel with one output, so that the exported graph has no unused pooler."""

    def __init__(self, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.model = transformers.BertModel(
            transformers.BertConfig(
                vocab_size=VOCABULARY,
                hidden_size=64,
                num_hidden_layers=2,
                num_attention_heads=4,
                intermediate_size=128,
                max_position_embeddings=64,
                # The default, 0.02, leaves outputs so small that errors would go unseen.
                initializer_range=0.2,
            ),
            add_pooling_layer=False,
        )

    def projections(self, layer):
        """Weights and biases of Q and K of one layer."""
        attention = self.model.encoder.layer[layer].attention.self
        return [*attention.query.parameters(), *attention.key.parameters()]

    def queries_and_keys(self, layer, hidden_states):
        attention = self.model.encoder.layer[layer].attention.self
        return attention.query(hidden_states[layer]), attention.key(hidden_states[layer])

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids, attention_mask=attention_mask).last_hidden_state


class Gpt2(torch.nn.Module):
    """GPT2LMHeadModel without the key-value cache."""

    def __init__(self, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.model = transformers.GPT2LMHeadModel(
            transformers.GPT2Config(
                vocab_size=VOCABULARY,
                n_positions=GPT2_LENGTH,
                n_embd=64,
                n_layer=2,
                n_head=4,
                activation_function="gelu_new",
                initializer_range=0.2,
                use_cache=False,
                bos_token_id=0,
                eos_token_id=0,
            )
        )

    def projections(self, layer):
        """Weights and biases of Q and K of one layer: views of the joint projection."""
        joint = self.model.transformer.h[layer].attn.c_attn
        columns = 2 * self.model.config.n_embd
        return [joint.weight[:, :columns], joint.bias[:columns]]

    def queries_and_keys(self, layer, hidden_states):
        block = self.model.transformer.h[layer]
        return block.attn.c_attn(block.ln_1(hidden_states[layer])).chunk(3, dim=-1)[:2]

    def forward(self, input_ids):
        return self.model(input_ids, use_cache=False).logits


def randomise_vectors(model):
    """Replaces the zeros and ones of fresh biases and norms, under which a forgotten bias would go unseen."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    return model


def valid_pairs(inputs):
    """The (query, key) pairs that count, broadcastable to [batch, heads, n, n]: neither padded nor in the future."""
    length = inputs["input_ids"].shape[1]
    if "attention_mask" not in inputs:
        return np.tril(np.ones((1, 1, length, length), bool))
    valid = inputs["attention_mask"].astype(bool)
    return valid[:, None, :, None] & valid[:, None, None, :]


def layer_density(model, layer, inputs):
    """The share of valid pairs that the prediction keeps in one layer."""
    with torch.no_grad():
        arguments = {name: torch.from_numpy(array) for name, array in inputs.items()}
        hidden_states = model.model(**arguments, output_hidden_states=True).hidden_states
        heads = [
            x.unflatten(-1, (model.model.config.num_attention_heads, -1)).transpose(1, 2).numpy()
            for x in model.queries_and_keys(layer, hidden_states)
        ]
    valid = valid_pairs(inputs)
    bias = np.where(valid.any(axis=2, keepdims=True) if "attention_mask" in inputs else valid, 0.0, -10000.0)
    _, mask = sparsam_oracle.predict(*heads, threshold=THRESHOLD, bias=bias)
    return float(mask[np.broadcast_to(valid, mask.shape)].mean())


def sharpen(model, inputs, density):
    """Scales Q and K of every layer, from the first to the last, until the prediction keeps `density`."""
    model.eval()
    for layer in range(model.model.config.num_hidden_layers):
        originals = [parameter.detach().clone() for parameter in model.projections(layer)]
        low, high = 0.1, 10.0
        for _ in range(24):
            scale = (low * high) ** 0.5
            with torch.no_grad():
                for parameter, original in zip(model.projections(layer), originals):
                    parameter.copy_(original * scale)
            reached = layer_density(model, layer, inputs)
            low, high = (scale, high) if reached > density else (low, scale)
        print(f"  layer {layer}: Q and K times {scale:.3f}, density {reached:.3f}")
    return model


def write_fixture(folder, model, inputs, output, opset, dynamic_axes):
    """Exports the model, runs it in ONNX Runtime and writes the three files of a fixture."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    torch.onnx.export(
        model.eval(),
        tuple(torch.from_numpy(array) for array in inputs.values()),
        str(path),
        input_names=list(inputs),
        output_names=[output],
        dynamic_axes=dynamic_axes,
        opset_version=opset,
    )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (result,) = session.run([output], inputs)
    with torch.no_grad():
        expected = model(*(torch.from_numpy(array) for array in inputs.values())).numpy()
    difference = np.abs(result - expected).max()
    if difference > 1e-4:
        raise SystemExit(f"{path}: ONNX Runtime and torch differ by {difference}")
    np.savez(folder / "inputs.npz", **inputs)
    np.savez(folder / "outputs.npz", **{output: result})
    print(f"{path}: opset {opset}, {path.stat().st_size} bytes, largest difference to torch {difference:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(__file__).parent / "fixtures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--density", type=float, default=0.3, help="kept share of pairs (default: %(default)s)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(args.seed)

    valid_lengths = np.array([BERT_LENGTH, 11])
    attention_mask = (np.arange(BERT_LENGTH) < valid_lengths[:, None]).astype(np.int64)
    bert_inputs = {
        "input_ids": rng.integers(1, VOCABULARY, size=(2, BERT_LENGTH)) * attention_mask,
        "attention_mask": attention_mask,
    }
    bert_axes = {name: {0: "batch", 1: "sequence"} for name in [*bert_inputs, "last_hidden_state"]}
    # Fresh biases and norms are equal, so the exporter shares them through Identity nodes: the second file keeps those.
    bert = sharpen(randomise_vectors(Bert(args.seed)), bert_inputs, args.density)
    write_fixture(args.output / "bert-tiny", bert, bert_inputs, "last_hidden_state", 13, bert_axes)
    bert = sharpen(Bert(args.seed), bert_inputs, args.density)
    write_fixture(args.output / "bert-tiny-opset17", bert, bert_inputs, "last_hidden_state", 17, bert_axes)

    gpt2_inputs = {"input_ids": rng.integers(VOCABULARY, size=(1, GPT2_LENGTH))}
    gpt2 = sharpen(randomise_vectors(Gpt2(args.seed)), gpt2_inputs, args.density)
    write_fixture(args.output / "gpt2-tiny", gpt2, gpt2_inputs, "logits", 13, None)


if __name__ == "__main__":
    main()
