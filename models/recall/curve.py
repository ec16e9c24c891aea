# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Accuracy against density by the oracle: Sanger's masks from NumPy, everything else in ONNX Runtime.

Prints one row per threshold: the mean density of the masks, that of each layer, the share of pairs that are computed
(rows that keep nothing are dense by default, so it grows again at high thresholds), and the accuracy. The compiler and
the simulator have no part in it, so their own curve can be compared with this one.
"""

import argparse
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent.parent / "python"))
import sparsam_oracle  # noqa: E402
from accuracy import accuracy  # noqa: E402

PRUNED = -10000.0


class MaskedModel:
    """The model with an additive mask as a further input of each attention, and Q and K as further outputs."""

    def __init__(self, path):
        model = onnx.load(path)
        graph = model.graph
        producers = {name: node for node in graph.node for name in node.output}
        self.attentions = []
        for index, softmax in enumerate([n for n in graph.node if n.op_type == "Softmax"]):
            scores = producers[producers[softmax.input[0]].input[0]]  # MatMul -> Div -> Softmax
            transposed = producers[scores.input[1]]  # [batch, n, heads, d] -> [batch, heads, d, n]
            query, key, bias = scores.input[0], transposed.input[0], f"bias_{index}"
            add = onnx.helper.make_node("Add", [softmax.input[0], bias], [f"biased_{index}"])
            graph.node.insert(list(graph.node).index(softmax), add)
            softmax.input[0] = f"biased_{index}"
            shape = [None, None, None, None]
            graph.input.append(onnx.helper.make_tensor_value_info(bias, onnx.TensorProto.FLOAT, shape))
            for name in (query, key):
                graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
            self.attentions.append((query, key, bias))
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    def tensors(self, names, inputs):
        """Q and K, both [batch, heads, n, d]."""
        q, k = self.session.run(names, inputs)
        return q, k.transpose(0, 2, 1, 3)

    def run(self, tokens, empty_row, **options):
        """Logits, the predicted masks and the computed pairs, layer by layer: each mask depends on those before.

        The ranges of Q and K are those of the dense model, as a calibration before compilation finds them.
        """
        inputs = {"tokens": tokens}
        inputs.update((bias, np.zeros((1, 1, 1, 1), np.float32)) for _, _, bias in self.attentions)
        normalize = {"normalize": options["normalize"]} if "normalize" in options else {}
        ranges = [sparsam_oracle.calibrate(*self.tensors([q, k], inputs), **normalize) for q, k, _ in self.attentions]
        masks, computed = [], []
        for (query, key, bias), (tx, ty) in zip(self.attentions, ranges):
            q, k = self.tensors([query, key], inputs)
            predicted, mask = sparsam_oracle.predict(q, k, tx=tx, ty=ty, **options)
            kept = sparsam_oracle.fill_empty_rows(mask, empty_row, predicted)
            inputs[bias] = np.where(kept, 0.0, PRUNED).astype(np.float32)
            masks.append(mask)
            computed.append(kept)
        (logits,) = self.session.run(["logits"], inputs)
        return logits, masks, computed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--bits", type=int, default=4, choices=(2, 4, 6, 8))
    parser.add_argument("--empty-row", default="dense", choices=("dense", "argmax"))
    parser.add_argument("--no-normalize", dest="normalize", action="store_false")
    parser.add_argument("--thresholds", type=float, nargs="+", default=[1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2])
    args = parser.parse_args()
    data = np.load(HERE / "eval.npz")
    tokens, labels = data["tokens"][: args.samples], data["labels"][: args.samples]
    model = MaskedModel(HERE / "model.onnx")
    options = {"empty_row": args.empty_row, "bits": args.bits, "normalize": args.normalize}
    print("threshold  density  by layer                     computed  accuracy")
    for threshold in args.thresholds:
        logits, masks, computed = model.run(tokens, threshold=threshold, **options)
        densities = [float(mask.mean()) for mask in masks]
        layers = " ".join(f"{density:.4f}" for density in densities)
        share, _ = accuracy(logits.argmax(axis=-1), labels)
        print(f"{threshold:<9g}  {np.mean(densities):.4f}   {layers}  {np.mean(computed):.4f}    {share:.4f}")


if __name__ == "__main__":
    main()
