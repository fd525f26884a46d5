"""Given computing times, and texts that are computed once."""

from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.quality.answers import Answers
from midline.benchmarks.quality.typing.simulation.engine import SimulatedEngine, Speed
from midline.kernels import CancelFlag
from midline.model.engines.base import DrawnToken, Request, SamplingOptions
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

TEXT = "one two three four five six seven eight"


class Clock:
    """A clock that only counts."""

    now = 0.0

    def sleep(self, seconds: float, *, busy: bool = False) -> None:
        """Count them."""
        self.now += seconds


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("simulated") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


def simulated(tokenizer: Tokenizer, path: Path) -> tuple[SimulatedEngine, Any, Clock]:
    real: Any = FakeEngine(tokenizer, lambda prompt: TEXT)
    clock = Clock()
    return SimulatedEngine(real, Answers(path), clock, Speed(100, 10)), real, clock


def test_prompts_and_tokens_take_their_time(tokenizer: Tokenizer, tmp_path: Path) -> None:
    engine, _, clock = simulated(tokenizer, tmp_path / "known.jsonl")
    prompt = tuple(tokenizer.encode(b"a b c d e f g h i j k l m n o p q r s t u v w x y z " * 4))
    engine.prefill(prompt)
    assert clock.now == pytest.approx(max(len(prompt) / 100, 0.1), rel=0.1)
    assert engine.cached_tokens(prompt) == len(prompt) - 1
    before = clock.now
    found = engine.generate(Request(prompt), SamplingOptions(max_tokens=4))
    assert len(found.completions[0].ids) == 4
    assert clock.now - before == pytest.approx(0.1 + 3 / 10)  # the first comes with the prompt
    assert found.timings.decode_ms == pytest.approx(300)


def test_what_was_written_once_is_not_computed_again(tokenizer: Tokenizer, tmp_path: Path) -> None:
    prompt = tuple(tokenizer.encode(b"x = "))
    options = SamplingOptions(max_tokens=64)

    def text(engine: SimulatedEngine, tokens: int) -> str:
        stop = lambda sample, ids: len(ids) >= tokens  # noqa: E731
        return engine.generate(Request(prompt, stop=stop), options).completions[0].text

    first, real, _ = simulated(tokenizer, tmp_path / "known.jsonl")
    short = text(first, 3)
    again, other, _ = simulated(tokenizer, tmp_path / "known.jsonl")
    assert text(again, 3) == short and text(again, 2) == short[: len(text(again, 2))]
    assert len(real.asked) == 1 and not other.asked
    longer = text(again, 5)  # more than was written: computed from the beginning
    assert longer.startswith(short) and len(other.asked) == 1
    assert text(again, 99) == TEXT


def test_a_cancellation_ends_it_where_the_clock_is(tokenizer: Tokenizer, tmp_path: Path) -> None:
    engine, _, _ = simulated(tokenizer, tmp_path / "known.jsonl")
    flag, taken = CancelFlag(), list[int]()

    def take(token: DrawnToken) -> None:
        taken.append(token.id)
        if len(taken) == 2:
            flag.set()

    request = Request(tuple(tokenizer.encode(b"x = ")))
    options = SamplingOptions(max_tokens=8)
    (found,) = engine.generate(request, options, cancel=flag, on_token=take).completions
    assert (found.finish_reason, found.ids) == ("cancelled", taken)
    begun = engine.generate(Request((1, 2, 3)), options, cancel=flag).completions[0]
    assert (begun.finish_reason, begun.ids) == ("cancelled", [])
