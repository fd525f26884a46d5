"""Prompt windows: how much text is prefilled for a completion now, and how much eventually.

The wanted window has all the text that the settings ask for, as far as this machine prefills it
within a few seconds. It is prefilled in small steps while the engine is idle, and every step stays
in the prefix cache. Until then, a smaller window is used for completions. Both are anchored
(`model/completion/prompt_anchor.py`), so that a key or a new line adds a few tokens. The size of a
window follows from the tokens in the prefix cache and the measured prefill speed.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from midline.model.completion.fim import (
    Cursor,
    Prompt,
    WindowLimits,
    build_prompt,
    chunk_ids,
    context_header,
    prompt_room,
)
from midline.model.completion.prompt_anchor import PromptAnchor, drop_anchor
from midline.server.context.chooser import ContextChooser
from midline.server.lsp.session import Snapshot

if TYPE_CHECKING:
    from midline.model.engines.base import Engine

LOGGER = logging.getLogger(__name__)
KEY_TOKENS = 16
"""A prefill this small always meets the deadline."""
QUICK_SECONDS = 0.1
"""Prefill time that a key may additionally take."""
COLD_SHARE = 0.4
"""Share of the time for a first completion that prefill may take at a new position."""
WANTED_SECONDS = 6.0
"""Most time to prefill the wanted window; slower machines get a smaller window."""
CONTEXT_SECONDS = 2.5
"""Most time to prefill a wanted window with chunks of other files: they are worth least of it."""
BUDGET_STEP = 1.5
"""Least factor by which the size of a wanted window changes with the measured speed."""
STEP_SECONDS = 0.08
"""Duration of a prefill step, between two checks for a key."""
LEAST_TOKENS = 128
"""Least window: smaller ones are useless (0 of 120 lines exact with 64 tokens, 12 with 128)."""
REANCHOR_LINES = 8
"""Lines after the middle token from which on a later anchor is prepared."""
_LEAST_STEP, _MOST_STEP = 16, 64
_MAX_DOCUMENTS = 64


class ReadingSpeed:
    """The prefill speed of the engine in tokens per second, measured from its requests."""

    START = 100.0
    """Initial estimate: a large model on a slow machine."""
    TELLING_TOKENS = 16
    """Shorter prefills are not measured, since their speed is different."""
    _BOUNDS = 1.0, 50_000.0
    _MOST_CHANGE = 4.0

    def __init__(self) -> None:
        self.tokens_per_second = self.START
        self._is_measured = False

    def learn(self, tokens: int, seconds: float) -> None:
        """Record that `tokens` were computed, without cached ones, in `seconds`.

        One measurement changes the estimate by at most a factor of four.
        """
        if tokens < self.TELLING_TOKENS or seconds <= 0:
            return
        low, high = self._BOUNDS
        rate = min(max(tokens / seconds, low), high)
        if self._is_measured:
            now = self.tokens_per_second
            rate = (now + min(max(rate, now / self._MOST_CHANGE), now * self._MOST_CHANGE)) / 2
        self.tokens_per_second, self._is_measured = rate, True


@dataclass(frozen=True)
class Window:
    """A prompt and what it was built from; `anchor` is None for a model without FIM."""

    cursor: Cursor
    limits: WindowLimits
    prompt: Prompt
    anchor: PromptAnchor | None = None


@dataclass(frozen=True)
class Plan:
    """The window of the completion, and the wanted one, to be prefilled later."""

    window: Window
    wanted: Window

    @property
    def is_whole(self) -> bool:
        """Whether the window of the completion is the wanted one."""
        return self.window is self.wanted


@dataclass
class _Anchored:
    """A document's latest windows: the one that answered, and the one that was wanted."""

    answered: Window | None = None
    wanted: Window | None = None


