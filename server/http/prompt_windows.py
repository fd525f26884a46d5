"""Prompts at the cursors of clients that keep no session: what of them is read, and stays read.

Each request carries the text around a cursor, cut where the client likes. A prompt begins where an
earlier one began, if its text is still there, so that a key costs the tokens that it adds
(`model/completion/prompt_anchor.py`). A limit of time for reading makes a new prompt smaller.
"""

import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from midline.model.completion.context_chunks import ContextChunk, choose_chunks
from midline.model.completion.fim import (
    Cursor,
    Prompt,
    WindowLimits,
    build_prompt,
    chunk_ids,
    prompt_room,
)
from midline.model.completion.prompt_anchor import MOST_BYTES, PromptAnchor, drop_anchor
from midline.server.context.secrets import looks_secret
from midline.server.lsp.prompt_window import LEAST_TOKENS, ReadingSpeed, within

if TYPE_CHECKING:
    from midline.model.engines.base import Engine

_KEPT = 16
_NEAR = 2048
"""Bytes on either side of a cursor that chunks are compared with."""
_BEGINNING = 240
"""Bytes of a prefix by which its beginning is found again."""


@dataclass(frozen=True)
class PlannedPrompt:
    """What is read for a completion at `cursor`; `wanted` is what would be with more time."""

    cursor: Cursor
    limits: WindowLimits
    prompt: Prompt
    wanted: Prompt


@dataclass(frozen=True)
class _Kept:
    """An earlier prompt: its anchor, and what was read in front of it."""

    anchor: PromptAnchor
    cursor: Cursor
    limits: WindowLimits
    ids: tuple[int, ...]


class PromptWindows:
    """Plans prompts; threads may share it."""

    def __init__(self) -> None:
        self.speed = ReadingSpeed()
        self._kept: deque[_Kept] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()
        self._chosen: tuple[ContextChunk, ...] = ()
        self._near = ""

    def plan(
        self, engine: "Engine", cursor: Cursor, max_tokens: int, prompt_ms: float | None = None
    ) -> PlannedPrompt:
        """The prompt for a completion of `max_tokens` tokens that is read within `prompt_ms`."""
        limits = WindowLimits().fitted(prompt_room(engine.context_length, max_tokens))
        cursor = self._with_chosen(engine, cursor, limits)
        with self._lock:
            kept = list(self._kept)
        wanted = self._continued(engine, cursor, limits, kept)
        if prompt_ms is not None:
            affordable = int(self.speed.tokens_per_second * prompt_ms / 1e3)
            affordable = max(affordable, LEAST_TOKENS)
            if _unread(wanted, kept) > affordable:
                small = within(limits, affordable)
                alone = replace(cursor, context=(), project="")
                prompt = self._continued(engine, alone, small, kept)
                if len(prompt.ids) < len(wanted.ids):
                    return PlannedPrompt(cursor, small, prompt, wanted)
        return PlannedPrompt(cursor, limits, wanted, wanted)

    def context_ids(self, engine: "Engine", cursor: Cursor) -> tuple[int, ...]:
        """What prompts with the chunks of `cursor` begin with, for `Batcher.read_ahead`."""
        limits = WindowLimits().fitted(prompt_room(engine.context_length, 1))
        chosen = self._with_chosen(engine, cursor, limits).context
        if engine.tokenizer.fim is None or not chosen:
            return ()
        ids = [id for chunk in chosen for id in chunk_ids(engine.tokenizer, chunk)]
        return tuple(engine.tokenizer.with_bos(ids))

    def _with_chosen(self, engine: "Engine", cursor: Cursor, limits: WindowLimits) -> Cursor:
        """`cursor` with those of its chunks that there is room for and that are most like its text.

        Those chosen before stay in front. A cursor without text is taken for the last one's.
        """
        chunks = [chunk for chunk in cursor.context if not looks_secret(chunk.name, chunk.text)]
        text = cursor.before[-_NEAR:] + cursor.after[:_NEAR]
        with self._lock:
            near = self._near = text.decode("utf-8", "replace") if text.strip() else self._near
            kept = self._chosen
        chosen = choose_chunks(
            chunks,
            near,
            limits.context_tokens,
            lambda chunk: len(chunk_ids(engine.tokenizer, chunk)),
            kept,
        )
        with self._lock:
            self._chosen = chosen
        return replace(cursor, context=chosen)

    def _continued(
        self, engine: "Engine", cursor: Cursor, limits: WindowLimits, kept: list[_Kept]
    ) -> Prompt:
        """The prompt that goes on where an earlier one of the same text began."""
        like = [k for k in kept if (k.limits, k.cursor.context) == (limits, cursor.context)]
        for earlier in reversed(like):
            middle = _middle(earlier.anchor, cursor)
            if middle is not None:
                return self._keep(earlier, engine, middle)
        start_line = next(
            (n for k in reversed(like) if (n := _start_line(k, cursor)) is not None), None
        )
        begun = replace(limits, start_line=start_line)
        anchor = drop_anchor(engine.tokenizer, cursor, begun)
        if anchor is None:
            return build_prompt(engine.tokenizer, cursor, begun)
        middle = anchor.middle(cursor)
        assert middle is not None  # an anchor holds where it was dropped
        return self._keep(_Kept(anchor, cursor, limits, ()), engine, middle)

    def _keep(self, kept: _Kept, engine: "Engine", middle: bytes) -> Prompt:
        prompt = kept.anchor.prompt(engine.tokenizer, middle, kept.limits.backed_up_tokens)
        with self._lock:
            others = [other for other in self._kept if other.anchor is not kept.anchor]
            self._kept.clear()
            self._kept.extend([*others, replace(kept, ids=prompt.ids)])
        return prompt


def _middle(anchor: PromptAnchor, cursor: Cursor) -> bytes | None:
    """Text between the anchor and the cursor, whatever number the client's first line has."""
    reach = len(anchor.prefix) + 2 * MOST_BYTES
    near = cursor.before[-reach:].replace(b"\r\n", b"\n")
    at = near.rfind(anchor.prefix) if anchor.prefix else 0
    if at < 0:
        return None
    lines = near[at + len(anchor.prefix) :].count(b"\n")
    return anchor.middle(replace(cursor, line=anchor.line + lines))


def _start_line(kept: _Kept, cursor: Cursor) -> int | None:
    """The line, as `cursor` counts, in which the earlier prefix began; None if that has gone."""
    at = cursor.before.find(kept.anchor.prefix[:_BEGINNING]) if kept.anchor.prefix else -1
    return None if at < 0 else cursor.line - cursor.before[at:].count(b"\n")


def _unread(prompt: Prompt, kept: list[_Kept]) -> int:
    """How many tokens of a prompt no earlier one had, whatever became of them since."""
    known = max((_common(prompt.ids, earlier.ids) for earlier in kept), default=0)
    return len(prompt.ids) - known


def _common(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    for number, (one, other) in enumerate(zip(a, b, strict=False)):
        if one != other:
            return number
    return min(len(a), len(b))
