"""Ways of reading a screen that are compared: what each reads, as the texts of its panes."""

import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from midline.model.vision.line_image import X_HEIGHT
from midline.model.vision.opening import Picture, PictureError
from midline.model.vision.reader import Pane, find_panes, read_closely, read_screen
from midline.model.vision.recognizer import Recognizer

Reading = Callable[[Picture, Recognizer], list[str]]


def selected(picture: Picture, recognizer: Recognizer) -> list[str]:
    """What ships: panes ranked by a glance, the best read closely."""
    try:
        return [pane.text.text for pane in read_screen(picture, recognizer).panes]
    except PictureError:
        return []


def everything(picture: Picture, recognizer: Recognizer) -> list[str]:
    """Every pane read closely."""
    return _texts(find_panes(picture), recognizer)


def native(picture: Picture, recognizer: Recognizer) -> list[str]:
    """Every pane, small type not enlarged."""
    panes = [
        replace(pane, boxes=[replace(b, x_height=max(b.x_height, X_HEIGHT)) for b in pane.boxes])
        for pane in find_panes(picture)
    ]
    return _texts(panes, recognizer)


def doubled(picture: Picture, recognizer: Recognizer) -> list[str]:
    """The whole picture twice as large, and every pane of it read."""
    shape = (picture.shape[1] * 2, picture.shape[0] * 2)
    large = Image.fromarray(picture).resize(shape, Image.Resampling.BICUBIC)
    return everything(np.asarray(large), recognizer)


def random_regions(picture: Picture, recognizer: Recognizer) -> list[str]:
    """As many panes as the selection takes, at random."""
    panes = find_panes(picture)
    count = max(len(selected(picture, recognizer)), 1)
    chosen = random.Random(int(picture.sum() % 9973)).sample(panes, min(count, len(panes)))
    return _texts(chosen, recognizer)


def _texts(panes: list[Pane], recognizer: Recognizer) -> list[str]:
    return [pane.text.text for pane in read_closely(panes, recognizer)]


def rapidocr(scale: int) -> Reading:
    """PP-OCR of the package rapidocr-onnxruntime on the picture, enlarged or not."""

    def read(picture: Picture, recognizer: Recognizer) -> list[str]:
        result, _ = _rapidocr_engine()(_scaled(picture, scale)[:, :, ::-1])
        rows = sorted(((box[0][1], box[0][0], text) for box, text, _ in result or []))
        return ["\n".join(text for _, _, text in rows)]

    return read


@cache
def _rapidocr_engine() -> Any:
    module = import_module("rapidocr_onnxruntime")
    return module.RapidOCR(intra_op_num_threads=2)


def tesseract(scale: int) -> Reading:
    """Tesseract on the picture, enlarged or not, with its spaces kept."""

    def read(picture: Picture, recognizer: Recognizer) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "screen.png"
            Image.fromarray(_scaled(picture, scale)).save(path, compress_level=1)
            words = ["tesseract", str(path), "-", "-c", "preserve_interword_spaces=1"]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
        return [done.stdout]

    return read


def _scaled(picture: Picture, scale: int) -> Picture:
    if scale == 1:
        return picture
    shape = (picture.shape[1] * scale, picture.shape[0] * scale)
    return np.asarray(Image.fromarray(picture).resize(shape, Image.Resampling.BICUBIC))


def arms(peers: bool) -> dict[str, Reading]:
    """The arms by name; with `peers` those of other packages that are installed."""
    found: dict[str, Reading] = {
        "selected": selected,
        "everything": everything,
        "native": native,
        "doubled": doubled,
        "random": random_regions,
    }
    if peers:
        found |= {"rapidocr": rapidocr(1), "rapidocr, doubled": rapidocr(2)}
        if shutil.which("tesseract"):
            found |= {"tesseract": tesseract(1), "tesseract, doubled": tesseract(2)}
    return found
