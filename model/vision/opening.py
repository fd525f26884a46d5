"""Pictures of screens, opened within limits: nothing is decoded before its size is known."""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midline.model.errors import MidlineError

MAX_BYTES = 50_000_000
MAX_PIXELS = 40_000_000
"""A screen of 8K has 33 million pixels."""
MIN_SIDE = 8
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")

Picture = NDArray[np.uint8]
"""Rows, columns, and red, green, blue."""


class PictureError(MidlineError):
    """A file is no picture that can be read, or has nothing to read in it."""


def open_picture(path: Path) -> Picture:
    """The picture in a file; of an animation, its first frame. Raises PictureError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PictureError(
                f"{path.name} has more than {MAX_BYTES // 1_000_000} MB; save the part of the "
                "screen that matters"
            )
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path} cannot be read: {error.strerror}") from error
    return decode_picture(data, path.name)


def decode_picture(data: bytes, name: str) -> Picture:
    """The picture in `data`; transparent parts are white. Raises PictureError."""
    image_module = pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = image_module.open(io.BytesIO(data), formats=FORMATS)
            _check_size(image.size[0], image.size[1], name)
            image.load()
            return _flat(image_module, image)
    except PictureError:
        raise
    except image_module.UnidentifiedImageError as error:
        kinds = ", ".join(FORMATS)
        raise PictureError(f"{name} is no picture that can be read ({kinds})") from error
    except image_module.DecompressionBombError as error:
        raise PictureError(
            f"{name} has far more than the {MAX_PIXELS // 1_000_000} million pixels that are read; "
            "save the part of the screen that matters"
        ) from error
    except Exception as error:
        raise PictureError(f"{name} is broken and cannot be decoded; save it anew") from error


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise PictureError(
            f"{name} has {width} x {height} pixels, and at most {MAX_PIXELS // 1_000_000} million "
            "are read; save the part of the screen that matters"
        )
    if min(width, height) < MIN_SIDE:
        raise PictureError(f"{name} has {width} x {height} pixels, too few for a line of text")


def _flat(image_module: Any, image: Any) -> Picture:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = image_module.new("RGBA", image.size, (255, 255, 255, 255))
        image = image_module.alpha_composite(ground, image)
    return np.asarray(image.convert("RGB"))


def pillow() -> Any:
    """Pillow's module `Image`; MidlineError where the extra is not installed."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingVisionError() from error
    return Image


class MissingVisionError(MidlineError):
    """The extra `vision` is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "reading pictures needs packages that are not installed; "
            "`pip install 'midline[vision]'` installs them"
        )
