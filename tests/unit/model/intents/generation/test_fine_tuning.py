"""A tiny model learns the strings it is shown, and writes the same ones from the same seed."""

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("torch", reason="fine-tuning needs torch and transformers")

from midline.model.intents.generation.fine_tuning import (
    FineTunedGenerator,
    Recipe,
    _ids,
    _loss,
    fine_tune,
)
from midline.model.intents.utterance import Slot, Utterance

EXAMPLES = [Utterance("play tune", "play", (Slot("song", 5, 9),)), Utterance("stop", "halt")]
FEW, MANY = (Recipe(epochs=epochs, rate=3e-3, bfloat16=False) for epochs in (1, 30))


def _loss_of(found: FineTunedGenerator) -> float:
    return float(_loss(found.model, [_ids(found.tokenizer, u) for u in EXAMPLES], False).detach())


def _lines(found: FineTunedGenerator, seed: int) -> dict[str, list[str]]:
    written: dict[str, list[str]] = {}
    found.lines({u.intent: [u] for u in EXAMPLES}, seed, written.__setitem__)
    return written


@pytest.fixture(scope="module")
def hardly_trained(request: Any) -> FineTunedGenerator:
    found = fine_tune(request.getfixturevalue("tiny_llama"), EXAMPLES, FEW, 0)
    return replace(found, samples=4, max_tokens=12)


@pytest.fixture(scope="module")
def trained(request: Any) -> FineTunedGenerator:
    return replace(fine_tune(request.getfixturevalue("tiny_llama"), EXAMPLES, MANY, 0), samples=4)


def test_what_it_is_shown_becomes_likely(
    trained: FineTunedGenerator, hardly_trained: FineTunedGenerator
) -> None:
    assert _loss_of(trained) < 0.5 * _loss_of(hardly_trained)


def test_lines_begin_with_their_intent_and_are_those_of_the_seed(
    hardly_trained: FineTunedGenerator,
) -> None:
    lines = _lines(hardly_trained, 1)
    assert {intent: len(own) for intent, own in lines.items()} == {"play": 4, "halt": 4}
    assert all(line.startswith(f"(({i})) ") for i, own in lines.items() for line in own)
    assert not any("\n" in line for own in lines.values() for line in own)
    assert lines == _lines(hardly_trained, 1) != _lines(hardly_trained, 2)


def test_a_line_that_is_learned_is_written(trained: FineTunedGenerator) -> None:
    assert "((halt)) stop" in _lines(trained, 1)["halt"]
