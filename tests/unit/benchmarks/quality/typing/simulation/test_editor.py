"""The server and its editor on a simulated clock: the same screens in every run."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.quality.answers import Answers
from midline.benchmarks.quality.typing.simulation.clock import SimulatedClock
from midline.benchmarks.quality.typing.simulation.editor import run, simulated_editor
from midline.benchmarks.quality.typing.simulation.engine import SimulatedEngine, Speed
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.lsp.settings import Settings

TEXT = "def f():\n    \n\n\nf()\n"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("editor") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


def typed(tokenizer: Tokenizer, folder: Path, speed: Speed) -> list[tuple[float, str]]:
    """The states of the screen after a key, by the seconds since then."""
    real: Any = FakeEngine(tokenizer, lambda prompt: "eturn 12345")
    clock, states = SimulatedClock(), list[tuple[float, str]]()

    async def type_a_key() -> None:
        engine = SimulatedEngine(real, Answers(folder / "known.jsonl"), clock, speed)
        editor = simulated_editor(engine, clock, Settings(), debounce=0.05, again=0.0)
        await editor.open("untitled:a.py", TEXT, "python")
        await editor.settle()
        editor.jump("untitled:a.py", 13)
        await asyncio.sleep(2)
        pressed = clock.now
        editor.insert("r")
        await asyncio.sleep(5)
        states.extend((state.at - pressed, state.text) for state in editor.screen.states)

    run(clock, type_a_key)
    return states


def test_the_same_keys_show_the_same(tokenizer: Tokenizer, tmp_path: Path) -> None:
    first, again = (typed(tokenizer, tmp_path, Speed(1000, 100)) for _ in range(2))
    assert first == again
    assert [text for _, text in first] == ["", "eturn 12345"]
    assert 0.05 < first[1][0] < 1


def test_a_slower_engine_shows_it_later(tokenizer: Tokenizer, tmp_path: Path) -> None:
    fast, slow = (typed(tokenizer, tmp_path, Speed(100 * n, 10 * n)) for n in (10, 1))
    assert fast[1][1] == slow[1][1] and 3 * fast[1][0] < slow[1][0]
