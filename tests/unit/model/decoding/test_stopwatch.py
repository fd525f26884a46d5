"""The times of a batch, and the breaks that do not count."""

from collections.abc import Callable
from pathlib import Path

import pytest
from engine_models import engine, random_ids

from midline.model.decoding import stopwatch
from midline.model.decoding.stopwatch import Stopwatch
from midline.model.engines.base import Request, SamplingOptions


class Breaks:
    """Counts the breaks, and does `work` in each."""

    def __init__(self, step_tokens: int | None, work: Callable[[], None] = lambda: None) -> None:
        self.step_tokens, self.work, self.count = step_tokens, work, 0

    def __call__(self) -> None:
        self.count += 1
        self.work()


def test_breaks_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: now[0])

    def spend(seconds: float) -> None:
        now[0] += seconds

    watch = Stopwatch(Breaks(None, lambda: spend(5.0)))
    with watch.timed("prefill"):
        spend(1.0)
        watch.take_break()
        spend(1.0)
    with watch.timed("decode"):
        watch.take_break()
        spend(0.5)
    watch.computed, watch.decoded = 100, 10
    found = watch.timings()
    assert (found.prefill_ms, found.decode_ms) == (2000.0, 500.0)
    assert (found.prefill_tokens_per_second, found.decode_tokens_per_second) == (50.0, 20.0)


def test_without_breaks_nothing_is_called() -> None:
    Stopwatch(None).take_break()


@pytest.mark.parametrize(("most", "prefills"), [(None, 1), (64, 7), (100, 4), (400, 1)])
def test_a_prompt_is_computed_in_pieces_between_breaks(
    tiny_qwen2: Path, most: int | None, prefills: int
) -> None:
    alone, other = engine(tiny_qwen2), engine(tiny_qwen2)
    other.breaks = breaks = Breaks(most)
    alone.tokenizer.end_tokens = other.tokenizer.end_tokens = frozenset()
    request, options = Request(random_ids(400, seed=4)), SamplingOptions(max_tokens=3)
    found = other.generate(request, options)
    assert breaks.count == prefills + 2
    if prefills == 1:
        assert found.completions[0].ids == alone.generate(request, options).completions[0].ids
    assert other.cached_tokens([*request.prompt, 1]) == 400


@pytest.mark.parametrize(
    ("wanted", "most", "count"), [(None, None, 1), (64, None, 7), (None, 100, 4), (64, 100, 7)]
)
def test_so_is_what_is_read_ahead(
    tiny_qwen2: Path, wanted: int | None, most: int | None, count: int
) -> None:
    made = engine(tiny_qwen2)
    made.breaks = breaks = Breaks(most)
    assert made.prefill(random_ids(400, seed=5), step_tokens=wanted).is_complete
    assert breaks.count == count


def test_a_break_may_call_the_engine(tiny_qwen2: Path) -> None:
    made = engine(tiny_qwen2)
    made.tokenizer.end_tokens = frozenset()
    request, options = Request(random_ids(50, seed=6)), SamplingOptions(max_tokens=10)
    within = Request(random_ids(30, seed=7))
    for _ in range(2):  # later, the prompts are in the cache
        alone = [made.generate(r, options).completions[0].ids for r in (request, within)]
    texts: list[list[int]] = []

    def work() -> None:
        made.breaks = None
        texts.append(made.generate(within, options).completions[0].ids)
        made.breaks = breaks

    made.breaks = breaks = Breaks(None, work)
    assert made.generate(request, options).completions[0].ids == alone[0]
    assert texts == [alone[1]] * breaks.count and breaks.count == 10
