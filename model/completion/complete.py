"""Completion at a cursor: prompt, sampling, stopping, trimming and ranking."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from midline.model.completion.fim import Cursor, FimLayout, Prompt, WindowLimits
from midline.model.completion.task import CompletionResult, CompletionTask, completion_tasks
from midline.model.decoding.request import Request

if TYPE_CHECKING:
    from midline.model.engines.base import (
        Cancellation,
        Engine,
        Generation,
        SamplingOptions,
    )


def complete(
    engine: "Engine",
    cursor: Cursor,
    options: "SamplingOptions",
    *,
    limits: WindowLimits | None = None,
    layout: FimLayout = FimLayout.FRAGMENT_AFTER_MIDDLE,
    cancel: "Cancellation | None" = None,
    insist: bool = True,
    prompt: Prompt | None = None,
) -> CompletionResult:
    """Complete at `cursor`; `options.max_tokens` counts new tokens, without those that repeat
    `Prompt.align`.

    Line ends and indentation are the file's. `cancel` ends the work at once and returns what was
    written until then. `insist` asks for a line above the cursor's where that one lacks nothing; a
    request that nobody made by hand is better answered with silence there. `prompt` is one for this
    cursor that was built before.
    """
    result = None
    tasks = completion_tasks(engine, cursor, options, limits, layout, insist=insist, prompt=prompt)
    for task in tasks:
        generation = engine.generate(
            Request(task.prompt.ids, task.prompt.align, task.stop),
            replace(task.options, max_tokens=options.max_tokens + task.prompt.backed_up),
            cancel=cancel,
        )
        result = _joined(result, task.result(generation))
        if not result.is_empty or (cancel and cancel.is_set()):
            break
    assert result is not None  # there is always a first task
    return result


def complete_many(
    engine: "Engine",
    cursors: Sequence[Cursor],
    options: "SamplingOptions",
    *,
    limits: WindowLimits | None = None,
    layout: FimLayout = FimLayout.FRAGMENT_AFTER_MIDDLE,
    insist: bool = True,
) -> list[CompletionResult]:
    """What `complete` gives for each of `cursors`, decoded together; timings are the batch's."""
    plans = [
        completion_tasks(engine, cursor, options, limits, layout, insist=insist)
        for cursor in cursors
    ]
    results: list[CompletionResult | None] = [None] * len(plans)
    while waiting := [
        number
        for number, plan in enumerate(plans)
        if plan and ((result := results[number]) is None or result.is_empty)
    ]:
        # What is drawn alike is drawn together.
        drawn = plans[waiting[0]][0].options
        chosen = [number for number in waiting if plans[number][0].options == drawn]
        tasks = [plans[number].pop(0) for number in chosen]
        generations = _together(engine, tasks, drawn)
        for number, task, generation in zip(chosen, tasks, generations, strict=True):
            results[number] = _joined(results[number], task.result(generation))
    return [result for result in results if result is not None]


def _together(
    engine: "Engine", tasks: Sequence[CompletionTask], options: "SamplingOptions"
) -> "list[Generation]":
    prompts = [task.prompt for task in tasks]
    backed_up = max(prompt.backed_up for prompt in prompts)
    return engine.batch(
        [Request(task.prompt.ids, task.prompt.align, task.stop) for task in tasks],
        replace(options, max_tokens=options.max_tokens + backed_up),
    )


def _joined(first: CompletionResult | None, second: CompletionResult) -> CompletionResult:
    """The result of the second task, or of the first if that is empty, with the cost of both.

    What the first one left in the prefix cache does not count as found there.
    """
    if first is None:
        return second
    one, other = first.timings, second.timings
    timings = replace(
        other,
        prefill_ms=one.prefill_ms + other.prefill_ms,
        decode_ms=one.decode_ms + other.decode_ms,
    )
    chosen = first if second.is_empty else second
    cached = min(first.cached_tokens, chosen.prompt_tokens)
    return replace(chosen, timings=timings, cached_tokens=cached)
