"""Screens captured from a real renderer: the output of real programs, shown by Chromium.

Each program is run here and fails in its own way; its output is the true text. A page shows it as
a terminal, as an editor with a panel below, or as a browser shows an error, at several sizes of
type and device pixel ratios, and Chromium takes the picture without a window.
"""

import html
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from midline.benchmarks.quality.screenshots.screens import Drawn
from midline.model.errors import MidlineError
from midline.model.vision.opening import open_picture

PROGRAMS = {
    "key.py": """\
def total_of(rows):
    return sum(r['price'] for r in rows)


print(total_of([{}]))
""",
    "zero.py": """\
def mean(values):
    return sum(values) / len(values)


mean([])
""",
    "chain.py": """\
import json


def load(text):
    return json.loads(text)


load('{')
""",
    "attribute.py": """\
class Cart:
    pass


def show(cart):
    print(cart.items)


show(Cart())
""",
    "types.py": """\
def join(names):
    return ', '.join(names)


join(['a', 1])
""",
    "index.py": """\
def last_of(rows):
    return rows[len(rows)]


last_of([1, 2, 3])
""",
    "file.py": """\
from pathlib import Path

Path('/nonexistent/settings.toml').read_text()
""",
    "value.py": """\
def parse(text):
    return int(text)


parse('12O')
""",
    "syntax.py": """\
def broken(:
    pass
""",
    "name.py": """\
def area(width):
    return width * heigth


area(2)
""",
    "recursion.py": """\
import sys

sys.setrecursionlimit(40)


def down(n):
    return down(n + 1)


down(0)
""",
    "raised.py": """\
def check(port):
    if port > 65535:
        raise ValueError(f'port {port} is above 65535')


check(70000)
""",
    "rates.c": """\
int rate_of(int country) {
    return tabel[country];
}
""",
    "server.js": """\
function listen(port) {
  return port.toFixed(0);
}
listen(undefined);
""",
}
_RUNNERS = {".py": [sys.executable], ".c": ["gcc", "-fsyntax-only"], ".js": ["node"]}
LOOKS = {
    "terminal": "body{background:#101014;color:#d8d8d8}pre{padding:10px}",
    "panel": "body{background:#1e1e2e;color:#e06c75}"
    "#code{color:#d4d4d4;border-bottom:1px solid #555;height:380px;overflow:hidden}",
    "page": "body{background:#fff;color:#222}"
    "h1{background:#ffc;font:bold 20px sans-serif;padding:12px}"
    "pre{background:#f4f4f4;border:1px solid #ccc;padding:12px;margin:16px}",
}
_SIZES = (12, 13, 14, 16)


def outputs() -> Iterator[tuple[str, str, str]]:
    """Name, source and error output of each program that can be run here."""
    with tempfile.TemporaryDirectory() as folder:
        for name, source in PROGRAMS.items():
            path = Path(folder) / name
            path.write_text(source, "utf-8")
            runner = _RUNNERS[path.suffix]
            if shutil.which(runner[0]) is None:
                continue
            done = subprocess.run(
                [*runner, name], cwd=folder, capture_output=True, text=True, check=False
            )
            text = done.stderr.replace(folder, "/srv/shop").rstrip("\n")
            yield name, source, "\n".join(line.rstrip() for line in text.split("\n"))


def page(look: str, source: str, text: str, font: Path, size: int) -> str:
    """The page that shows an output in one of the looks."""
    face = f"@font-face{{font-family:shown;src:url(file://{font})}}"
    rule = f"*{{margin:0}}pre{{font:{size}px/1.35 shown;font-variant-ligatures:none}}{LOOKS[look]}"
    numbered = "\n".join(f"{n:3} {line}" for n, line in enumerate(source.split("\n"), 1))
    before = {
        "terminal": "",
        "panel": f'<pre id="code">{html.escape(numbered)}</pre>',
        "page": "<h1>Internal Server Error</h1>",
    }[look]
    shown = f"{before}<pre>{html.escape(text)}</pre>"
    return f"<!doctype html><meta charset=utf-8><style>{face}{rule}</style><body>{shown}</body>"


def capture_all(fonts: dict[str, Path]) -> Iterator[Drawn]:
    """A capture of each program in each look, fonts, sizes and pixel ratios by turns."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise MidlineError("captures need Chromium; install it (Debian: chromium)")
    names = list(fonts)
    with tempfile.TemporaryDirectory() as folder:
        number = 0
        for program, source, text in outputs():
            for look in LOOKS:
                font, size = names[number % len(names)], _SIZES[number // 3 % len(_SIZES)]
                ratio = (1, 1, 1.25, 2)[number // 2 % 4]
                path = Path(folder) / "page.html"
                path.write_text(page(look, source, text, fonts[font], size), "utf-8")
                picture = Path(folder) / f"{number}.png"
                _take(browser, path, picture, ratio)
                number += 1
                yield Drawn(open_picture(picture), text, 0, size, look, program, False)


def _take(browser: str, path: Path, picture: Path, ratio: float) -> None:
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--window-size=1280,800", "--disable-background-networking",
        f"--force-device-scale-factor={ratio}",
        "--allow-file-access-from-files", f"--user-data-dir={picture.parent / 'profile'}",
    ]  # fmt: skip
    words = [browser, *flags, f"--screenshot={picture}", f"file://{path}"]
    subprocess.run(words, capture_output=True, check=True, timeout=60)
