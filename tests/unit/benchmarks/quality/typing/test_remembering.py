"""An engine that remembers: what it computes, what it replays, and where a replay ends."""

import threading
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.quality.answers import Answers
from midline.benchmarks.quality.typing.remembering import RememberingEngine
from midline.model.engines.base import DrawnToken, Request, SamplingOptions
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

OPTIONS = SamplingOptions(max_tokens=20)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("remembering") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


def make(tokenizer: Tokenizer, path: Path, rules: str = "") -> tuple[FakeEngine, RememberingEngine]:
    inner = FakeEngine(tokenizer, lambda prompt: "a + b", conditional=-0.25)
    return inner, RememberingEngine(inner, Answers(path), rules)


def test_a_known_completion_is_replayed_token_by_token(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    request = Request(tokenizer.encode(b"x = "), b"")
    heard: list[list[DrawnToken]] = [[], []]
    found = []
    for tokens in heard:
        inner, engine = make(tokenizer, tmp_path / "known.jsonl")
        found.append(engine.generate(request, OPTIONS, on_token=tokens.append))
    assert inner.asked == []
    assert found[0].completions == found[1].completions
    assert [t.id for t in heard[0]] == [t.id for t in heard[1]] != []
    assert {t.conditional for t in heard[1]} == {-0.25}
    for rules in ("", "others"):
        inner, engine = make(tokenizer, tmp_path / "known.jsonl", rules)
        engine.generate(request, OPTIONS)
        assert len(inner.asked) == (rules == "others")


def test_a_replay_ends_where_it_is_stopped_or_cancelled(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    prompt = tokenizer.encode(b"x = ")
    _, engine = make(tokenizer, tmp_path / "known.jsonl")
    whole = engine.generate(Request(prompt, b"a "), OPTIONS).completions[0]
    seen: list[int] = []

    def stop(sample: int, ids: list[int]) -> bool:
        seen.append(len(ids))
        return True

    found = engine.generate(Request(prompt, b"a ", stop), OPTIONS).completions[0]
    assert found.ids == whole.ids[: seen[0]] and found.finish_reason == "stop"
    assert len(found.text) >= 2  # not before the bytes to align with are written
    cancelled = threading.Event()
    cancelled.set()
    cut = engine.generate(Request(prompt, b"a "), OPTIONS, cancel=cancelled).completions[0]
    assert cut.ids == [] and cut.finish_reason == "cancelled"


def test_what_counts_as_cached_is_what_was_asked_for(tokenizer: Tokenizer, tmp_path: Path) -> None:
    prompt = tokenizer.encode(b"value = other + ")
    for _ in range(2):  # the second time from the file
        _, engine = make(tokenizer, tmp_path / "known.jsonl")
        assert engine.cached_tokens(prompt) == 0
        assert engine.generate(Request(prompt), OPTIONS).cached_tokens == 0
        assert engine.cached_tokens(prompt) == len(prompt) - 1
        assert engine.prefill([*prompt, prompt[0]]).cached_tokens == len(prompt)


def test_what_was_cancelled_is_not_kept(tokenizer: Tokenizer, tmp_path: Path) -> None:
    flag = threading.Event()
    flag.set()
    inner, engine = make(tokenizer, tmp_path / "known.jsonl")
    engine.generate(Request(tokenizer.encode(b"x = ")), OPTIONS, cancel=flag)
    engine.generate(Request(tokenizer.encode(b"x = ")), OPTIONS)
    assert len(inner.asked) == 2
