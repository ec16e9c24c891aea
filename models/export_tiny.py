# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Exports the tiny BERT and GPT-2 fixtures with torch.onnx.

The importer has to read what users have, and most of them have a Transformers model that went through torch.onnx.export.
These fixtures are such files: random weights, real graphs, not touched by any optimiser. Beside each model.onnx lie
inputs.npz and outputs.npz (computed by ONNX Runtime), whose arrays are named after the graph's inputs and outputs.

Needs torch and transformers (see models/README.md).
"""

import argparse
import pathlib

import numpy as np
import onnxruntime
import torch
import transformers

VOCABULARY = 200
BERT_LENGTH = 16
GPT2_LENGTH = 32


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
                # The default, 0.02, leaves the attention so uniform that a wrong softmax would go unseen.
                initializer_range=0.2,
            ),
            add_pooling_layer=False,
        )

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

    def forward(self, input_ids):
        return self.model(input_ids, use_cache=False).logits


def randomise_vectors(model):
    """Replaces the zeros and ones of fresh biases and norms, under which a forgotten bias would go unseen."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
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
    bert = randomise_vectors(Bert(args.seed))
    write_fixture(args.output / "bert-tiny", bert, bert_inputs, "last_hidden_state", 13, bert_axes)
    bert = Bert(args.seed)
    write_fixture(args.output / "bert-tiny-opset17", bert, bert_inputs, "last_hidden_state", 17, bert_axes)

    gpt2_inputs = {"input_ids": rng.integers(VOCABULARY, size=(1, GPT2_LENGTH))}
    gpt2 = randomise_vectors(Gpt2(args.seed))
    write_fixture(args.output / "gpt2-tiny", gpt2, gpt2_inputs, "logits", 13, None)


if __name__ == "__main__":
    main()
