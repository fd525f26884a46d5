"""Lines of text as screens show them, with the place of each character, to train on.

Every line is drawn at random in one of several ways: with the hinting of its size, reduced from a
larger drawing (as browsers place glyphs between pixels), scaled afterwards, filtered as LCD text
is, through JPEG, with other lines close above and below, underlined, or with unequal colours.
"""

import io
import random
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from midline.model.vision.alphabet import ASCII, EXTRA, class_of
from midline.model.vision.line_image import HEIGHT, STRIDE, Ink, LineBox, line_image

WIDTH = 512
FRAMES = WIDTH // STRIDE
IGNORED = -100
_WORD = re.compile(r"[A-Za-z_]\w+")
_FOREIGN = "абвгдежзийклмнопрстуфхцчшщыэюяБДЖИЛФЦШЮЯαβγδεζηθλμξπφψωΔΣΩéèüöäßñçåæøł中文字错误日本語"


@lru_cache(maxsize=1500)
def font_of(path: Path, size: float) -> ImageFont.FreeTypeFont:
    """A font at a size in pixels."""
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def has_glyph(path: Path, character: str) -> bool:
    """Whether a font draws a character, and not the box that stands for a missing one."""
    font = font_of(path, 32)
    return bytes(font.getmask(character)) != bytes(font.getmask("\uffff"))


def x_height_of(path: Path, size: float) -> float:
    """Pixels from the baseline to the top of an `x`."""
    return _measures(path)[1] * size


@lru_cache(maxsize=512)
def _measures(path: Path) -> tuple[float, float]:
    """Width of a cell and height of an `x`, for a size of 1."""
    font = font_of(path, 400)
    return font.getlength("x") / 400, -font.getbbox("x", anchor="ls")[1] / 400


@dataclass(frozen=True)
class Drawn:
    """A line's ink, the box it is in, and the middle of each character in pixels."""

    ink: Ink
    box: LineBox
    middles: list[tuple[float, str]]


_ALIKE = (
    "l1Ii|!", "O0oQDC", "kKhX", ":;.,", "S5s$", "B8&3", "Z2z", "cCGe", "uvwVUW", "6Gbg9q", "-_~="
)  # fmt: skip


def random_text(rng: random.Random, lines: list[str]) -> str:
    """Mostly lines of code, some as tracebacks have them, some of any characters at all."""
    kind = rng.random()
    if kind < 0.45:
        line = rng.choice(lines)
        return line.lstrip() if rng.random() < 0.7 else line
    if kind < 0.6:
        return confused(rng, rng.choice(lines).lstrip())
    if kind < 0.8:
        return place_line(rng, lines)
    if kind < 0.9:
        words = ("".join(rng.choices(ASCII, k=rng.randint(1, 14))) for _ in range(9))
        return " ".join(words)
    if kind < 0.97:
        alphabet = rng.choice(
            ["0O1lI|i!;:.,'`\"", "^~-_=+*<>", "(){}[]", EXTRA, "rnmvwuoceaszg8B6kK"]
        )
        return "".join(rng.choices(alphabet + " ", k=rng.randint(4, 60)))
    return "".join(rng.choices(_FOREIGN + ASCII[60:] + "  ", k=rng.randint(4, 50)))


def confused(rng: random.Random, text: str) -> str:
    """The text with some characters replaced by those that look like them."""
    found = []
    for character in text:
        like = next((group for group in _ALIKE if character in group), None)
        found.append(rng.choice(like) if like and rng.random() < 0.3 else character)
    return "".join(found)


def place_line(rng: random.Random, lines: list[str]) -> str:
    """A line that names a place, as tracebacks and compilers write it, with words of the code."""

    def word() -> str:
        words = _WORD.findall(rng.choice(lines))
        return rng.choice(words) if words else "x"

    def number() -> int:
        return rng.randint(1, 10 ** rng.randint(1, 4))

    name, path = word(), "/".join(word() for _ in range(rng.randint(1, 4)))
    return rng.choice(
        (
            f'  File "/{path}.py", line {number()}, in {name}',
            f'  File "{path}.py", line {number()}, in <module>',
            f"    at {name}.{word()} ({path}.js:{number()}:{number()})",
            f"    at {word()}.{name}({word().title()}.java:{number()})",
            f"{path}.c:{number()}:{number()}: error: '{name}' undeclared",
            f"{number()} |     {name}({word()}, {word()}={number()});",
            f"  --> src/{path}.rs:{number()}:{number()}",
            f"{name.title()}Error: '{word()}' object has no attribute '{word()}'",
            f"{word()}.{name}Error: {word()} {word()} {number()}",
        )
    )


def draw(rng: random.Random, font: Path, text: str, lines: list[str]) -> Drawn:
    """A line drawn in one of the ways of screens."""
    size = rng.choice((7, 8, 8, 8, 9, 9, 10, 10, 11, 12, 13, 14, 15, 16, 18, 22))
    factor = rng.choice((1, 1, 1, 2, 3, 4)) if rng.random() < 0.8 else rng.uniform(0.6, 1.8)
    if size * factor < 7.5:
        factor = 1
    drawn = size * factor if factor != 1 and factor == int(factor) else size
    pitch = _measures(font)[0] * drawn
    if rng.random() < 0.7:
        pitch = max(round(pitch / 1), 4) if factor == 1 else pitch
    pitch *= rng.choice((1, 1, 1, 1, rng.uniform(0.96, 1.12)))
    leading = drawn * rng.uniform(1.08, 1.6)
    if factor == 1:
        leading = round(leading)
    left = rng.uniform(2, 12) if factor != 1 else float(rng.randint(2, 12))
    return _scaled(rng, font, text, lines, (size, drawn, pitch, leading, left, factor))


