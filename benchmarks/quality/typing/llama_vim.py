"""An editor with llama.vim's rules, for the comparison: what it asks for, and what it shows.

Written after the behaviour of the plugin (`autoload/llama.vim`, January 2026) with its default
settings. Every key hides the ghost text and shows what a recent answer has left, if one agrees with
the text. Unless one does, it asks; while a request is under way it tries again 100 ms later. When
an answer is shown, it asks for what would follow if it were accepted. No request is given up.
"""

import asyncio
import random
import re
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from midline.benchmarks.quality.typing.infill_request import Chunk, InfillRequest
from midline.benchmarks.quality.typing.screen import Screen
from midline.server.documents import Document

PREFIX_LINES, SUFFIX_LINES, PREDICT = 256, 64, 128
FIRST_MS, AHEAD_MS = 250.0, 1000.0
"""Time limits of an answer behind a key, and of one for what would follow it."""
RETRY_SECONDS = 0.1
MAX_LINE_SUFFIX = 8
CACHED_ANSWERS, LOOK_BACK = 250, 128
RING_CHUNKS, CHUNK_LINES, QUEUED, SCOPE, MOVED_LINES = 16, 64, 16, 1024, 32
TOO_LIKE, LIKE_HERE = 0.9, 0.5
UPDATES_A_JUMP = 2
"""A jump is made in normal mode, where the ring takes in one queued chunk a second."""


class Infill(Protocol):
    """A server that fills in: `InfillServer`, or one of the tests."""

    tokens_read: int

    def infill(self, request: InfillRequest) -> str:
        """The text of the answer."""


@dataclass(frozen=True)
class Local:
    """The text around a place: `middle` is the line's beginning, which the prefix does not have."""

    prefix: str
    middle: str
    suffix: str
    indent: int
    line_rest: str

    def addresses(self) -> list[str]:
        """What an answer is kept under: the place, also with up to three lines less above."""
        found, prefix = [self._key(self.prefix)], self.prefix
        for _ in range(3):
            prefix = prefix.partition("\n")[2]
            if not prefix:
                break
            found.append(self._key(prefix))
        return found

    def _key(self, prefix: str) -> str:
        return f"{prefix}{self.middle}\0{self.suffix}"


def local(lines: Sequence[str], row: int, column: int, shown: Sequence[str] = ()) -> Local:
    """Around column `column` of line `row`, as if the lines of `shown` had been accepted there."""
    line, above = lines[row], list(lines[max(0, row - PREFIX_LINES + max(0, len(shown) - 1)) : row])
    below = lines[row + 1 : row + 1 + SUFFIX_LINES]
    middle, rest, indent = line[:column], line[column:], _indentation(line)
    if shown:
        middle, rest = (line + shown[0] if len(shown) == 1 else shown[-1]), ""
        if len(shown) > 1:
            above += [line + shown[0], *shown[1:-1]]
    elif not line.strip():
        middle, rest, indent = "", "", 0
    suffix = "\n".join([rest, *below]) + "\n"
    return Local("\n".join(above) + "\n", middle, suffix, indent, rest)


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def likeness(first: Sequence[str], second: Sequence[str]) -> float:
    """How alike two chunks are, from 0 to 1, by their words."""
    words = [re.findall(r"\w+", "\n".join(lines)) for lines in (first, second)]
    if not any(words):
        return 1.0
    known = set(words[0])
    return 2.0 * sum(word in known for word in words[1]) / (len(words[0]) + len(words[1]))