@dataclass
class WindowPlanner:
    """Plans the windows of one engine; owned by the engine's thread.

    tokens_read: prompt tokens that were computed so far, those that were read ahead included.
    wanted_seconds: most time to prefill the wanted window.
    """

    speed: ReadingSpeed = field(default_factory=ReadingSpeed)
    tokens_read: int = 0
    wanted_seconds: float = WANTED_SECONDS
    _context: ContextChooser = field(default_factory=ContextChooser)
    _documents: dict[str, _Anchored] = field(default_factory=dict)
    _budget: int = 0
    """Tokens of a wanted window; it follows the speed in steps, or every measurement would move the
    beginning of the prompt."""

    def measure(self, engine: "Engine") -> None:
        """Measure the prefill speed, so that the first window has the right size."""
        fim = engine.tokenizer.fim
        marker = fim.middle if fim else min(engine.tokenizer.end_tokens)
        began = time.perf_counter()
        engine.prefill((marker,) * 96)
        self.speed.learn(96, time.perf_counter() - began)

    def plan(self, engine: "Engine", snapshot: Snapshot, *, is_kept: bool = True) -> Plan:
        """Windows to answer from: the wanted one if it is prefilled, else the last, else a new one.

        Unless it `is_kept`, later plans do not build on it: the text may never be written.
        """
        limits = self._limits(engine, snapshot)
        cursor = self._with_context(engine, snapshot, limits)
        latest = self._documents.get(snapshot.uri, _Anchored())
        wanted = self._wanted(engine, cursor, limits, latest)
        answered = _moved(engine, latest.answered, cursor)
        window = self._affordable(engine, wanted, answered, snapshot)
        if is_kept:
            self._keep(snapshot.uri, _Anchored(window, wanted))
        return Plan(window, wanted)

    def _keep(self, uri: str, windows: _Anchored) -> None:
        self._documents.pop(uri, None)
        self._documents[uri] = windows
        while len(self._documents) > _MAX_DOCUMENTS:
            self._documents.pop(next(iter(self._documents)))

    def _limits(self, engine: "Engine", snapshot: Snapshot) -> WindowLimits:
        room = prompt_room(engine.context_length, snapshot.settings.max_tokens)
        limits = snapshot.settings.limits().fitted(room)
        tokens = int(self.wanted_seconds * self.speed.tokens_per_second)
        if not self._budget / BUDGET_STEP <= tokens <= self._budget * BUDGET_STEP:
            self._budget = tokens
        found = within(limits, self._budget)
        wanted = found.prefix_tokens + found.suffix_tokens + found.context_tokens
        if wanted * self.wanted_seconds > self._budget * CONTEXT_SECONDS:
            return replace(found, context_tokens=0)
        return found

    def _wanted(
        self, engine: "Engine", cursor: Cursor, limits: WindowLimits, latest: _Anchored
    ) -> Window:
        """The window that should be prefilled: the last wanted one while it holds and is near."""
        last = latest.wanted
        if last and last.limits == limits and last.cursor.context == cursor.context:
            moved = _moved(engine, last, cursor)
            near = moved and moved.anchor and cursor.line - moved.anchor.line <= REANCHOR_LINES
            if moved and near:
                return moved
        started = last.prompt.start_line if last else None
        return _window(engine, cursor, limits, started)

    def _affordable(
        self, engine: "Engine", wanted: Window, answered: Window | None, snapshot: Snapshot
    ) -> Window:
        per_second = self.speed.tokens_per_second
        quick = max(KEY_TOKENS, int(QUICK_SECONDS * per_second))
        unread = _unread(engine, wanted)
        if unread <= KEY_TOKENS:
            return wanted
        if answered and _unread(engine, answered) <= quick:
            return answered
        seconds = COLD_SHARE * snapshot.settings.first_answer_milliseconds / 1000
        affordable = max(LEAST_TOKENS, int(seconds * per_second))
        if unread <= affordable:
            return wanted
        limits = within(wanted.limits, affordable)
        return _window(engine, replace(wanted.cursor, context=(), project=""), limits, None)

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

    def read_wanted(
        self, engine: "Engine", snapshot: Snapshot, is_over: Callable[[], bool]
    ) -> bool:
        """`read_ahead` for the wanted window of a place, unless a key is all that it lacks."""
        window = self.plan(engine, snapshot).wanted
        is_read = _unread(engine, window) <= KEY_TOKENS
        return is_read or self.read_ahead(engine, window, is_over)

    def read_ahead(self, engine: "Engine", window: Window, is_over: Callable[[], bool]) -> bool:
        """Prefills `window` in steps until `is_over`, asked between them; whether it is complete.

        Every step is kept in the prefix cache.
        """
        ids = window.prompt.ids
        known, before = engine.cached_tokens(ids), -1
        begun = known
        while before < known < len(ids) - 1 and not is_over():
            step = int(STEP_SECONDS * self.speed.tokens_per_second)
            end = known + min(max(step, _LEAST_STEP), _MOST_STEP)
            began = time.perf_counter()
            engine.prefill(ids[:end])
            before, known = known, engine.cached_tokens(ids)
            self.speed.learn(known - before, time.perf_counter() - began)
        self.tokens_read += known - begun
        if known > begun:
            LOGGER.info("%d prompt tokens read ahead, %d known", known - begun, known)
        return not before < known < len(ids) - 1


def within(limits: WindowLimits, tokens: int) -> WindowLimits:
    """The window of at most about `tokens` that is worth most: the text in front of the cursor
    comes first, then a little behind it, then the rest behind it, then other files.
    """
    tokens = max(tokens, LEAST_TOKENS)
    prefix = min(limits.prefix_tokens, max(LEAST_TOKENS, tokens * 7 // 8))
    suffix = min(limits.suffix_tokens, max(0, tokens - prefix))
    context = min(limits.context_tokens, max(0, tokens - prefix - suffix))
    # Part of what the settings allow is not worth a choice of chunks.
    context = context if 2 * context >= limits.context_tokens else 0
    return replace(limits, prefix_tokens=prefix, suffix_tokens=suffix, context_tokens=context)


def _window(
    engine: "Engine", cursor: Cursor, limits: WindowLimits, start_line: int | None
) -> Window:
    """A window anchored at the cursor's line."""
    begun = replace(limits, start_line=start_line)
    anchor = drop_anchor(engine.tokenizer, cursor, begun)
    if anchor is None:
        return Window(cursor, limits, build_prompt(engine.tokenizer, cursor, begun))
    moved = _moved(engine, Window(cursor, limits, Prompt((), b""), anchor), cursor)
    assert moved is not None  # an anchor holds where it was dropped
    return moved


def _moved(engine: "Engine", window: Window | None, cursor: Cursor) -> Window | None:
    """`window` for another cursor, with its anchor where that holds; None where it does not."""
    if window is None or window.anchor is None:
        return None
    middle = window.anchor.middle(cursor)
    if middle is None:
        return None
    there = replace(cursor, context=window.cursor.context, project=window.cursor.project)
    prompt = window.anchor.prompt(engine.tokenizer, middle, window.limits.backed_up_tokens)
    return replace(window, cursor=there, prompt=prompt)


def _unread(engine: "Engine", window: Window) -> int:
    ids = window.prompt.ids
    return len(ids) - engine.cached_tokens(ids)
