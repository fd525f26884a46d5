"""Whether a language's own parser accepts a file: `ast`, `node --check`, `gofmt -e`, `ruby -c` ...

These parsers run nothing of the file. A language whose tools are not installed is left out.
"""

import ast
import shutil
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

SECONDS = 30


def accepts_python(text: str, folder: Path) -> bool:
    """Whether `ast.parse` takes it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _by(ending: str, *command: str) -> Callable[[str, Path], bool]:
    """A parser that reads a file and says by its exit status whether it is one."""

    def accepts(text: str, folder: Path) -> bool:
        path = folder / f"checked{ending}"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        done = subprocess.run(
            [*command, str(path)], capture_output=True, timeout=SECONDS, check=False
        )
        return done.returncode == 0

    return accepts


PARSERS: dict[str, tuple[str | None, Callable[[str, Path], bool]]] = {
    "python": (None, accepts_python),
    "javascript": ("node", _by(".js", "node", "--check")),
    "go": ("gofmt", _by(".go", "gofmt", "-e")),
    "ruby": ("ruby", _by(".rb", "ruby", "-c")),
    "php": ("php", _by(".php", "php", "-l")),
}
"""By language: the program it needs, and whether a text is accepted (text, scratch folder)."""


def available() -> list[str]:
    """Languages whose parsers are here."""
    return [name for name, (tool, _) in PARSERS.items() if tool is None or shutil.which(tool)]


def accepts(language: str, text: str, folder: Path) -> bool:
    """Whether the parser of `language` accepts `text`; `folder` may be written to."""
    return PARSERS[language][1](text, folder)
