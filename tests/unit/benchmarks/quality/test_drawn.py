"""An engine that keeps what was drawn: what it computes again after a change of rules."""

from pathlib import Path

import pytest
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.quality.answers import Answers
from midline.benchmarks.quality.drawn import DrawnEngine
from midline.model.engines.base import Engine, Request, SamplingOptions, Stop
from midline.model.engines.load import load_engine

OPTIONS = SamplingOptions(max_tokens=12)
SAMPLED = SamplingOptions(samples=3, max_tokens=12, temperature=1.0)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return load_engine(str(write_tiny_model(tmp_path_factory.mktemp("drawn") / "t.gguf", QWEN2)))


def after(count: int) -> Stop:
    return lambda sample, ids: len(ids) >= count


def request(engine: Engine, stop: Stop | None = None) -> Request:
    return Request(engine.tokenizer.encode(b"def double(x):\n    return"), b" ", stop)


@pytest.mark.parametrize("options", [OPTIONS, SAMPLED])
def test_what_is_known_is_what_was_drawn(
    tiny: Engine, tmp_path: Path, options: SamplingOptions
) -> None:
    expected = tiny.generate(request(tiny), options).completions
    for count in (1, 0):
        engine = DrawnEngine(tiny, Answers(tmp_path / "drawn.jsonl"))
        found = engine.generate(request(tiny), options).completions
        assert engine.drawn == count
        for one, other in zip(found, expected, strict=True):
            assert (one.ids, one.text) == (other.ids, other.text)
            assert (one.finish_reason, one.score) == (other.finish_reason, other.score)


def test_an_earlier_end_cuts_and_a_later_one_draws_again(tiny: Engine, tmp_path: Path) -> None:
    whole = tiny.generate(request(tiny), OPTIONS).completions[0].ids
    engine = DrawnEngine(tiny, Answers(tmp_path / "drawn.jsonl"))
    for count, drawn in ((6, 1), (6, 1), (4, 1), (8, 2), (3, 2), (99, 3), (8, 3)):
        completion = engine.generate(request(tiny, after(count)), OPTIONS).completions[0]
        assert completion.ids == whole[:count]
        assert engine.drawn == drawn
        assert completion.finish_reason == ("stop" if count < len(whole) else "length")


def test_a_rule_is_asked_in_order_and_never_twice(tiny: Engine, tmp_path: Path) -> None:
    asked: list[int] = []

    def noting(sample: int, ids: list[int]) -> bool:
        asked.append(len(ids))
        return len(ids) >= 9

    path = tmp_path / "drawn.jsonl"
    DrawnEngine(tiny, Answers(path)).generate(request(tiny, after(5)), OPTIONS)
    DrawnEngine(tiny, Answers(path)).generate(request(tiny, noting), OPTIONS)
    assert asked == sorted(set(asked)) and asked[-1] == 9


def test_only_unknown_requests_of_a_batch_are_drawn(tiny: Engine, tmp_path: Path) -> None:
    engine = DrawnEngine(tiny, Answers(tmp_path / "drawn.jsonl"))
    other = Request(tiny.tokenizer.encode(b"x = y"))
    engine.generate(other, OPTIONS)
    both = engine.batch([request(tiny), other], OPTIONS)
    assert engine.drawn == 2
    assert [g.completions[0].ids for g in both] == [
        tiny.generate(one, OPTIONS).completions[0].ids for one in (request(tiny), other)
    ]


def test_more_tokens_than_were_asked_for_are_drawn(tiny: Engine, tmp_path: Path) -> None:
    engine = DrawnEngine(tiny, Answers(tmp_path / "drawn.jsonl"))
    engine.generate(request(tiny), OPTIONS)
    more = engine.generate(request(tiny), SamplingOptions(max_tokens=30)).completions[0]
    assert engine.drawn == 2 and len(more.ids) > 12
