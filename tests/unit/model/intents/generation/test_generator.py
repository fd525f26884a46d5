"""Prompts show the examples, and a line ends where the model breaks it."""

from typing import Any

from fake_engine import FakeEngine

from midline.model.intents.generation.generator import MOST_SHOWN, Generator, prompt_text
from midline.model.intents.utterance import Utterance

EXAMPLES = [Utterance(f"play tune {n}", "play") for n in range(20)]


def test_a_prompt_ends_with_the_intent_and_shows_so_many_examples() -> None:
    text = prompt_text("play", EXAMPLES)
    assert text.endswith("\n((play))") and text.count("((play))") == MOST_SHOWN + 1


def test_lines_come_by_intent_without_what_follows_them(qwen2_tokenizer: Any) -> None:
    engine = FakeEngine(qwen2_tokenizer, lambda prompt: " play it\nmore| stop that\n")
    found: dict[str, list[str]] = {}
    Generator(engine, samples=2).lines({"play": EXAMPLES}, 0, found.__setitem__)
    assert found == {"play": ["((play)) play it", "((play)) stop that"]}
