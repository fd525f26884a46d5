"""Completions at a cursor as the model writes them: neither aligned nor trimmed nor ranked."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from midline.kernels import CancelFlag
from midline.model.completion.fim import Cursor, FimLayout, WindowLimits, build_prompt, prompt_room
from midline.model.completion.ranking import Suggestion
from midline.server.http.asked import Asked
from midline.server.http.raw_answer import Piece, RawAnswer, Spent
from midline.server.http.service import Service

if TYPE_CHECKING:
    from midline.model.engines.base import Engine


def raw_prompt(engine: "Engine", cursor: Cursor, max_tokens: int) -> tuple[int, ...]:
    """The text around a cursor behind the model's FIM tokens."""
    room = prompt_room(engine.context_length, max_tokens)
    limits = WindowLimits(backed_up_tokens=0).fitted(room)
    return build_prompt(engine.tokenizer, cursor, limits, FimLayout.PLAIN).ids


class RawFim:
    """The interface of `FimAnswer`, with samples in the order of their numbers.

    predict_ms: ends a sample that has a whole line after that time. indent: ends it in front of a
    line behind the first that is indented less.
    """

    def __init__(
        self,
        service: Service,
        engine: "Engine",
        cursor: Cursor,
        asked: Asked,
        predict_ms: float | None = None,
        indent: int = 0,
    ) -> None:
        self._predict_ms, self._indent = predict_ms, indent
        prompt = raw_prompt(engine, cursor, asked.options.max_tokens)
        self._answer = RawAnswer(service, engine, prompt, asked, self._is_over)
        self._answer.is_at_cursor = True

    @property
    def spent(self) -> Spent:
        """What the answer took."""
        return self._answer.spent

    async def whole(self, cancel: CancelFlag) -> tuple[Suggestion, ...]:
        """All samples."""
        return tuple(map(self._suggestion, await self._answer.whole(cancel)))

    async def pieces(self, cancel: CancelFlag) -> AsyncIterator[str | Suggestion]:
        """Pieces of the first sample's text, then the whole."""
        text = ""
        async for piece in self._answer.pieces(cancel):
            if piece.sample > 0:
                continue
            given, text = len(self._cut(text)), text + piece.text
            yield self._cut(text)[given:]
            if piece.finish is not None:
                yield self._suggestion(Piece(0, text, piece.tokens, piece.finish))

    def _suggestion(self, piece: Piece) -> Suggestion:
        return Suggestion(
            self._cut(piece.text), 0.0, 0.0, len(piece.tokens), piece.finish or "stop"
        )

    def _is_over(self, text: str, seconds: float) -> bool:
        is_late = self._predict_ms is not None and seconds * 1e3 > self._predict_ms
        return (is_late and "\n" in text) or len(self._cut(text)) < len(text)

    def _cut(self, text: str) -> str:
        """`text` up to a line that is indented less."""
        lines = text.split("\n")
        for number, line in enumerate(lines[1:] if self._indent else [], 1):
            blank = len(line) - len(line.lstrip(" \t"))
            if line.strip() and blank < self._indent:
                return "\n".join(lines[:number])
        return text
