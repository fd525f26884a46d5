"""How much a completion reads now, and how much it should have read: windows within a time budget.

The wanted window has the chosen chunks of other files and all the text the settings ask for. Where
reading it would take too long, a smaller one answers, and the wanted one is read when nothing else
is to do. What takes how long is known from the tokens that are in the prefix cache already and from
how fast this engine has read so far.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from midline.kernels import CancelFlag
from midline.model.completion.fim import (
    Cursor,
    Prompt,
    WindowLimits,
    build_prompt,
    chunk_ids,
    context_header,
    prompt_room,
)
from midline.server.context.chooser import ContextChooser
from midline.server.lsp.session import Snapshot

if TYPE_CHECKING:
    from midline.model.engines.base import Engine

START_TOKENS_PER_SECOND = 100.0
"""What a slow machine reads of a large model, until more is known."""
_TELLING_TOKENS = 48
"""Fewer tokens are read at another speed."""
_PIECE_SECONDS = 0.2
"""What is read ahead at a time: a piece that is broken off is lost."""
_PAGE_TOKENS, _MAX_PIECE_TOKENS = 32, 256
_KEYSTROKE_TOKENS = 16
"""To read so few is always in time."""
_QUICK, _COLD = 0.2, 0.6
"""Shares of the time for a first answer: to read after every key, and to read at a new place."""
_MAX_DOCUMENTS = 64


@dataclass(frozen=True)
class Window:
    """What a prompt is built from, and the prompt."""

    cursor: Cursor
    limits: WindowLimits
    prompt: Prompt


@dataclass(frozen=True)
class Plan:
    """The window to answer from, and the one to read when there is time."""

    window: Window
    wanted: Window

    @property
    def is_whole(self) -> bool:
        """Whether the answer is made from all that was wanted."""
        return self.window is self.wanted


class WindowPlanner:
    """Plans for one engine; used by the engine's thread alone."""

    def __init__(self) -> None:
        self.tokens_per_second = START_TOKENS_PER_SECOND
        self._measured = False
        self._context = ContextChooser()
        self._last: dict[str, Window] = {}

    def measure(self, engine: "Engine") -> None:
        """Read something, so that the first answer need not be careful."""
        fim = engine.tokenizer.fim
        marker = fim.middle if fim else min(engine.tokenizer.end_tokens)
        began = time.perf_counter()
        engine.prefill((marker,) * (2 * _TELLING_TOKENS))
        self.learn(2 * _TELLING_TOKENS, time.perf_counter() - began)

    def learn(self, tokens: int, seconds: float) -> None:
        """Take in how long a prompt took to read."""
        if tokens < _TELLING_TOKENS or seconds <= 0:
            return
        rate = tokens / seconds
        self.tokens_per_second = (self.tokens_per_second + rate) / 2 if self._measured else rate
        self._measured = True

    def plan(self, engine: "Engine", snapshot: Snapshot) -> Plan:
        """The largest window in time: at once after a key, within the budget at a new place."""
        settings = snapshot.settings
        seconds = settings.first_answer_milliseconds / 1000
        room = prompt_room(engine.context_length, settings.max_tokens)
        limits = settings.limits().fitted(room)
        cursor = self._with_context(engine, snapshot, limits)
        wanted = _window(engine, cursor, limits)
        last = self._last.pop(snapshot.uri, None)
        quick = max(_KEYSTROKE_TOKENS, _QUICK * seconds * self.tokens_per_second)

        def nearby() -> Iterator[Window]:
            yield wanted
            if last is not None:
                yield from _following(engine, cursor, limits, last)

        window = (
            _first_within(engine, nearby(), _KEYSTROKE_TOKENS)
            or _first_within(engine, nearby(), quick)
            or self._at_a_new_place(engine, wanted, last, _COLD * seconds * self.tokens_per_second)
        )
        self._last[snapshot.uri] = window
        while len(self._last) > _MAX_DOCUMENTS:
            self._last.pop(next(iter(self._last)))
        return Plan(window, wanted)

    def _at_a_new_place(
        self, engine: "Engine", wanted: Window, last: Window | None, tokens: float
    ) -> Window:
        """The best window that needs to read at most `tokens`, or else the smallest."""
        smaller = list(_smaller(engine, wanted, last))
        return _first_within(engine, iter([wanted, *smaller]), tokens) or smaller[-1]

    def _with_context(self, engine: "Engine", snapshot: Snapshot, limits: WindowLimits) -> Cursor:
        tokenizer = engine.tokenizer
        header = context_header(tokenizer, "_" * limits.name_bytes, limits)
        context = self._context.choose(
            snapshot.document,
            snapshot.offset,
            snapshot.others,
            limits.context_tokens - len(header),
            lambda chunk: len(chunk_ids(tokenizer, chunk)),
        )
        return replace(snapshot.cursor, context=context.chunks, project=context.project)

    def read_ahead(self, engine: "Engine", plan: Plan, cancel: CancelFlag) -> None:
        """Read the wanted window into the cache, piece by piece, until `cancel` is set."""
        ids = plan.wanted.prompt.ids
        known, before = engine.cached_tokens(ids), -1
        while before < known < len(ids) - 1 and not cancel.is_set():
            piece = min(_MAX_PIECE_TOKENS, int(self.tokens_per_second * _PIECE_SECONDS))
            end = max(known + piece, known + _PAGE_TOKENS) // _PAGE_TOKENS * _PAGE_TOKENS
            began = time.perf_counter()
            engine.prefill(ids[:end], cancel=cancel)
            before, known = known, engine.cached_tokens(ids)
            if not cancel.is_set():
                self.learn(known - before, time.perf_counter() - began)


def _window(engine: "Engine", cursor: Cursor, limits: WindowLimits) -> Window:
    return Window(cursor, limits, build_prompt(engine.tokenizer, cursor, limits))


def _first_within(engine: "Engine", windows: Iterator[Window], tokens: float) -> Window | None:
    """The first of `windows` of which at most `tokens` are not known yet."""
    for window in windows:
        ids = window.prompt.ids
        if len(ids) - engine.cached_tokens(ids) <= tokens:
            return window
    return None


def _following(
    engine: "Engine", cursor: Cursor, limits: WindowLimits, last: Window
) -> Iterator[Window]:
    """Windows that begin as the last one did, and read less and less of the suffix."""
    cursor = replace(cursor, context=last.cursor.context, project=last.cursor.project)
    limits = replace(limits, start_line=last.prompt.start_line)
    for share in (1, 2, 4):
        shorter = replace(limits, suffix_tokens=limits.suffix_tokens // share)
        yield _window(engine, cursor, shorter)


def _smaller(engine: "Engine", wanted: Window, last: Window | None) -> Iterator[Window]:
    """Windows of less and less text, each with the wanted context, the last one's, and without."""
    lasting = last.cursor if last else wanted.cursor
    contexts = [(wanted.cursor.context, wanted.cursor.project), (lasting.context, lasting.project)]
    for share in (1, 2, 4, 8):
        limits = replace(
            wanted.limits,
            prefix_tokens=wanted.limits.prefix_tokens // share,
            suffix_tokens=wanted.limits.suffix_tokens // share,
        )
        for context, project in dict.fromkeys([*contexts, ((), "")]):
            yield _window(engine, replace(wanted.cursor, context=context, project=project), limits)
