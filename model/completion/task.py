"""One prompt at a cursor, when its completion is over, and what of it to show."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from midline.model.completion.file_style import FileStyle
from midline.model.completion.fim import (
    Cursor,
    FimLayout,
    Prompt,
    WindowLimits,
    build_prompt,
    prompt_room,
)
from midline.model.completion.ranking import Suggestion, Surroundings, ranked
from midline.model.completion.stopping import (
    Place,
    Unit,
    stop_condition,
    whole_characters,
    written_bytes,
)
from midline.model.completion.syntax import SyntaxAround
from midline.model.completion.trimming import finished_text, is_inside_word, valid_text

if TYPE_CHECKING:
    from midline.model.engines.base import (
        Completion,
        Engine,
        Generation,
        SamplingOptions,
        Timings,
    )

_DRAWN = 4
"""Answers drawn where the likeliest one says nothing new."""
_CLOSERS = ")]}>\"'`;,"
_BLANK_TOKENS = 16
_OVERTIME = 0.12
"""Seconds from the deadline to the end of an answer that is still in its first line then."""
_LEAST_WRITING = 0.25
"""Seconds it has from its first token on, however late that came, as while a model is loaded."""
_HALF_A_WORD = re.compile(r"\w+\Z")
_LONGEST_FRAGMENT = 200
"""Bytes of a line's beginning that an answer may write once more."""


@dataclass(frozen=True)
class CompletionResult:
    """Suggestions, best first and all different, and what they cost."""

    suggestions: tuple[Suggestion, ...]
    prompt_tokens: int
    cached_tokens: int
    timings: "Timings"

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not any(suggestion.text for suggestion in self.suggestions)


def completion_tasks(
    engine: "Engine",
    cursor: Cursor,
    options: "SamplingOptions",
    limits: WindowLimits | None,
    layout: FimLayout,
    insist: bool,
) -> "list[CompletionTask]":
    """What to ask the model for, one after the other until there is something to show."""
    room = prompt_room(engine.context_length, options.max_tokens)
    fitted = (limits or WindowLimits()).fitted(room)
    at, above = (
        CompletionTask(engine, cursor, options, fitted, layout, above=a) for a in (False, True)
    )
    if not at.place.rest.strip() or at.lacks_something or not above.is_possible:
        return [at]
    if not insist:
        return [above] if at.begins_line else [at]
    # Where the likeliest line is the one that is there, others are drawn.
    drawn = replace(options, samples=max(_DRAWN, options.samples), temperature=1.0)
    other = CompletionTask(engine, cursor, drawn, fitted, layout, above=True, most=options.samples)
    silent = at.begins_line or is_inside_word(at.place)
    return [above, other] if silent else [at, above, other]


