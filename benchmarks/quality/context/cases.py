"""Lines of packages' sources with a cursor in them, and chunks of the packages' other files."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midline.benchmarks.quality.context.signatures import imported, signature_chunks
from midline.benchmarks.quality.typing.files import OTHERS, SOURCES, source_text
from midline.model.completion.context_chunks import ContextChunk, cut_into_chunks
from midline.model.completion.syntax import language_of
from midline.model.data_quality.deduplication import Components, join_near
from midline.model.data_quality.deduplication import signatures as minhashes
from midline.model.data_quality.filters import Filter, load_filter
from midline.model.data_quality.registry import Signal, all_signals
from midline.model.data_quality.shingles import token_shingles
from midline.model.data_quality.views import Views
from midline.server.context.chooser import looks_generated

MOST_CHARACTERS = 400_000
LEAST_LINE, MOST_LINE = 20, 100
SIMILAR = 0.7
_BYTES_READ = 3_000_000


@dataclass(frozen=True)
class Package:
    """The text files of one folder by name, readable ones of at most `MOST_CHARACTERS`."""

    language: str
    name: str
    files: dict[str, str]

    def others(self, name: str) -> list[tuple[str, str]]:
        """All files but one."""
        return [(other, text) for other, text in self.files.items() if other != name]


@dataclass(frozen=True)
class Case:
    """A cursor in a line of `file`, and what stands behind it in the line."""

    package: Package
    file: str
    before: str
    after: str
    expected: str

    @property
    def place(self) -> str:
        """Package, file and line, which names the case."""
        return f"{self.package.name}/{self.file}:{self.before.count(chr(10)) + 1}"


def packages() -> list[Package]:
    """The packages of `benchmarks/quality/typing/files.py`, every file of theirs."""
    found = []
    for source in SOURCES:
        folder = source.folder()
        if folder is not None and folder.is_dir():
            found.append(Package(source.language, folder.name, _files(folder)))
    return [package for package in found if len(package.files) > 2]


def _files(folder: Path) -> dict[str, str]:
    files, read = {}, 0
    for path in sorted(folder.rglob("*")):
        if path.is_file() and read < _BYTES_READ and path.stat().st_size <= MOST_CHARACTERS:
            data = path.read_bytes()
            if b"\0" not in data:
                read += len(data)
                files[path.relative_to(folder).as_posix()] = source_text(path)
    return files


def cases(found: Sequence[Package], count: int) -> Iterator[Case]:
    """`count` cases, the packages in turn, the same every time."""
    dice = random.Random("context")
    pools = [list(_of_package(package, random.Random(package.name))) for package in found]
    pools = [dice.sample(pool, len(pool)) for pool in pools if pool]
    given = 0
    while given < count and any(pools):
        for pool in pools:
            if pool and given < count:
                given += 1
                yield pool.pop()


def _of_package(package: Package, dice: random.Random) -> Iterator[Case]:
    for name, text in package.files.items():
        if language_of(name) != package.language or looks_generated(name, text):
            continue
        lines = text.split("\n")
        for number in dice.sample(range(len(lines)), min(3, len(lines))):
            line = lines[number]
            code = line.strip()
            if not (LEAST_LINE <= len(code) <= MOST_LINE) or not code[0].isalpha():
                continue
            at = len(line) - len(line.lstrip()) + dice.randint(4, len(code) // 2)
            before = "\n".join([*lines[:number], line[:at]])
            yield Case(package, name, before, "\n" + "\n".join(lines[number + 1 :]), line[at:])


class Arms:
    """The chunks that each arm lets the ranking choose from."""

    def __init__(self) -> None:
        self._signals: dict[str, Signal] = all_signals()
        self._rules: Filter = load_filter("code", self._signals)
        self.arms: dict[str, Callable[[Case], list[ContextChunk]]] = {
            "none": lambda case: [],
            "all": lambda case: _chunks(case.package.others(case.file)),
            "generated left out": lambda case: _chunks(_not_generated(case)),
            "filtered": self.filtered,
            "filtered, no duplicates": lambda case: unlike(self.filtered(case), case),
            "other package": lambda case: [],
            "three open": lambda case: _chunks(_open(case)),
            "three open, signatures": lambda case: [*_chunks(_open(case)), *signatures(case)],
            "signatures": signatures,
        }

    def filtered(self, case: Case) -> list[ContextChunk]:
        """Chunks of files that pass the filter of code."""
        return _chunks([
            (name, text) for name, text in _not_generated(case)
            if self._rules.verdict(Views(text, name), self._signals).rule is None
        ])  # fmt: skip


def _not_generated(case: Case) -> list[tuple[str, str]]:
    others = case.package.others(case.file)
    return [(name, text) for name, text in others if not looks_generated(name, text)]


def _open(case: Case) -> list[tuple[str, str]]:
    """A few other files of the package, as an editor may have them open."""
    others = _not_generated(case)
    return random.Random(case.place).sample(others, min(OTHERS, len(others)))


def signatures(case: Case) -> list[ContextChunk]:
    """The signatures of the files that the case's file imports and that are not open."""
    is_open = {name for name, _ in _open(case)}
    found = imported(case.file, case.before + case.after, _not_generated(case))
    return [
        chunk
        for name, text in found
        if name not in is_open
        for chunk in signature_chunks(name, text)
    ]


def _chunks(files: Sequence[tuple[str, str]]) -> list[ContextChunk]:
    return [chunk for name, text in files for chunk in cut_into_chunks(name, text)]


def unlike(chunks: Sequence[ContextChunk], case: Case) -> list[ContextChunk]:
    """Chunks without those that are nearly another one or a part of the file itself."""
    own = cut_into_chunks(case.file, case.before + case.after)
    every = [*own, *chunks]
    sets = [token_shingles(chunk.text) for chunk in every]
    components = Components(len(every))
    join_near(components, minhashes(sets), SIMILAR, np.zeros(len(every), np.bool_))
    return [chunk for n, chunk in enumerate(every) if n >= len(own) and components.first(n) == n]