def _scaled(
    rng: random.Random,
    font: Path,
    text: str,
    lines: list[str],
    measures: tuple[float, float, float, float, float, float],
) -> Drawn:
    size, drawn, pitch, leading, left, factor = measures
    text = "".join(c for c in text if c == " " or has_glyph(font, c))[: rng.randint(26, 56)]
    width = int(left + pitch * (len(text) + 3)) + 4
    canvas = Image.new("L", (width, int(leading * 3) + 8))
    baseline = leading * 2
    middles = _write(rng, canvas, font_of(font, drawn), text, (left, baseline, pitch))
    for offset in (-1, 1):
        if rng.random() < 0.8:
            other = "".join(c for c in rng.choice(lines) if has_glyph(font, c))[: len(text)]
            _write(
                rng, canvas, font_of(font, drawn), other, (left, baseline + offset * leading, pitch)
            )
    _underline(rng, canvas, left, baseline, pitch)
    ratio = size / drawn if factor == int(factor) else factor
    if ratio != 1:
        shape = (max(round(width * ratio), 8), max(round(canvas.height * ratio), 8))
        kinds = [Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.LANCZOS]
        across, down = shape[0] / width, shape[1] / canvas.height
        canvas = canvas.resize(shape, rng.choice(kinds))
    else:
        across = down = 1.0
    x_height = x_height_of(font, drawn) * down
    ink = _worn(rng, canvas)
    jitter = x_height * rng.uniform(-0.09, 0.09)
    box = LineBox(0, ink.shape[1], baseline * down + jitter, x_height * rng.uniform(0.84, 1.18))
    return Drawn(ink, box, [(x * across, c) for x, c in middles])


def _write(
    rng: random.Random,
    canvas: Image.Image,
    font: ImageFont.FreeTypeFont,
    text: str,
    place: tuple[float, float, float],
) -> list[tuple[float, str]]:
    left, baseline, pitch = place
    pen, fill = ImageDraw.Draw(canvas), 255
    faint = rng.choice((255, 255, 140, 70))
    middles = []
    inset = (pitch - font.getlength("x")) / 2
    for number, character in enumerate(text):
        if character == " ":
            fill = rng.randint(faint, 255)
            continue
        x = left + number * pitch
        pen.text((x + inset, baseline), character, fill=fill, font=font, anchor="ls")
        middles.append((x + pitch / 2, character))
    return middles


def _underline(
    rng: random.Random, canvas: Image.Image, left: float, baseline: float, pitch: float
) -> None:
    """Sometimes an underline, or a box as a cursor is."""
    if rng.random() < 0.9:
        return
    start = left + pitch * rng.randint(0, 20)
    y = round(baseline + pitch * 0.35)
    ImageDraw.Draw(canvas).line((start, y, start + pitch * rng.randint(2, 20), y), fill=160)


def _worn(rng: random.Random, canvas: Image.Image) -> Ink:
    """What the way to the screen and into a file does to ink."""
    if rng.random() < 0.2:
        ground, ink = rng.choice(((20, 230), (235, 30), (40, 170)))
        shown = canvas.point([round(ground + (ink - ground) * v / 255) for v in range(256)])
        kept = io.BytesIO()
        shown.save(kept, "JPEG", quality=rng.randint(45, 92))
        values = np.asarray(Image.open(kept), np.float32)
        result = np.clip((values - ground) / (ink - ground), 0, 1)
    else:
        result = np.asarray(canvas, np.float32) / 255
    if rng.random() < 0.25:
        result = (np.roll(result, 1, 1) + result + np.roll(result, -1, 1)) / 3
    result = result ** rng.uniform(0.65, 1.5)
    if rng.random() < 0.2:
        result = result + np.random.default_rng(rng.getrandbits(32)).normal(0, 0.02, result.shape)
    return np.clip(result, 0, 1).astype(np.float32)


def example(
    rng: random.Random, fonts: list[Path], lines: list[str]
) -> tuple[Ink, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """A line image [HEIGHT, WIDTH] and the class of each of its FRAMES frames."""
    drawn = draw(rng, rng.choice(fonts), random_text(rng, lines), lines)
    image = line_image(drawn.ink, drawn.box)
    shift = rng.randint(0, 3)
    padded = np.zeros((HEIGHT, WIDTH), np.float32)
    kept = image[:, : WIDTH - shift]
    padded[:, shift : shift + kept.shape[1]] = kept
    target = np.zeros(FRAMES, np.int64)
    places = [((x * drawn.box.zoom + shift) / STRIDE - 0.5, class_of(c)) for x, c in drawn.middles]
    for at, _ in places:
        for near in (round(at) - 1, round(at) + 1):
            if 0 <= near < FRAMES:
                target[near] = IGNORED
    for at, kind in places:
        if 0 <= round(at) < FRAMES:
            target[round(at)] = kind
    return padded, target
