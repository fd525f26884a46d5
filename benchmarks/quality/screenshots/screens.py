"""Screens drawn with their true text: panes, themes, fonts, window frames, scaling and JPEG."""

import io
import random
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from midline.benchmarks.quality.screenshots.tracebacks import FORMS, Case, failure_case
from midline.model.vision.opening import Picture

SIZE = (1600, 1000)
TRAINED_STYLES = ("monokai", "default", "vim", "friendly")
HELD_OUT_STYLES = ("dracula", "solarized-light", "nord", "one-dark")
_PACKAGES = ("rich", "pygls", "numpy", "jinja2", "starlette")
"""Installed packages whose code is shown; none of it was trained on."""


@dataclass(frozen=True)
class Drawn:
    """A screen, the true text of its failure as it is shown, and what it was drawn with."""

    picture: Picture
    case: Case
    text: str
    columns: int
    size: int
    font: str
    form: str
    wrapped: bool


@cache
def _code() -> tuple[str, ...]:
    found: list[str] = []
    for name in _PACKAGES:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            paths = sorted(Path(spec.origin).parent.glob("*.py"))[:12]
            found += [path.read_text("utf-8", "replace") for path in paths]
    return tuple(text for text in found if text.count("\n") > 60)


@dataclass
class _Pen:
    """Draws lines of one font, theme and place."""

    draw: ImageDraw.ImageDraw
    font: ImageFont.FreeTypeFont
    pitch: int
    leading: int

    def lines(
        self, lines: list[str], place: tuple[int, int, int, int], colours: list[list[str]] | str
    ) -> int:
        """Draw lines into a box (left, top, right, bottom); how many had room."""
        left, top, right, bottom = place
        size = int(self.font.size)
        for row, line in enumerate(lines):
            y = top + row * self.leading + size
            if y + size // 3 > bottom:
                return row
            for column, character in enumerate(line[: (right - left) // self.pitch]):
                if character != " ":
                    fill = colours if isinstance(colours, str) else colours[row][column]
                    at = (left + column * self.pitch, y)
                    self.draw.text(at, character, fill, self.font, anchor="ls")
        return len(lines)


def highlighted(text: str, style: str) -> tuple[list[str], list[list[str]], str]:
    """Lines of code, the colour of each character, and the ground's."""
    from pygments.lexers import PythonLexer
    from pygments.styles import get_style_by_name

    theme = get_style_by_name(style)
    dark = _is_dark(theme.background_color)
    default = "#d8d8d8" if dark else "#202020"
    lines, colours = [""], [[]]  # type: list[str], list[list[str]]
    for token, value in PythonLexer().get_tokens(text):
        found = theme.style_for_token(token)["color"]
        for character in value:
            if character == "\n":
                lines.append("")
                colours.append([])
            else:
                lines[-1] += character
                colours[-1].append(f"#{found}" if found else default)
    return lines, colours, theme.background_color


def _is_dark(colour: str) -> bool:
    return int(colour.lstrip("#")[:2], 16) < 128


def draw_screen(
    rng: random.Random,
    font: tuple[str, Path],
    size: int,
    styles: tuple[str, ...],
    case: Case | None = None,
) -> Drawn:
    """A screen of an editor: a list of files, code, and a terminal with a failure, of any form."""
    image = Image.new("RGB", SIZE, rng.choice(("#1e1e2e", "#f3f3f3", "#282c34")))
    draw = ImageDraw.Draw(image)
    face = ImageFont.truetype(font[1], size, layout_engine=ImageFont.Layout.BASIC)
    pen = _Pen(draw, face, round(face.getlength("x")), round(size * rng.uniform(1.2, 1.5)))
    side = rng.choice((0, 180, 260))
    split = rng.randint(380, 560)
    _chrome(rng, pen, side)
    _editor(rng, pen, (side, 30, SIZE[0], split), rng.choice(styles))
    form = rng.choice(FORMS)
    case = case or failure_case(rng, form)
    text, wrapped = _terminal(rng, pen, (side, split, SIZE[0], SIZE[1]), case.text)
    columns = (SIZE[0] - side - 20) // pen.pitch
    return Drawn(_kept(rng, image), case, text, columns, size, font[0], form, wrapped)


def _chrome(rng: random.Random, pen: _Pen, side: int) -> None:
    """A title bar with buttons, and a list of files."""
    pen.draw.rectangle((0, 0, SIZE[0], 29), fill="#3c3c4c")
    for n, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        pen.draw.ellipse((10 + 20 * n, 9, 22 + 20 * n, 21), fill=colour)
    if side:
        pen.draw.rectangle((0, 30, side - 1, SIZE[1]), fill="#252535")
        names = [f"{'  ' * rng.randint(0, 2)}{name}.py" for name in rng.sample(_NAMES, 14)]
        pen.lines(names, (10, 50, side - 4, SIZE[1]), "#b0b0c0")


_NAMES = [f"{a}_{b}" for a in ("app", "core", "db", "web") for b in ("io", "main", "util", "api")]


def _editor(rng: random.Random, pen: _Pen, box: tuple[int, int, int, int], style: str) -> None:
    text = rng.choice(_code())
    start = rng.randrange(max(text.count("\n") - 40, 1))
    lines, colours, ground = highlighted("\n".join(text.split("\n")[start : start + 60]), style)
    left, top, right, bottom = box
    pen.draw.rectangle((left, top, right, bottom - 1), fill=ground)
    gutter = [f"{start + n:4}" for n in range(1, len(lines) + 1)]
    pen.lines(gutter, (left + 4, top + 6, left + 8 + 4 * pen.pitch, bottom - 2), "#808080")
    pen.lines(lines, (left + 8 + 6 * pen.pitch, top + 6, right - 6, bottom - 2), colours)


def _terminal(
    rng: random.Random, pen: _Pen, box: tuple[int, int, int, int], failure: str
) -> tuple[str, bool]:
    """A terminal's pane with a failure in it; the text as it is shown."""
    left, top, right, bottom = box
    ground, ink = rng.choice(
        (
            ("#101010", "#e0e0e0"),
            ("#ffffff", "#1a1a1a"),
            ("#0c0c24", "#ff8080"),
            ("#002b36", "#93a1a1"),
        )
    )
    pen.draw.rectangle((left, top, right, bottom), fill=ground)
    columns = (right - left - 20) // pen.pitch
    lines = [f"$ run {rng.choice(_NAMES)}", *failure.split("\n")]
    wrapped = any(len(line) > columns for line in lines)
    shown = [
        line[at : at + columns] for line in lines for at in range(0, max(len(line), 1), columns)
    ]
    count = pen.lines(shown, (left + 10, top + 8, right, bottom - 4), ink)
    return "\n".join(line.rstrip() for line in shown[:count]), wrapped


def _kept(rng: random.Random, image: Image.Image) -> Picture:
    """The screen as it comes from a file: as it is, scaled up, or through JPEG."""
    kind = rng.random()
    if kind < 0.15:
        factor = rng.choice((1.25, 1.5, 2.0))
        shape = (round(SIZE[0] * factor), round(SIZE[1] * factor))
        image = image.resize(shape, Image.Resampling.BICUBIC)
    elif kind < 0.3:
        kept = io.BytesIO()
        image.save(kept, "JPEG", quality=rng.randint(75, 95))
        image = Image.open(kept)
    return np.asarray(image.convert("RGB"))
