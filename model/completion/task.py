"""A completion task: one prompt at a cursor, its stop condition, and its suggestions."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from midline.model.completion.code_lines import CLOSERS
from midline.model.completion.fim import (
    Cursor,
    FimLayout,
    Prompt,
    WindowLimits,
    build_prompt,
    prompt_room,
)
from midline.model.completion.insertion_point import InsertionPoint
from midline.model.completion.place import Place, Unit
from midline.model.completion.ranking import Suggestion, Surroundings, ranked
from midline.model.completion.showable import showable_at
from midline.model.completion.stopping import stop_condition, whole_characters, written_bytes
from midline.model.completion.syntax import SyntaxAround
from midline.model.completion.trimming import shown_text

if TYPE_CHECKING:
    from midline.model.engines.base import (
        Completion,
        Engine,
        Generation,
        SamplingOptions,
        Timings,
    )

_DRAWN = 4
"""Samples drawn if the greedy completion only repeats the next line."""
_ONE_WORD = re.compile(r"\s*\w*")
_LONGEST_FRAGMENT = 200
"""Most bytes of a line's beginning that a completion may write again."""


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
    limits: WindowLimits | None = None,
    layout: FimLayout = FimLayout.FRAGMENT_AFTER_MIDDLE,
    *,
    insist: bool = True,
    prompt: Prompt | None = None,
) -> "list[CompletionTask]":
    """The tasks to give the engine, one after the other until one has something to show.

    `prompt` is one for this cursor that was built before. With `insist` a line above the cursor's
    is asked for where that one lacks nothing, and for other texts where the likeliest is none:
    right for a request that was made by hand. On an empty line the model is then asked once more
    as if the line were not there, so that it has to write the line's end, too.
    """
    room = prompt_room(engine.context_length, options.max_tokens)
    fitted = (limits or WindowLimits()).fitted(room)
    at, above = (
        CompletionTask(engine, cursor, options, fitted, layout, above=a) for a in (False, True)
    )
    if prompt is not None:
        at.prompt = prompt
    is_alone = not at.place.rest.strip() or at.lacks_something or not above.is_possible
    if not insist:
        return [above] if at.begins_line and not is_alone else [at]
    # Where the likeliest text is none, or the line that is there, others are drawn.
    drawn = replace(options, samples=max(_DRAWN, options.samples), temperature=1.0)
    other = CompletionTask(
        engine, cursor, drawn, fitted, layout, above=not is_alone, most=options.samples
    )
    if is_alone:
        if options.temperature > 0 or at.place.rest.strip():
            return [at]
        if cursor.fragment.strip() or not cursor.after.startswith(b"\n"):
            return [at, other]
        joined = CompletionTask(engine, cursor, options, fitted, layout, above=False)
        joined.cursor = replace(cursor, after=cursor.after[1:])
        return [at, joined, other]
    return [above, other] if at.begins_line else [at, above, other]


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

    @cached_property
    def surroundings(self) -> Surroundings:
        """The names and syntax around the cursor, by which candidates are ranked."""
        return Surroundings(self._whole, self.syntax)

    @cached_property
    def prompt(self) -> Prompt:
        """The prompt, laid out at the first use."""
        return build_prompt(self.engine.tokenizer, self.cursor, self._limits, self._layout)

    @property
    def place(self) -> Place:
        """The surroundings that determine where the completion ends."""
        return self.around.place

    @property
    def syntax(self) -> SyntaxAround | None:
        """The syntax around the cursor as the file is."""
        return self.around.validity.syntax if self.around.validity else None

    @cached_property
    def around(self) -> InsertionPoint:
        """The insertion point, which determines how much of a text is shown."""
        return InsertionPoint.of(self._whole, above=self.above)

    @property
    def lacks_something(self) -> bool:
        """Whether the cursor's line does not parse, so that another one would not help."""
        validity = self.around.validity
        return validity is not None and not validity.is_whole(b"")

    @property
    def begins_line(self) -> bool:
        """Whether the cursor is in the indentation of a line of code."""
        return not self.place.fragment.strip() and self.place.rest.strip()[:1] not in CLOSERS

    @property
    def is_possible(self) -> bool:
        """Whether the beginning of the line can be written again: it is text, and one word at most.

        With more of it, the line above would begin as a copy of the cursor's.
        """
        fragment = self._whole.fragment
        if len(fragment) > _LONGEST_FRAGMENT or not _is_text(fragment):
            return False
        is_code = self.syntax is not None and Place.of(self._whole, self.syntax).unit is Unit.USUAL
        return _ONE_WORD.fullmatch(fragment.decode()) is not None and (
            is_code or not fragment.strip()
        )

    @cached_property
    def stop(self) -> Callable[[int, list[int]], bool]:
        """Whether a sample (its number, its ids) is over."""
        aligned, fits = len(self.prompt.align), self.around.stop_test
        return stop_condition(self.engine.tokenizer, self.place, aligned, fits)

    def written(self, ids: list[int]) -> str:
        """Text that a sample has generated so far, after the bytes of `Prompt.align`."""
        data = written_bytes(self.engine.tokenizer, ids)
        return whole_characters(data[len(self.prompt.align) :])

    def beginning(self, written: str, tokens: int) -> Suggestion | None:
        """What may be shown of a sample that has written a text of so many tokens and goes on;
        None if that is nothing.
        """
        text = showable_at(self.around, written, final=False).text
        return Suggestion(text, 0.0, 0.0, tokens, "length") if text else None

    def result(self, generation: "Generation", *, is_cut: bool = False) -> CompletionResult:
        """The suggestions of a generation; `is_cut` where it was ended before it was over."""
        suggestions = [
            self._suggestion(completion, is_cut) for completion in generation.completions
        ]
        return CompletionResult(
            suggestions=ranked(suggestions, self.surroundings)[: self._most],
            prompt_tokens=generation.prompt_tokens,
            cached_tokens=generation.cached_tokens,
            timings=replace(generation.timings, load_ms=self.engine.load_ms),
        )

    def _suggestion(self, completion: "Completion", is_cut: bool) -> Suggestion:
        """The suggestion of one sample: its text after `Prompt.align`, trimmed to fit the file."""
        ids, reason, most = completion.ids, completion.finish_reason, self.options.max_tokens
        aligned = len(self.prompt.align)
        new = len(ids) - _covering(self.engine, ids, aligned)
        if new > most:
            ids, new, reason = ids[: len(ids) - new + most], most, "length"
        return Suggestion(
            text=self._shown(self.written(ids), complete=reason == "stop" and not is_cut),
            score=completion.score,
            mean_logprob=completion.mean_logprob,
            tokens=new,
            finish_reason=reason,
        )

    def _shown(self, written: str, *, complete: bool) -> str:
        text = shown_text(written, self.around, complete=complete)
        return "" if self.above and self._is_the_line_again(text) else text

    def _is_the_line_again(self, text: str) -> bool:
        line = self.place.fragment + text.removesuffix(self.around.tail)
        return line.strip() == self.place.following.strip()


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
