"""From a cursor to completions worth showing: prompt, samples, stopping, trimming, ranking."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from midline.model.fim import Cursor, FimLayout, Prompt, WindowLimits, build_prompt
from midline.model.stopping import (
    Place,
    finished_text,
    stop_condition,
    whole_characters,
    written_bytes,
)

if TYPE_CHECKING:
    from midline.model.engine import Cancellation, Completion, Engine, GenerateOptions, Timings


@dataclass(frozen=True)
class Suggestion:
    """One completion: `text` goes in at the cursor as it is.

    `score` is higher for better; `mean_logprob` is natural, over `tokens` generated tokens;
    `finish_reason` is stop, length or cancelled.
    """

    text: str
    score: float
    mean_logprob: float
    tokens: int
    finish_reason: str


@dataclass(frozen=True)
class CompletionResult:
    """Suggestions, best first and all different, and what they cost."""

    suggestions: tuple[Suggestion, ...]
    prompt_tokens: int
    cached_tokens: int
    timings: "Timings"


def complete(
    engine: "Engine",
    cursor: Cursor,
    options: "GenerateOptions",
    *,
    limits: WindowLimits | None = None,
    layout: FimLayout = FimLayout.FRAGMENT_AFTER_MIDDLE,
    cancel: "Cancellation | None" = None,
    give_up: Callable[[], bool] | None = None,
) -> CompletionResult:
    """Complete at `cursor`; `options.max_tokens` counts new tokens, without those given back.

    Line ends are the file's. `cancel` ends the work at once, `give_up` once the prompt has been
    read, which keeps it for the next call; either returns what was written until then.
    """
    tokenizer, place = engine.tokenizer, Place.of(cursor)
    room = engine.context_length - options.max_tokens
    prompt = build_prompt(tokenizer, cursor, (limits or WindowLimits()).fitted(room), layout)
    finished = stop_condition(tokenizer, place, len(prompt.align))
    generation = engine.generate(
        prompt.ids,
        replace(options, max_tokens=options.max_tokens + prompt.backed_up),
        cancel=cancel,
        stop=lambda sample, ids: (give_up is not None and give_up()) or finished(sample, ids),
        align=prompt.align,
    )
    line_end = "\r\n" if b"\r\n" in cursor.before + cursor.after else "\n"
    suggestions = [
        _suggestion(engine, completion, prompt, place, options.max_tokens, line_end)
        for completion in generation.completions
    ]
    return CompletionResult(
        suggestions=ranked(suggestions),
        prompt_tokens=generation.prompt_tokens,
        cached_tokens=generation.cached_tokens,
        timings=replace(generation.timings, load_ms=engine.load_ms),
    )


def ranked(suggestions: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """Best first, each text once with its best score; an empty one only where all are empty."""
    best: dict[str, Suggestion] = {}
    for suggestion in sorted(suggestions, key=lambda s: s.score, reverse=True):
        best.setdefault(suggestion.text, suggestion)
    written = tuple(suggestion for text, suggestion in best.items() if text)
    return written or tuple(best.values())


def _suggestion(
    engine: "Engine",
    completion: "Completion",
    prompt: Prompt,
    place: Place,
    max_tokens: int,
    line_end: str,
) -> Suggestion:
    """What one sample has to show: the bytes given back and what nobody wants are left out."""
    tokenizer, ids, reason = engine.tokenizer, completion.ids, completion.finish_reason
    new = len(ids) - _covering(engine, ids, len(prompt.align))
    if new > max_tokens:
        ids, new, reason = ids[: len(ids) - new + max_tokens], max_tokens, "length"
    data = written_bytes(tokenizer, ids)[len(prompt.align) :]
    text = finished_text(whole_characters(data), place, complete=reason == "stop")
    return Suggestion(
        text=text.replace("\n", line_end),
        score=completion.score,
        mean_logprob=completion.mean_logprob,
        tokens=new,
        finish_reason=reason,
    )


def _covering(engine: "Engine", ids: list[int], size: int) -> int:
    """How many of `ids` lie wholly within the first `size` bytes."""
    covered = 0
    for count, id in enumerate(ids):
        covered += len(engine.tokenizer.token_bytes(id))
        if covered > size:
            return count
    return len(ids)
