"""The model that writes what was taken out: it stops when it is told to, and the rules decide."""

import pytest
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.quality.infilling.perfect import PerfectEngine, perfect_answers
from midline.benchmarks.quality.infilling.tasks import Infilling
from midline.model.engines.base import Request, SamplingOptions
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("perfect") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


def task(before: str, middle: str, after: str) -> Infilling:
    return Infilling("id", "single-line", "f", before, middle, after, "")


def test_it_writes_the_bytes_given_back_and_the_text(tokenizer: Tokenizer) -> None:
    engine = PerfectEngine(tokenizer)
    engine.text = "turn x"
    (completion,) = engine.generate(Request([1], b"re"), SamplingOptions()).completions
    assert completion.text == "return x"
    assert completion.finish_reason == "stop"


def test_it_stops_when_it_is_told_to(tokenizer: Tokenizer) -> None:
    engine = PerfectEngine(tokenizer)
    engine.text = "abcdefgh" * 4
    stopped = engine.generate(Request([1], stop=lambda sample, ids: len(ids) == 3))
    assert len(stopped.completions[0].ids) == 3


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_line_that_the_rules_keep_comes_back(tokenizer: Tokenizer, by_hand: bool) -> None:
    kept = task("def f(x):\n    ", "y = 2 * x", "\n    return y\n")
    assert perfect_answers(tokenizer, [kept], by_hand=by_hand) == ["y = 2 * x"]


def test_a_text_that_runs_on_is_cut_by_the_rules(tokenizer: Tokenizer) -> None:
    one = task("def f(x):\n    ", "y = 2 * x", "\n    return y\n")
    assert perfect_answers(tokenizer, [one], by_hand=True, run_on=200) == ["y = 2 * x"]
