"""Files that are no pictures, too large ones, and broken ones: one sentence each."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from midline.model.vision.opening import PictureError, decode_picture, open_picture


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    data = b"IDAT" + zlib.compress(b"\0" * 100)
    body = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    return b"\x89PNG\r\n\x1a\n" + chunk + body


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    kept = io.BytesIO()
    image.save(kept, form, **options)
    return kept.getvalue()


def refusal(data: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        decode_picture(data, "shot.png")
    return str(caught.value)


def test_a_picture_too_large_is_refused_by_its_header() -> None:
    """Only the header is there: decoding it would raise something else."""
    assert "million pixels" in refusal(png_header(20_000, 20_000))


def test_a_jpeg_bomb_is_refused_by_its_header() -> None:
    small = bytearray(encoded(Image.new("RGB", (16, 16)), "JPEG"))
    at = small.index(b"\xff\xc0") + 5
    small[at : at + 4] = struct.pack(">HH", 65_000, 65_000)
    assert "million pixels" in refusal(bytes(small))


def test_a_broken_picture_is_one_sentence() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    whole = encoded(Image.fromarray(noise), "PNG")
    assert "broken" in refusal(whole[: len(whole) // 2])


@pytest.mark.parametrize("data", [b"", b"def f(): pass\n", b"\x89PNG\r\n", b"%PDF-1.7"])
def test_what_is_no_picture_is_told(data: bytes) -> None:
    assert "no picture" in refusal(data) or "broken" in refusal(data)


def test_a_picture_of_a_few_pixels_is_refused() -> None:
    assert "too few" in refusal(encoded(Image.new("RGB", (4, 4)), "PNG"))


def test_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("white", "black")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode_picture(data, "a.gif").min() == 255


def test_transparency_is_white() -> None:
    data = encoded(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG")
    assert decode_picture(data, "a.png").min() == 255


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"shot.png cannot be read"):
        open_picture(tmp_path / "shot.png")