@dataclass
class Ring:
    """Chunks of text that requests carry along, and those that wait to be among them."""

    dice: random.Random
    chunks: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    queued: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def pick(self, name: str, lines: Sequence[str], *, evict: bool) -> None:
        """Queue a random piece of `lines`, in place of those like it or not at all."""
        if len(lines) < 3:
            return
        chunk = (name, tuple(self._piece(lines)))
        if any(chunk[1] == other[1] for other in (*self.chunks, *self.queued)):
            return
        for kept in (self.queued, self.chunks):
            like = [other for other in kept if likeness(other[1], chunk[1]) > TOO_LIKE]
            if like and not evict:
                return
            kept[:] = [other for other in kept if other not in like]
        self.queued = [*self.queued[-(QUEUED - 1) :], chunk]

    def forget_what_is_like(self, lines: Sequence[str]) -> None:
        """Let go of chunks that are like the text at the cursor: they would be repeated."""
        piece = self._half(lines)
        self.chunks = [c for c in self.chunks if likeness(c[1], piece) <= LIKE_HERE]

    def update(self) -> bool:
        """Take in a queued chunk; whether there was one."""
        if not self.queued:
            return False
        self.chunks = [*self.chunks[-(RING_CHUNKS - 1) :], self.queued.pop(0)]
        return True

    def extra(self) -> tuple[Chunk, ...]:
        """The chunks as requests carry them."""
        return tuple(Chunk(name, "\n".join(lines) + "\n") for name, lines in self.chunks)

    def _piece(self, lines: Sequence[str]) -> Sequence[str]:
        return lines if len(lines) + 1 < CHUNK_LINES else self._half(lines)

    def _half(self, lines: Sequence[str]) -> Sequence[str]:
        start = self.dice.randint(0, max(0, len(lines) - CHUNK_LINES // 2))
        return lines[start : start + CHUNK_LINES // 2 + 1]


class LlamaVim:
    """One cursor; the server works in a thread of its own, one request after the other."""

    name = "llama.vim"

    def __init__(self, server: Infill, seed: int = 0) -> None:
        self.server = server
        self.screen = Screen()
        self.ring = Ring(random.Random(f"ring {seed}"))
        self.documents: dict[str, Document] = {}
        self.uri, self.offset = "", 0
        self._answers: OrderedDict[str, str] = OrderedDict()
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._job: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._warming: list[asyncio.Future[str]] = []
        self._hint: list[str] = []
        self._picked_row = -9999

    async def open(self, uri: str, text: str, language: str) -> None:
        """Open a document; its beginning is queued for the ring."""
        self.documents[uri] = Document(uri, text, language, 1)
        lines = text.split("\n")[: 1 + CHUNK_LINES // 2]
        self.ring.pick(self.documents[uri].name, lines, evict=True)

    async def close_all(self) -> None:
        """Close every document; the ring stays."""
        self.documents.clear()
        self._stop_timer()

    def jump(self, uri: str, offset: int) -> None:
        """Move the cursor in normal mode, where the ring takes in what is queued."""
        self.uri, self.offset = uri, offset
        self._hint = []
        self._stop_timer()
        self.screen.moved(time.perf_counter())
        self._warm(UPDATES_A_JUMP)

    def insert(self, text: str) -> None:
        """Type at the cursor."""
        document = self.documents[self.uri]
        self.documents[self.uri] = document.edited(self.offset, self.offset, text, None)
        self.offset += len(text)
        self._moved()

    def erase(self) -> None:
        """Take back one character."""
        document = self.documents[self.uri]
        self.documents[self.uri] = document.edited(self.offset - 1, self.offset, "", None)
        self.offset -= 1
        self._moved()

    async def settle(self) -> None:
        """Wait for the request under way, and let the ring take in everything, as in a pause."""
        self._stop_timer()
        if self._job is not None:
            await self._job
        self._warm(QUEUED)
        await asyncio.gather(*self._warming)
        self._warming.clear()

    def cpu_seconds(self) -> float | None:
        """Processor time of this process, which the server is part of."""
        return time.process_time()

    def tokens_read(self) -> int | None:
        """Prompt tokens that the server has computed."""
        return self.server.tokens_read

    def close(self) -> None:
        """End the thread."""
        self._stop_timer()
        self._thread.shutdown(wait=True)

    def _moved(self) -> None:
        """What happens after each key: hide, show what is known, and ask."""
        self._hint = []
        text = self._known_text()
        self.screen.replaced(text, time.perf_counter())
        self._shown(text)
        self._fim(())

    def _known_text(self) -> str:
        """What a recent answer for this place, or for one shortly before it, says here."""
        at = self._local()
        found = self._answers.get(at.addresses()[0])
        if found is None:
            found = self._typed_along(at)
        return rendered(found or "", self._lines(), *self._place())

    def _typed_along(self, at: Local) -> str | None:
        text, best = at.prefix + at.middle, ""
        for back in range(1, min(LOOK_BACK, len(text) - 1) + 1):
            answer = self._answers.get(f"{text[:-back]}\0{at.suffix}")
            if answer and answer.startswith(text[-back:]) and len(answer) - back > len(best):
                best = answer[back:]
        return best or None

    def _shown(self, text: str) -> None:
        """Ask for what would follow a text that is shown."""
        if text:
            self._hint = text.split("\n")
            self._fim(tuple(self._hint))

    def _fim(self, shown: tuple[str, ...]) -> None:
        """Ask unless the answer is known; later, while a request is under way."""
        if self._job is not None:
            self._stop_timer()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(RETRY_SECONDS, self._fim, shown)
            return
        lines, (row, column) = self._lines(), self._place()
        at = local(lines, row, column, shown)
        if len(at.line_rest) > MAX_LINE_SUFFIX or any(
            key in self._answers for key in at.addresses()
        ):
            return
        half = CHUNK_LINES // 2
        self.ring.forget_what_is_like(lines[max(0, row - half) : row + half + 1])
        limit = AHEAD_MS if shown else FIRST_MS
        request = InfillRequest(
            at.prefix, at.middle, at.suffix, self.ring.extra(), at.indent, PREDICT, limit
        )
        self._job = asyncio.create_task(self._ask(request, at.addresses()))
        if abs(row - self._picked_row) > MOVED_LINES:
            self._pick_around(lines, row)

    def _pick_around(self, lines: Sequence[str], row: int) -> None:
        """Queue pieces from above the prefix and below the suffix."""
        name = self.documents[self.uri].name
        above = lines[max(0, row - SCOPE) : max(1, row - PREFIX_LINES + 1)]
        below = lines[row + SUFFIX_LINES : row + SUFFIX_LINES + CHUNK_LINES + 1]
        self.ring.pick(name, above, evict=False)
        self.ring.pick(name, below, evict=False)
        self._picked_row = row

    async def _ask(self, request: InfillRequest, keys: list[str]) -> None:
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._thread, self.server.infill, request)
        for key in keys:
            self._answers[key] = answer
            self._answers.move_to_end(key)
        while len(self._answers) > CACHED_ANSWERS:
            self._answers.popitem(last=False)
        self._job = None
        if not self._hint and self.uri in self.documents:
            text = self._known_text()
            self.screen.answered(text, time.perf_counter())
            self._shown(text)

    def _warm(self, updates: int) -> None:
        """Move queued chunks into the ring and read them, as a request without an answer."""
        for _ in range(updates):
            if not self.ring.update():
                return
            request = InfillRequest("", "", "", self.ring.extra(), 0, 0, 1.0)
            loop = asyncio.get_running_loop()
            future: Any = loop.run_in_executor(self._thread, self.server.infill, request)
            self._warming.append(future)

    def _lines(self) -> list[str]:
        return self.documents[self.uri].text.split("\n")

    def _place(self) -> tuple[int, int]:
        document = self.documents[self.uri]
        row = document.line_number(self.offset)
        return row, self.offset - document.line_starts[row]

    def _local(self) -> Local:
        return local(self._lines(), *self._place())

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def rendered(answer: str, lines: Sequence[str], row: int, column: int) -> str:
    """What of an answer is shown: without what the file says anyway, "" for white space alone."""
    content = answer.split("\n")
    while content and not content[-1]:
        content.pop()
    if not content:
        return ""
    line = lines[row]
    if not line.strip():
        lead = min(_indentation(content[0]), len(line))
        line, content[0] = content[0][:lead], content[0][lead:]
    rest = line[column:]
    if _repeats(content, lines, row, line[:column], rest):
        return ""
    return "\n".join(content) if any(part.strip() for part in content) else ""


def _repeats(content: list[str], lines: Sequence[str], row: int, beginning: str, rest: str) -> bool:
    """Whether the answer is what follows in the file already."""
    if len(content) > 1 and not content[0]:
        return content[1:] == list(lines[row + 1 : row + len(content)])
    if content == [rest]:
        return True
    at = row + 1
    while at < len(lines) - 1 and not lines[at].strip():
        at += 1
    if at >= len(lines) or beginning + content[0] != lines[at]:
        return False
    if len(content) == 2:
        following = lines[at + 1] if at + 1 < len(lines) else ""
        return following.startswith(content[1])
    return content[1:] == list(lines[at + 1 : at + len(content)])
