"""Whatever a model prefers, its answer has the form, and its slots are words of the sentence."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from midline.benchmarks.quality.intents import zero_shot
from midline.benchmarks.quality.intents.zero_shot import ConstrainedAnswer, ZeroShot, instructions
from midline.model.engines.native.engine import NativeEngine
from midline.model.intents.schema import INTENTS, SLOTS
from midline.model.intents.words import words_of
from midline.model.runtime.kv_cache import Sequence as Cached


@pytest.fixture
def engine(tiny_qwen2: Path) -> Iterator[NativeEngine]:
    loaded = NativeEngine.load(str(tiny_qwen2), threads=1)
    yield loaded
    loaded.close()


def test_every_label_is_explained() -> None:
    assert tuple(zero_shot.INTENTS) == INTENTS and tuple(zero_shot.SLOTS) == SLOTS
    assert all(f"- {name}: " in instructions() for name in (*INTENTS, *SLOTS))


def test_a_choice_is_one_of_the_texts_and_is_appended(engine: NativeEngine) -> None:
    answer = ConstrainedAnswer(engine, Cached())
    answer.write("def")
    texts = ["return.", "raise.", "rename."]
    number, shares = answer.choose(texts)
    assert 0 <= number < 3 and sum(shares.values()) <= 1 + 1e-6
    answer.choose(["!"])
    written = engine.tokenizer.decode(answer.sequence.tokens)
    assert written == "def" + texts[number]
    engine.release(answer.sequence)


def test_frames_of_a_model_of_noise_are_frames(
    engine: NativeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zero_shot, "instructions", lambda: "label")
    model = ZeroShot(engine)
    for text in ('rename "foo" to bar', "größe", "", "a b c d e f g h i j k l m n o p q r s t"):
        found = model.predict(text)
        assert found.utterance.intent in INTENTS and 0 <= found.outside <= 1 + 1e-6
        starts = {word.start for word in words_of(text)}
        assert all(slot.start in starts for slot in found.utterance.slots)
        assert found == model.predict(text), "greedy"


def test_the_answer_is_json_that_says_the_frame(engine: NativeEngine) -> None:
    for text in ('rename "foo" to bar', "größe von a", "", "open a b c d e f g h"):
        answer = ConstrainedAnswer(engine, Cached())
        answer.write("label")
        found = zero_shot._frame(answer, text).utterance
        answer.choose(["!"])
        written = engine.tokenizer.decode(answer.sequence.tokens)
        said = json.loads(written.removeprefix("label"))
        assert said["intent"] == found.intent and set(said["slots"]) <= set(SLOTS)
        assert set(found.values()) <= set(said["slots"].items())
        engine.release(answer.sequence)
