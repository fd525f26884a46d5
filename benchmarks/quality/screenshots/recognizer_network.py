"""The recognizer: a small convolutional network that names the character at a frame."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from midline.model.vision.alphabet import CLASSES


def _block(into: int, out: int, kernel: tuple[int, int], stride: tuple[int, int]) -> nn.Sequential:
    padding = (0 if kernel[0] > 3 else kernel[0] // 2, kernel[1] // 2)
    conv = nn.Conv2d(into, out, kernel, stride, padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out), nn.ReLU(inplace=True))


class Context(nn.Module):
    """Adds to each frame what frames up to three dilations to its left and right tell.

    A character is known by its neighbours, too: at 8 px, `l` and `i` differ in one faint pixel.
    """

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        across, padding = (1, 7), (0, 3 * dilation)
        self.gather = nn.Sequential(
            nn.Conv2d(width, width, across, 1, padding, (1, dilation), groups=width, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )
        self.mix = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.mix.weight)

    def forward(self, frames: Tensor) -> Tensor:
        """Frames [lines, width, 1, count], of the same shape."""
        return frames + self.mix(self.gather(frames))


class Recognizer(nn.Module):
    """Line images [lines, 24, width] to logits [lines, width / 2, CLASSES]."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _block(1, 16, (3, 3), (1, 1)),
            _block(16, 32, (3, 3), (2, 2)),
            _block(32, 48, (3, 3), (1, 1)),
            _block(48, 64, (3, 3), (2, 1)),
            _block(64, 128, (6, 3), (1, 1)),
            _block(128, 128, (1, 3), (1, 1)),
            _block(128, 128, (1, 3), (1, 1)),
        )
        self.context = nn.Sequential(*(Context(128, dilation) for dilation in (2, 5, 10)))
        self.head = nn.Conv2d(128, CLASSES, 1)

    def forward(self, lines: Tensor) -> Tensor:
        """Logits of each frame."""
        return self.head(self.context(self.body(lines.unsqueeze(1)))).squeeze(2).transpose(1, 2)


def export(network: Recognizer, path: str) -> None:
    """Write the network as ONNX for any number of lines of any width.

    Weights are kept in half precision, in half the bytes, and computed with in single.
    """
    import onnx

    network.eval()
    torch.onnx.export(
        network,
        (torch.zeros(2, 24, 64),),
        path,
        input_names=["lines"],
        output_names=["logits"],
        dynamic_axes={"lines": {0: "n", 2: "w"}, "logits": {0: "n", 1: "f"}},
        dynamo=False,
    )
    onnx.save(_halved(onnx.load(path)), path)


def _halved(model: Any) -> Any:
    from onnx import TensorProto, helper, numpy_helper

    casts, kept = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 64:
            kept.append(tensor)
            continue
        name = f"{tensor.name}.half"
        kept.append(numpy_helper.from_array(values.astype(np.float16), name))
        casts.append(helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(kept)
    return model
