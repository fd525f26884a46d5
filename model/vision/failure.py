"""Tracebacks and compilers' errors in a text: what failed, and where.

Each form is a few expressions. They allow for what a screen does to a text: lines wrapped at the
width of the pane, spaces that are there or not, and characters taken for their likes where the form
leaves no doubt: a number has digits alone, and `Iine` is `line`.
"""

import builtins
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from midline.model.vision.naming import like_one_of, outline_of

EXCEPTIONS = tuple(
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
)
_DIGITS = str.maketrans("OoDIl|iSsBZz", "000111155822")
"""Digits that letters are taken for where a number stands."""
_NUMBER = r"[\dOoDIl|iSsBZz]+"


@dataclass(frozen=True)
class Frame:
    """A place in the program: `line` counts from 1; `source` is its text, if it is shown."""

    file: str
    line: int
    function: str = ""
    column: int | None = None
    source: str = ""


@dataclass(frozen=True)
class Failure:
    """What failed. kind: `traceback` or `compiler error`; frames: as shown; at: where it failed."""

    kind: str
    form: str
    exception: str
    message: str
    frames: list[Frame] = field(default_factory=list)
    innermost_last: bool = True

    @property
    def at(self) -> Frame | None:
        """The frame in which it failed."""
        if not self.frames:
            return None
        return self.frames[-1 if self.innermost_last else 0]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "kind": self.kind,
            "form": self.form,
            "exception": self.exception,
            "message": self.message,
            "frames": [
                {"file": f.file, "line": f.line, "function": f.function, "column": f.column}
                for f in self.frames
            ],
        }


def find_failure(text: str, columns: int = 0) -> Failure | None:
    """The failure that a text shows, None if it shows none.

    columns: characters of the pane's widest line; lines that long may go on in the next one.
    """
    plain = _best(text.split("\n"))
    wrapped = _best(unwrapped(text.split("\n"), columns)) if columns else None
    if wrapped and (plain is None or len(wrapped.frames) > len(plain.frames)):
        plain = wrapped
    return plain and settled(plain)


def settled(failure: Failure) -> Failure:
    """The failure with what its form decides: names of exceptions, and folders of its files.

    A name that only looks like one of Python's own exceptions is that one. A folder is read alike
    in all frames: where it differs in look-alikes, most frames are right.
    """
    start, dot, last = failure.exception.rpartition(".")
    if failure.form in ("python", "pytest"):
        last = like_one_of(last, EXCEPTIONS)
    counts = Counter(part for f in failure.frames for part in _folders(f.file))
    frames = [
        replace(
            f,
            file="".join(_agreed(part, counts) for part in re.split(r"([/\\])", f.file)),
        )
        for f in failure.frames
    ]
    return replace(failure, exception=start + dot + last, frames=frames)


def _folders(path: str) -> list[str]:
    return re.split(r"[/\\]", path)[:-1]


def _agreed(part: str, counts: "Counter[str]") -> str:
    """The likeliest reading of a folder: the one that stands in more frames than this one."""
    like = [other for other in counts if outline_of(other) == outline_of(part)]
    best = max(like, key=lambda other: counts[other], default=part)
    return best if part in counts and counts[best] > counts[part] else part


def unwrapped(lines: Sequence[str], columns: int) -> list[str]:
    """The lines, those that fill the pane joined with the next."""
    joined: list[str] = []
    goes_on = False
    for line in lines:
        if goes_on:
            joined[-1] += line
        else:
            joined.append(line)
        goes_on = len(line) >= columns
    return joined


def _best(lines: Sequence[str]) -> Failure | None:
    found = [failure for form in _FORMS for failure in [form(lines)] if failure is not None]
    return max(
        found, key=lambda f: (bool(f.frames), bool(f.exception), len(f.frames)), default=None
    )


_PY_FRAME = re.compile(
    r"[FPE][i1lI!][l1Ii|]e ?[\"“”'](?P<file>[^\"“”]+?)[\"“”'][,.;] ?[l1Ii|][i1lI!]ne ?"
    rf"(?P<line>{_NUMBER})(?:[,.;] ?[i1lI!]n ?(?P<fn>.*))?"
)
_PY_LAST = re.compile(r"^(?P<name>[A-Za-z_][\w.]*)(?:: (?P<text>.*))?$")
_PY_NAME = re.compile(
    r"(?:Error|Exception|Exit|Interrupt|Warning|Iteration|Timeout|NotFound|DoesNotExist|Refused)$"
)