class CompletionTask:
    """One prompt at a cursor, when its answer is over, and what of it to show.

    With `above`, the text on the cursor's line is taken for the beginning of a line of its own: the
    whole line follows it in the prompt, and its beginning follows the answer, so that the line
    stays what it was.
    """

    def __init__(
        self,
        engine: "Engine",
        cursor: Cursor,
        options: "SamplingOptions",
        limits: WindowLimits,
        layout: FimLayout,
        *,
        above: bool,
        most: int | None = None,
    ) -> None:
        self.engine, self.options, self.above = engine, options, above
        self._most = most or options.samples  # suggestions
        self._whole, self._limits, self._layout = cursor, limits, layout
        after = b"\n" + cursor.fragment + cursor.after
        self.cursor = replace(cursor, after=after) if above else cursor
        self._begun: float | None = None  # when the first token was there
        self._late: dict[int, bool] = {}  # samples that the deadline ended: whether in mid-line

    @cached_property
    def syntax(self) -> SyntaxAround | None:
        """The syntax around the cursor as the file is."""
        return SyntaxAround.of(self._whole)

    @cached_property
    def surroundings(self) -> Surroundings:
        """What candidates are ranked by."""
        return Surroundings(self._whole, self.syntax)

    @cached_property
    def prompt(self) -> Prompt:
        """What the engine reads."""
        return build_prompt(self.engine.tokenizer, self.cursor, self._limits, self._layout)

    @cached_property
    def place(self) -> Place:
        """What decides where the answer is over."""
        if self.above:
            return replace(Place.of(self.cursor), unit=Unit.STATEMENT)
        return Place.of(self.cursor, self.syntax)

    @cached_property
    def style(self) -> FileStyle:
        """White space as the file writes it."""
        return FileStyle.of(self._whole)

    @property
    def lacks_something(self) -> bool:
        """Whether the cursor's line does not parse, so that another one would not help."""
        return self.syntax is not None and self.syntax.errors > self.syntax.errors_elsewhere

    @property
    def begins_line(self) -> bool:
        """Whether the cursor is in the indentation of a line of code."""
        return not self.place.fragment.strip() and self.place.rest.strip()[:1] not in _CLOSERS

    @property
    def is_possible(self) -> bool:
        """Whether the beginning of the line can be written again: it is short, and text."""
        fragment = self._whole.fragment
        return len(fragment) <= _LONGEST_FRAGMENT and _is_text(fragment)

    @cached_property
    def stop(self) -> Callable[[int, list[int]], bool]:
        """Whether a sample (its number, its ids) is over."""
        return stop_condition(self.engine.tokenizer, self.place, len(self.prompt.align))

    def stop_by(
        self, give_up: Callable[[], bool] | None, deadline: float | None
    ) -> Callable[[int, list[int]], bool]:
        """`stop`, or whether nobody waits any more, or whether time and a line are over."""

        def stop(sample: int, ids: list[int]) -> bool:
            if (give_up is not None and give_up()) or self.stop(sample, ids):
                return True
            if deadline is None:
                return False
            now = time.perf_counter()
            self._begun = now if self._begun is None else self._begun
            enough = now >= deadline and self._is_enough(ids)
            if not enough and now < max(deadline + _OVERTIME, self._begun + _LEAST_WRITING):
                return False
            self._late[sample] = not enough
            return True

        return stop

    def _is_enough(self, ids: list[int]) -> bool:
        """Whether there is a whole line, or only white space that will hardly become one."""
        written = written_bytes(self.engine.tokenizer, ids)[len(self.prompt.align) :]
        if not written.strip():
            return len(ids) >= self.prompt.backed_up + _BLANK_TOKENS
        return written.rpartition(b"\n")[0].strip() != b""

    def result(self, generation: "Generation") -> CompletionResult:
        """What the engine's answer comes to."""
        suggestions = [
            self._suggestion(completion, self._late.get(sample))
            for sample, completion in enumerate(generation.completions)
        ]
        return CompletionResult(
            suggestions=ranked(suggestions, self.surroundings)[: self._most],
            prompt_tokens=generation.prompt_tokens,
            cached_tokens=generation.cached_tokens,
            timings=replace(generation.timings, load_ms=self.engine.load_ms),
        )

    def _suggestion(self, completion: "Completion", in_mid_line: bool | None) -> Suggestion:
        """What one sample has to show, without the bytes given back and what nobody wants.

        `in_mid_line` tells where the deadline ended it, None if it ended by itself.
        """
        ids, reason, most = completion.ids, completion.finish_reason, self.options.max_tokens
        aligned = len(self.prompt.align)
        new = len(ids) - _covering(self.engine, ids, aligned)
        if new > most:
            ids, new, reason = ids[: len(ids) - new + most], most, "length"
        text = whole_characters(written_bytes(self.engine.tokenizer, ids)[aligned:])
        if in_mid_line:
            text = _HALF_A_WORD.sub("", text)
        return Suggestion(
            text=self._shown(text, complete=reason == "stop" and in_mid_line is None),
            score=completion.score,
            mean_logprob=completion.mean_logprob,
            tokens=new,
            finish_reason=reason,
        )

    def _shown(self, written: str, *, complete: bool) -> str:
        text = finished_text(written, self.place, complete=complete)
        if not self.above:
            return valid_text(text, self.place, self.style, self.syntax)
        fragment = self._whole.fragment.decode()
        if fragment.strip() and (fragment + text).strip() == self.place.following.strip():
            return ""
        tail = self.style.line_end + fragment
        return valid_text(text, self.place, self.style, self.syntax, tail)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _covering(engine: "Engine", ids: list[int], size: int) -> int:
    """How many of `ids` lie wholly within the first `size` bytes."""
    covered = 0
    for count, id in enumerate(ids):
        covered += len(engine.tokenizer.token_bytes(id))
        if covered > size:
            return count
    return len(ids)
