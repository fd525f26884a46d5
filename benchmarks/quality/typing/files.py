"""Which real files are typed into, and which of their lines.

The files belong to packages that an installation of the tests has anyway, and to tools that many
machines have. None of them is Midline's own: profiles and thresholds are calibrated on those.
"""

import hashlib
import random
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from midline.model.completion.syntax import language_of
from midline.model.errors import UsageError
from midline.server.documents import from_bytes

LEAST_LINES, MOST_LINES = 120, 1500
LONGEST_LINE = 120
BLOCK_LINES = 5
"""Lines that are typed one after another before the cursor jumps to another place."""
OTHERS = 3
"""Files of the same package that are open besides."""
TOOL_SECONDS = 10


@dataclass(frozen=True)
class Source:
    """Where files of a language may be found: an importable package's folder, or another one."""

    language: str
    pattern: str
    folder: Callable[[], Path | None]


def _package(name: str, *parts: str) -> Callable[[], Path | None]:
    def folder() -> Path | None:
        spec = find_spec(name)
        places = spec.submodule_search_locations if spec else None
        return Path(next(iter(places)), *parts) if places else None

    return folder


def _tool(command: str, *arguments: str) -> Callable[[], Path | None]:
    """A folder that a program names on its standard output."""

    def folder() -> Path | None:
        found = shutil.which(command)
        if found is None:
            return None
        try:
            said = subprocess.run(
                [found, *arguments],
                capture_output=True,
                text=True,
                timeout=TOOL_SECONDS,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return Path(said.stdout.strip())

    return folder


def _npm() -> Path | None:
    root = _tool("npm", "root", "--global")()
    return root / "npm" / "lib" if root else None


def _go() -> Path | None:
    root = _tool("go", "env", "GOROOT")()
    return root / "src" / "net" / "http" if root else None


SOURCES = (
    Source("python", "*.py", _package("pygls")),
    Source("python", "*.py", _package("_pytest")),
    Source("python", "*.py", _package("jinja2")),
    Source("cpp", "*.cpp", _package("nanobind", "src")),
    Source("javascript", "*.js", _npm),
    Source("javascript", "*.js", _package("matplotlib", "backends", "web_backend", "js")),
    Source("go", "*.go", _go),
    Source(
        "ruby", "*.rb", _tool("ruby", "-e", "puts RbConfig::CONFIG['rubylibdir'] + '/optparse'")
    ),
    Source("perl", "*.pm", _tool("perl", "-MConfig", "-e", "print $Config{privlib} . '/Test'")),
    Source("php", "*.php", lambda: Path("/usr/share/php")),
)


@dataclass(frozen=True)
class Block:
    """Consecutive lines of a file that are typed; `first` is the number (from 0) of the first."""

    first: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class TypedFile:
    """A file, the blocks that are typed into it, and other files that are open meanwhile."""

    language: str
    name: str
    text: str
    blocks: tuple[Block, ...]
    others: tuple[tuple[str, str], ...] = ()

    @property
    def sha256(self) -> str:
        """Of the text."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogateescape")).hexdigest()

    def without(self, done: int) -> str:
        """The text when the first `done` blocks are there and the others are not written yet."""
        lines = self.text.split("\n")
        for block in reversed(self.blocks[done:]):
            del lines[block.first : block.first + len(block.lines)]
        return "\n".join(lines)


def default_files(lines: int, seed: int, block: int = BLOCK_LINES) -> list[TypedFile]:
    """Files with `lines` lines to type in all, of every language that is found here."""
    return _files(candidates(), lines, seed, block)


def candidates() -> dict[str, list[Path]]:
    """Files by language that are found here and are neither very short nor very long."""
    found: dict[str, list[Path]] = {}
    for source in SOURCES:
        folder = source.folder()
        if folder is not None and folder.is_dir():
            found.setdefault(source.language, []).extend(sorted(folder.rglob(source.pattern)))
    usable = {name: _usable(paths) for name, paths in found.items()}
    return {name: paths for name, paths in usable.items() if paths}


def given_files(
    paths: Sequence[Path], lines: int, seed: int, block: int = BLOCK_LINES
) -> list[TypedFile]:
    """Files of the user, or of folders of the user; UsageError if there is nothing to type in."""
    by_language: dict[str, list[Path]] = {}
    for path in paths:
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        for one in found:
            language = language_of(one.name)
            if language and one.is_file():
                by_language.setdefault(language, []).append(one)
    usable = {name: _usable(found) for name, found in by_language.items()}
    usable = {name: found for name, found in usable.items() if found}
    if not usable:
        raise UsageError(
            f"{paths[0]} has no source file of {LEAST_LINES} to {MOST_LINES} lines; name others"
        )
    return _files(usable, lines, seed, block)


def _usable(paths: Sequence[Path]) -> list[Path]:
    return [path for path in paths if path.is_file() and _is_usable(path)]


def _is_usable(path: Path) -> bool:
    lines = from_bytes(path.read_bytes()).split("\n")
    return LEAST_LINES <= len(lines) <= MOST_LINES


def _files(paths: dict[str, list[Path]], lines: int, seed: int, block: int) -> list[TypedFile]:
    """About equally many lines of each language, in up to three files of each."""
    found = []
    wanted = -(-lines // block)
    for number, (language, candidates) in enumerate(sorted(paths.items())):
        dice = random.Random(f"files {seed} {language}")
        drawn = dice.sample(candidates, len(candidates))
        blocks = wanted * (number + 1) // len(paths) - wanted * number // len(paths)
        files = min(3, len(drawn), blocks)
        others = tuple((path.name, source_text(path)) for path in drawn[files : files + OTHERS])
        for at, path in enumerate(drawn[:files]):
            share = blocks * (at + 1) // files - blocks * at // files
            text = source_text(path)
            chosen = choose_blocks(text, share, block, dice)
            beside = tuple(
                (other.name, source_text(other)) for other in drawn[:files] if other != path
            )
            found.append(TypedFile(language, path.name, text, chosen, (*beside, *others)))
    return found


def source_text(path: Path) -> str:
    """The text of a file with LF line ends."""
    return from_bytes(path.read_bytes()).replace("\r\n", "\n")


def choose_blocks(text: str, count: int, size: int, dice: random.Random) -> tuple[Block, ...]:
    """`count` blocks of `size` lines that do not touch, from the second tenth of the file on.

    A block begins with a line that is not blank, most of its lines are not, and none is very long.
    """
    lines = text.split("\n")
    starts = list(range(max(2, len(lines) // 10), len(lines) - size - 1))
    dice.shuffle(starts)
    chosen: list[int] = []
    for start in starts:
        if len(chosen) == count:
            break
        apart = all(abs(start - other) > 2 * size for other in chosen)
        if apart and _is_worth_typing(lines[start : start + size]):
            chosen.append(start)
    return tuple(Block(start, tuple(lines[start : start + size])) for start in sorted(chosen))


def _is_worth_typing(lines: Sequence[str]) -> bool:
    written = [line for line in lines if line.strip()]
    return (
        bool(lines[0].strip())
        and 3 * len(written) >= 2 * len(lines)
        and all(len(line) <= LONGEST_LINE for line in lines)
    )
