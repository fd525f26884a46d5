"""Completions at random places of the own files, by the real engine on a tiny model."""

import random
from pathlib import Path

import pytest
from tiny_model import QWEN2, write_tiny_model

from midline.model.completion import complete
from midline.model.engine import Engine, GenerateOptions
from midline.model.fim import FimLayout, WindowLimits
from midline.server.documents import Document, from_bytes

ROOT = Path(__file__).resolve().parent.parent.parent.parent
SUFFIXES = {".py", ".cpp", ".h", ".inc", ".md", ".toml", ".lua", ".js"}
PLACES = 80


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("fuzz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIDLINE_HOME", str(folder))
        return Engine.load(write_tiny_model(folder / "tiny.gguf", QWEN2, context=2048))


def sources() -> list[Path]:
    rooms = ("kernels", "model", "server", "editor-clients", "tests")
    found = (path for room in rooms for path in (ROOT / room).rglob("*"))
    return sorted(path for path in found if path.suffix in SUFFIXES and path.is_file())


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_any_place_is_completed_within_the_limits(engine: Engine, line_end: str) -> None:
    dice, files = random.Random(line_end), sources()
    for _ in range(PLACES):
        text = from_bytes(dice.choice(files).read_bytes()).replace("\n", line_end)
        offset = dice.randint(0, len(text))
        limits = WindowLimits(dice.choice([0, 16, 64, 300]), dice.choice([0, 8, 64]))
        options = GenerateOptions(
            samples=dice.choice([1, 3]), max_tokens=dice.choice([1, 3, 12]), temperature=1.5
        )
        result = complete(
            engine,
            Document("file:///a.py", text).cursor(offset, limits),
            options,
            limits=limits,
            layout=dice.choice(list(FimLayout)),
        )
        budget = limits.prefix_tokens + limits.suffix_tokens + limits.fragment_bytes + 40
        assert 0 < result.prompt_tokens <= budget
        assert 1 <= len(result.suggestions) <= options.samples
        for suggestion in result.suggestions:
            assert suggestion.tokens <= options.max_tokens
            assert suggestion.finish_reason in ("stop", "length")
            assert line_end == "\r\n" or "\r" not in suggestion.text
            suggestion.text.encode()
