"""The engine's side of a live completion: plan, prefill, decode, and what of it may be shown."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from midline.model.completion.confidence import TokenConfidence, is_hopeless
from midline.model.completion.stopping import WrittenText
from midline.model.completion.whole_ends import whole_ends
from midline.server.lsp.live_completion import LiveCompletion
from midline.server.lsp.prompt_window import Plan, Window, WindowPlanner
from midline.server.lsp.settings import Settings

if TYPE_CHECKING:
    from midline.model.completion.ranking import Suggestion
    from midline.model.completion.task import CompletionTask
    from midline.model.engines.base import DrawnToken, Engine, SamplingOptions

LOGGER = logging.getLogger(__name__)
_BLANK_TOKENS = 16
"""A completion that is only white space ends after this many tokens."""


def write(
    engine: "Engine",
    planner: WindowPlanner,
    live: LiveCompletion,
    *,
    is_ahead: bool = False,
    plan: Plan | None = None,
) -> None:
    """Write `live` from the window that there is time for, until it is over or abandoned.

    `is_ahead` tells that the person is not there yet; `plan` has the windows if they are known.
    """
    plan = live.plan = plan or planner.plan(engine, live.snapshot, is_kept=not is_ahead)
    if live.by_hand:
        _write_by_hand(engine, plan.window, live)
    else:
        _write_along(engine, plan.window, live)
    result = live.result
    assert result is not None
    read = result.prompt_tokens - result.cached_tokens
    planner.tokens_read += read
    if not live.stale:
        planner.speed.learn(read, result.timings.prefill_ms / 1000)
    LOGGER.info(
        "%s: %d prompt tokens%s, %d cached, prefill %.0f ms, decode %.0f ms%s%s",
        live.uri,
        result.prompt_tokens,
        "" if plan.is_whole else f" of {len(plan.wanted.prompt.ids)}",
        result.cached_tokens,
        result.timings.prefill_ms,
        result.timings.decode_ms,
        ", ahead" if is_ahead else ", at a pause" if live.at_pause else "",
        ", given up" if live.stale else "",
    )


def write_ahead(
    engine: "Engine", planner: WindowPlanner, lives: tuple[LiveCompletion, ...]
) -> None:
    """Write completions of places that the person is expected to come to, until abandoned.

    The line below the first place is not written where the first completion has text for it.
    """
    for number, live in enumerate(lives):
        if number and _has_the_line(lives[0], live):
            return
        if live.stale:
            continue
        try:
            write(engine, planner, live, is_ahead=True)
        finally:
            live.finish()


def write_at_pause(
    engine: "Engine",
    planner: WindowPlanner,
    live: LiveCompletion,
    is_over: Callable[[], bool],
) -> None:
    """Write `live` by the pause model; its prompt is read in steps, each of which is kept.

    It is abandoned if it `is_over`, asked between two steps, before there is an answer.
    """
    plan = planner.plan(engine, live.snapshot)
    if not planner.read_ahead(engine, plan.window, is_over) or is_over():
        live.abandon()
        return
    write(engine, planner, live, plan=plan)


def _has_the_line(above: LiveCompletion, below: LiveCompletion) -> bool:
    """Whether the completion of a place has text for a place behind it."""
    typed = below.snapshot.document.text[above.snapshot.offset : below.snapshot.offset]
    return above.goes_on_behind(typed)


def _write_by_hand(engine: "Engine", window: Window, live: LiveCompletion) -> None:
    """Write several ranked samples, for a completion requested by hand."""
    from midline.model.completion.complete import complete

    live.result = complete(
        engine,
        window.cursor,
        _options(live.snapshot.settings, by_hand=True),
        limits=window.limits,
        prompt=window.prompt,
        cancel=live.flag,
    )
    live.publish(tuple(offer for offer in live.result.suggestions if offer.text))


def _write_along(engine: "Engine", window: Window, live: LiveCompletion) -> None:
    """Write a greedy completion, or as many as the settings ask for, published line by line."""
    from midline.model.completion.task import completion_tasks
    from midline.model.engines.base import Request

    options = _options(live.snapshot.settings, by_hand=False)
    task, *_ = completion_tasks(
        engine, window.cursor, options, window.limits, insist=False, prompt=window.prompt
    )
    writing = _Writing(task, live)
    prompt = task.prompt
    generation = engine.generate(
        Request(prompt.ids, prompt.align, writing.stop),
        replace(task.options, max_tokens=options.max_tokens + prompt.backed_up),
        cancel=live.flag,
        on_token=writing.take,
    )
    live.result = task.result(generation, is_cut=writing.is_cut)
    is_stopped = writing.is_cut or generation.completions[0].finish_reason != "stop"
    offers = [offer for offer in live.result.suggestions if offer.text]
    _publish(live, task, offers, is_stopped=is_stopped)


def _publish(
    live: LiveCompletion,
    task: "CompletionTask",
    offers: "list[Suggestion]",
    *,
    is_stopped: bool = False,
) -> None:
    """Offer texts, and where confidence may cut the first of them; `is_stopped` tells that the
    model did not end what it has written.
    """
    if not (offers and live.tokens):
        live.publish(tuple(offers))
        return
    text = offers[0].text
    is_cut = is_stopped and _size(text) >= _size(live.written)
    live.publish(tuple(offers), whole_ends(text, task.around, is_cut=is_cut))


def _size(text: str) -> int:
    """Characters without white space, in which a shown text differs from what was written."""
    return sum(not character.isspace() for character in text)


class _Writing:
    """What `stop` is asked of a live completion: whether it is over, and what to publish."""

    def __init__(self, task: "CompletionTask", live: LiveCompletion) -> None:
        self._task, self._live = task, live
        self._text = WrittenText(task.engine.tokenizer, len(task.prompt.align))
        self.is_cut = False
        """Whether it was ended because nothing more could be shown."""
        self._lines = 0
        self._logprobs: list[float] = []
        self._logprob = 0.0

    def take(self, token: "DrawnToken") -> None:
        """Keep how likely each token of the first sample is."""
        if token.sample == 0:
            self._logprobs.append(token.conditional)

    def stop(self, sample: int, ids: list[int]) -> bool:
        """After each token: whether the completion is over, or not what is being typed."""
        live, task = self._live, self._task
        if sample > 0:
            return task.stop(sample, ids)
        text = self._written(ids)
        if not live.agrees(live.typed):
            return True
        over = task.stop(sample, ids)
        if not over and self._is_in_vain(text, ids):
            over = self.is_cut = True
        if not over and self._may_be_shown(text):
            offer = task.beginning(text, len(ids))
            if offer is not None:
                _publish(live, task, [offer])
        return over

    def _written(self, ids: list[int]) -> str:
        """The text so far, which the live completion gets together with its tokens."""
        live, task = self._live, self._task
        text = self._text.of(ids)
        if live.is_gated and task.options.samples == 1:
            # A token that ends within a character ends where the next one does.
            self._logprob += self._logprobs[-1] if len(self._logprobs) == len(ids) else 0.0
            if not live.tokens or len(text) > live.tokens[-1].end:
                live.tokens = (*live.tokens, TokenConfidence(len(text), self._logprob))
                self._logprob = 0.0
        live.written = text
        return text

    def _is_in_vain(self, text: str, ids: list[int]) -> bool:
        """Whether nothing more can be shown: it would be too unlikely, or is only white space."""
        live = self._live
        if not text.strip():
            return len(ids) >= self._task.prompt.backed_up + _BLANK_TOKENS
        return bool(live.tokens) and is_hopeless(live.tokens, len(live.typed), live.gate)

    def _may_be_shown(self, text: str) -> bool:
        """Whether a line more is whole, or somebody waits for what is whole of the first one."""
        lines = text.count("\n")
        more, self._lines = lines > self._lines and text.strip() != "", lines
        return more or (self._live.is_overdue and not self._live.offers)


def _options(settings: Settings, *, by_hand: bool) -> "SamplingOptions":
    """What to draw: several where one is asked for by hand, unless all would be the same.

    The likeliest is among them where no temperature is set.
    """
    from midline.model.engines.base import NativeOptions, SamplingOptions

    samples = max(settings.samples, settings.alternatives) if by_hand else settings.samples
    return SamplingOptions.chosen(
        1 if settings.temperature == 0 else samples,
        settings.temperature,
        max_tokens=settings.max_tokens_by_hand if by_hand else settings.max_tokens,
        engine=NativeOptions(exact=settings.exact, sparsity=settings.sparsity),
    )