def _python(lines: Sequence[str]) -> Failure | None:
    frames: list[Frame] = []
    exception = message = ""
    start = _last_traceback(lines)
    for number, line in enumerate(lines):
        match = _PY_FRAME.search(line)
        if number < start:
            continue
        if match:
            after = lines[number + 1].strip() if number + 1 < len(lines) else ""
            source = "" if _PY_FRAME.search(after) else after
            fn = (match["fn"] or "").strip()
            frames.append(Frame(match["file"], _number(match["line"]), fn, None, source))
        elif frames and not line.startswith(" "):
            last = _PY_LAST.match(line.strip())
            if last and (_PY_NAME.search(last["name"]) or "." in last["name"]):
                exception, message = last["name"], (last["text"] or "").strip()
                break
    if not frames:
        return None
    return Failure("traceback", "python", exception, message, frames)


def _number(text: str) -> int:
    """The number that was read, its letters taken for the digits that they look like."""
    return int(text.translate(_DIGITS))


def _last_traceback(lines: Sequence[str]) -> int:
    starts = [n for n, line in enumerate(lines) if "Traceback (most" in line]
    return starts[-1] if starts else 0


_PYTEST = re.compile(r"^(?P<file>[\w./\\-]+\.py):(?P<line>\d+): ?(?P<name>[A-Za-z_][\w.]*)?$")
_PYTEST_E = re.compile(r"^E\s+(?:(?P<name>[A-Za-z_][\w.]*(?:Error|Exception))\b:? ?)?(?P<text>.*)$")


def _pytest(lines: Sequence[str]) -> Failure | None:
    frames: list[Frame] = []
    exception = message = ""
    for line in lines:
        match = _PYTEST.match(line.strip())
        error = _PYTEST_E.match(line)
        if error and not message:
            exception, message = error["name"] or "AssertionError", error["text"].strip()
        elif match:
            frames.append(Frame(match["file"], int(match["line"])))
            exception = match["name"] or exception
    return Failure("traceback", "pytest", exception, message, frames) if frames else None


_HEAD = re.compile(
    r"^(?:Uncaught )?(?:Exception in thread \"[^\"]*\" )?(?:Caused by: )?"
    r"(?P<name>(?:[a-zA-Z_$][\w$]*\.)*[A-Z]?[\w$]*(?:Error|Exception|Throwable)\w*)"
    r"(?: \[\w+\])?(?:: ?(?P<text>.*))?$"
)
_JS_FRAME = re.compile(
    r"^\s*at (?:(?:async |new )?(?P<fn>[^()]+?) ?\()?"
    r"(?P<file>(?:file://)?[^():\s]+\.[cm]?[jt]sx?|node:[\w/]+)"
    rf"[:;](?P<line>{_NUMBER})[:;](?P<col>{_NUMBER})\)?"
)
_JAVA_FRAME = re.compile(
    r"^\s*at (?P<fn>[\w.$<>/@]+)\((?P<file>\w+\.(?:java|kt|scala))"
    rf"[:;](?P<line>{_NUMBER})\)"
)


def _stack(form: str, frame: re.Pattern[str]) -> "Callable[[Sequence[str]], Failure | None]":
    """A form whose head names the exception and whose frames follow, the innermost first."""

    def find(lines: Sequence[str]) -> Failure | None:
        exception = message = ""
        frames: list[Frame] = []
        for line in lines:
            head = _HEAD.match(line.strip())
            match = frame.match(line)
            if head:
                exception, message = head["name"], (head["text"] or "").strip()
                frames = []  # the innermost cause counts
            elif match:
                fields = match.groupdict()
                column = _number(fields["col"]) if fields.get("col") else None
                fn = (fields["fn"] or "").strip()
                frames.append(Frame(match["file"], _number(match["line"]), fn, column))
        if not frames:
            return None
        return Failure("traceback", form, exception, message, frames, innermost_last=False)

    return find


