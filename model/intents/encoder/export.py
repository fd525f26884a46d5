"""A joint model as an ONNX file with int8 matrices, its labels and its tokenizer beside it."""

import json
import shutil
import warnings
from pathlib import Path

import torch

from midline.model.intents.encoder.mixout import MixoutLinear
from midline.model.intents.encoder.pieces import FORMS
from midline.model.intents.encoder.training import Training

MODEL, LABELS, TOKENIZER_FILE = "encoder-int8.onnx", "labels.json", "tokenizer.json"
_NAMES = ("ids", "mask", "firsts", "forms")


def export(training: Training, tokenizer: Path, folder: Path) -> Path:
    """Write the files of a trained model to `folder`, which is returned.

    Needs onnx and onnxruntime.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / "encoder.onnx"
    model = training.model.eval()
    without_mixout(model)
    example = tuple(torch.ones((1, 4), dtype=torch.int64) for _ in _NAMES)
    axes = {name: {0: "sentences", 1: "n" + name} for name in _NAMES}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, example, str(whole), input_names=list(_NAMES),
            output_names=["intents", "tags"], dynamo=False, opset_version=17,
            dynamic_axes={**axes, "mask": axes["ids"], "forms": axes["firsts"]},
        )  # fmt: skip
    quantize_dynamic(str(whole), str(folder / MODEL), weight_type=QuantType.QInt8)
    labels = {"intents": training.intents, "tags": training.tags, "forms": FORMS}
    (folder / LABELS).write_text(json.dumps(labels))
    shutil.copyfile(tokenizer, folder / TOKENIZER_FILE)
    whole.unlink()
    return folder


def without_mixout(module: torch.nn.Module) -> None:
    """Put plain linear layers in the place of those with mixout; in use they are the same."""
    for name, child in list(module.named_children()):
        if isinstance(child, MixoutLinear):
            plain = torch.nn.Linear(child.weight.shape[1], child.weight.shape[0])
            plain.weight, plain.bias = child.weight, child.bias
            setattr(module, name, plain)
        else:
            without_mixout(child)
