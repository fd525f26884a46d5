"""Screens captured from real programs: what they show is the output of programs that failed.

Three kinds: pages in Chromium, terminals (xterm under Xvfb, alone and with tmux's panes), and an
editor (Neovim in a terminal, code above the output). Fonts, sizes, colours and device pixel ratios
take turns.
"""

import html
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from midline.benchmarks.quality.screenshots.programs import Output, outputs
from midline.benchmarks.quality.screenshots.terminals import TERMINAL_LOOKS, Terminals
from midline.model.errors import MidlineError
from midline.model.vision.opening import Picture, open_picture

PAGE_LOOKS = {
    "terminal": "body{background:#101014;color:#d8d8d8}pre{padding:10px}",
    "panel": "body{background:#1e1e2e;color:#e06c75}"
    "#code{color:#d4d4d4;border-bottom:1px solid #555;height:380px;overflow:hidden}",
    "page": "body{background:#fff;color:#222}"
    "h1{background:#ffc;font:bold 20px sans-serif;padding:12px}"
    "pre{background:#f4f4f4;border:1px solid #ccc;padding:12px;margin:16px}",
}
_SIZES = (12, 13, 14, 16)
_WINDOW = (1280, 800)
_WIDEST = 0.61
"""Width of a character of the fonts, for a size of 1, at most."""


@dataclass(frozen=True)
class Captured:
    """A picture of a screen, its kind and look, the size of its type, and the text it shows.

    columns: characters of a line at which longer ones go on in the next; 0 where none do.
    """

    picture: Picture
    kind: str
    look: str
    size: int
    program: str
    text: str
    columns: int = 0

    @property
    def font(self) -> str:
        """What rows of the table are named by."""
        return f"{self.kind}, {self.look}"


def page(look: str, source: str, text: str, font: Path, size: int) -> str:
    """The page that shows an output in one of the looks."""
    face = f"@font-face{{font-family:shown;src:url(file://{font})}}"
    rule = f"*{{margin:0}}pre{{font:{size}px/1.35 shown;font-variant-ligatures:none}}"
    rule += PAGE_LOOKS[look]
    numbered = "\n".join(f"{n:3} {line}" for n, line in enumerate(source.split("\n"), 1))
    before = {
        "terminal": "",
        "panel": f'<pre id="code">{html.escape(numbered)}</pre>',
        "page": "<h1>Internal Server Error</h1>",
    }[look]
    shown = f"{before}<pre>{html.escape(text)}</pre>"
    return f"<!doctype html><meta charset=utf-8><style>{face}{rule}</style><body>{shown}</body>"


def capture_all(fonts: dict[str, Path]) -> Iterator[Captured]:
    """Each program's output in each look of each kind."""
    shown = outputs()
    yield from capture_pages(fonts, shown)
    yield from capture_terminals(fonts, shown)


def capture_pages(fonts: dict[str, Path], shown: list[Output]) -> Iterator[Captured]:
    """Pages in Chromium without a window."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise MidlineError("captures need Chromium; install it (Debian: chromium)")
    names, cases = list(fonts), [(one, look) for one in shown for look in PAGE_LOOKS]
    with tempfile.TemporaryDirectory() as folder:
        path, picture = Path(folder) / "page.html", Path(folder) / "page.png"
        for number, (one, look) in enumerate(cases):
            font, size = names[number % len(names)], _SIZES[number // 3 % len(_SIZES)]
            columns = int((_WINDOW[0] - 70) / (_WIDEST * size))
            text = wrapped(one.text, columns)
            path.write_text(page(look, one.source, text, fonts[font], size), "utf-8")
            _take(browser, path, picture, (1, 1, 1.25, 2)[number // 2 % 4])
            yield Captured(open_picture(picture), "browser", look, size, one.name, text, columns)


def capture_terminals(fonts: dict[str, Path], shown: list[Output]) -> Iterator[Captured]:
    """Terminals and the editor in one."""
    names, cases = list(fonts), [(one, look) for one in shown for look in TERMINAL_LOOKS]
    with Terminals(fonts) as terminals:
        for number, (one, look) in enumerate(cases):
            font, size = names[number % len(names)], _SIZES[number // 3 % len(_SIZES)]
            picture, columns = terminals.capture(look, one, font, size)
            text = TERMINAL_LOOKS[look].before.format(name=one.name) + wrapped(one.text, columns)
            yield Captured(picture, TERMINAL_LOOKS[look].kind, look, size, one.name, text, columns)


def wrapped(text: str, columns: int) -> str:
    """The text as a terminal shows it: lines go on in the next at its right side."""
    return "\n".join(
        line[at : at + columns]
        for line in text.split("\n")
        for at in range(0, max(len(line), 1), columns)
    )


def _take(browser: str, path: Path, picture: Path, ratio: float) -> None:
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--window-size={_WINDOW[0]},{_WINDOW[1]}", "--disable-background-networking",
        f"--force-device-scale-factor={ratio}",
        "--allow-file-access-from-files", f"--user-data-dir={picture.parent / 'profile'}",
    ]  # fmt: skip
    words = [browser, *flags, f"--screenshot={picture}", f"file://{path}"]
    subprocess.run(words, capture_output=True, check=True, timeout=60)
