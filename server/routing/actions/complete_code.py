"""Finish unfinished code: where a function has no body yet, at its end, or at the cursor."""

import re
from pathlib import Path

from midline.model.errors import MidlineError
from midline.server.routing.budget import parse_budget
from midline.server.routing.definitions import Definition, definition_at
from midline.server.routing.outcome import CompleteAt, QuestionError
from midline.server.routing.stubs import stub_of
from midline.server.routing.targets import Resolver, Target

_STUB = re.compile(rb"[ \t]*(pass|\.\.\.|raise NotImplementedError[^\n]*|#[^\n]*todo[^\n]*)[ \t]*",
                   re.IGNORECASE)  # fmt: skip


def complete_code(resolver: Resolver) -> CompleteAt:
    """The place to complete; QuestionError where none is named and the cursor is not known."""
    samples, seconds = parse_budget(resolver.frame["budget"])
    cursor, lines = resolver.cursor, resolver.lines()
    if not resolver.symbol() and (lines or cursor):
        path = resolver.file("completed")
        body = None if lines or cursor is None else _stub_at(resolver, path, cursor.first)
        if body is not None:
            return CompleteAt(path, 0, 0, "", samples, seconds, body)
        data = resolver.workspace.data(path)
        if data is None:
            raise MidlineError(f"{path.name} cannot be read as a text")
        number = lines[0] if lines else cursor.first if cursor else 1
        kept = data.split(b"\n")
        if not 1 <= number <= len(kept):
            raise QuestionError(
                f"{path.name} has {len(kept)} lines and no line {number}; which one?"
            )
        end = sum(len(line) + 1 for line in kept[:number]) - 1
        return CompleteAt(path, end, end, "", samples, seconds)
    target = resolver.target("completed")
    if target.definition is not None and stub_of(target.definition) is not None:
        return CompleteAt(target.path, 0, 0, "", samples, seconds, target.definition)
    return _end_of(target, resolver.workspace.data(target.path) or b"", samples, seconds)


def _stub_at(resolver: Resolver, path: Path, line: int) -> Definition | None:
    """The function around a line, if its body is still to be written."""
    source = resolver.source(path)
    found = definition_at(source, line, line) if source else None
    return found if found is not None and stub_of(found) is not None else None


def _end_of(target: Target, data: bytes, samples: int, seconds: float | None) -> CompleteAt:
    """The end of the target's body: a stub in its place, or a line below its last."""
    text = data[target.start : target.end]
    body = text.rstrip(b" \t\r\n")
    is_closed = body.endswith((b"}", b"end"))
    if is_closed:
        inner = body[: -1 if body.endswith(b"}") else -3].rstrip(b" \t\r\n")
        at = target.start + len(inner)
        return CompleteAt(target.path, at, at, "\n" + _indent(inner), samples, seconds)
    line_start = body.rfind(b"\n") + 1
    last = body[line_start:]
    if _STUB.fullmatch(last):
        indent = last[: len(last) - len(last.lstrip())]
        at = target.start + line_start + len(indent)
        return CompleteAt(target.path, at, target.start + len(body), "", samples, seconds)
    at = target.start + len(body)
    return CompleteAt(target.path, at, at, "\n" + _indent(body), samples, seconds)


def _indent(body: bytes) -> str:
    """The indentation of the last line; one step deeper if it opens a block."""
    last = body.rpartition(b"\n")[2].decode("utf-8", "replace")
    indent = last[: len(last) - len(last.lstrip())]
    return indent + "    " * last.rstrip().endswith((":", "{"))