_GO_HEAD = re.compile(r"^(?P<name>panic|fatal error): (?P<text>.*)$")
_GO_FRAME = re.compile(r"^\s+(?P<file>[^\s:]+\.go):(?P<line>\d+)(?: \+0x[0-9a-f]+)?")


def _go(lines: Sequence[str]) -> Failure | None:
    head = next((m for line in lines if (m := _GO_HEAD.match(line.strip()))), None)
    if head is None:
        return None
    frames = []
    for before, line in pairwise(lines):
        match = _GO_FRAME.match(line)
        if match:
            frames.append(
                Frame(match["file"], _number(match["line"]), before.strip().partition("(")[0])
            )
    return Failure("traceback", "go", head["name"], head["text"], frames, innermost_last=False)


_RUST_HEAD = re.compile(r"^error(?:\[(?P<code>E\d{4})\])?: (?P<text>.+)$")
_RUST_AT = re.compile(rf"^\s*--> ?(?P<file>[^\s:;]+)[:;](?P<line>{_NUMBER})[:;](?P<col>{_NUMBER})")
_RUST_PANIC = re.compile(
    r"^thread '(?P<fn>[^']*)'(?: \(\d+\))? panicked at "
    r"(?P<file>[^\s:,']+):(?P<line>\d+):(?P<col>\d+):?"
)


def _rust(lines: Sequence[str]) -> Failure | None:
    code, message = "", ""
    for number, line in enumerate(lines):
        panic = _RUST_PANIC.match(line.strip())
        if panic:
            text = lines[number + 1].strip() if number + 1 < len(lines) else ""
            return Failure("traceback", "rust", "panic", text, [_place(panic)])
        head = _RUST_HEAD.match(line)
        if head and not message:
            code, message = head["code"] or "error", head["text"].strip()
        at = _RUST_AT.match(line)
        if at and message:
            return Failure("compiler error", "rustc", code, message, [_place(at)])
    return None


_FILE = r"^(?P<file>[^\s:()]+\.\w+)"
_COMPILERS = (
    re.compile(  # gcc, clang, javac
        rf"{_FILE}[:;](?P<line>{_NUMBER})[:;](?:(?P<col>{_NUMBER})[:;])? ?"
        r"(?:fatal )?error[:;]? ?(?P<name>)(?P<text>.+)$"
    ),
    re.compile(  # tsc, csc
        rf"{_FILE}\((?P<line>\d+),(?P<col>\d+)\): ?error ?(?P<name>[A-Z]+\d+): ?"
        r"(?P<text>.+?)(?: \[.*\])?$"
    ),
    re.compile(  # tsc --pretty
        rf"{_FILE}:(?P<line>\d+):(?P<col>\d+) ?- ?error ?(?P<name>TS\d+): ?(?P<text>.+)$"
    ),
    re.compile(  # go build
        r"^(?:\./|vet: )?(?P<file>[^\s:()]+\.go):(?P<line>\d+):(?P<col>\d+): "
        r"(?P<name>)(?P<text>.+)$"
    ),
)


def _compiler(lines: Sequence[str]) -> Failure | None:
    matches = [m for line in lines for p in _COMPILERS if (m := p.match(line.strip()))]
    if not matches:
        return None
    first = matches[0]
    frames = [_place(m) for m in matches]
    name = first["name"] or "error"
    return Failure("compiler error", "compiler", name, first["text"], frames, innermost_last=False)


def _place(match: re.Match[str]) -> Frame:
    fields = match.groupdict()
    column = _number(fields["col"]) if fields.get("col") else None
    return Frame(match["file"], _number(match["line"]), fields.get("fn") or "", column)


_FORMS: tuple[Callable[[Sequence[str]], Failure | None], ...] = (
    _python,
    _pytest,
    _stack("javascript", _JS_FRAME),
    _stack("java", _JAVA_FRAME),
    _go,
    _rust,
    _compiler,
)


def code_lines(text: str) -> Iterator[str]:
    """Lines that look like code: what is compared with the project's files."""
    for line in text.split("\n"):
        stripped = line.strip()
        if len(stripped) >= 8 and re.search(r"[(){}\[\]=;:.]", stripped):
            yield stripped
