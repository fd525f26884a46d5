"""Completions at random places of the own files, by the real engine on a tiny model."""

import random
from pathlib import Path

import pytest
from tiny_model import QWEN2, write_tiny_model

from midline.model.completion.complete import complete
from midline.model.completion.fim import FimLayout, WindowLimits
from midline.model.completion.syntax import language_of, parser
from midline.model.engines.base import SamplingOptions
from midline.model.engines.native.engine import NativeEngine
from midline.server.documents import Document, PositionEncoding, from_bytes

ROOT = Path(__file__).resolve().parents[4]
SUFFIXES = {".py", ".cpp", ".h", ".inc", ".md", ".toml", ".lua", ".js"}
PLACES = 50


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> NativeEngine:
    folder = tmp_path_factory.mktemp("fuzz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIDLINE_HOME", str(folder))
        return NativeEngine.load(write_tiny_model(folder / "tiny.gguf", QWEN2, context=2048))


def sources() -> list[Path]:
    rooms = ("kernels", "model", "server", "editor-clients", "tests")
    found = (path for room in rooms for path in (ROOT / room).rglob("*"))
    return sorted(path for path in found if path.suffix in SUFFIXES and path.is_file())


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_any_place_is_completed_within_the_limits(engine: NativeEngine, line_end: str) -> None:
    dice, files = random.Random(line_end), sources()
    for _ in range(PLACES):
        text = from_bytes(dice.choice(files).read_bytes()).replace("\n", line_end)
        offset = dice.randint(0, len(text))
        limits = WindowLimits(dice.choice([0, 16, 64, 300]), dice.choice([0, 8, 64]))
        options = SamplingOptions(
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


ODD = {
    "surrogate pairs and combining marks": (
        "a.py",
        "x = '😀e\u0301👩\u200d👩\u200d👧 n\u0303'\ny = '👍🏽'\n" * 3,
    ),
    "mixed line ends": ("a.go", "func f() {\r\n\tg()\n\th()\r\n}\r\nfunc k() {\r}\n" * 3),
    "lone carriage returns": ("a.py", "def f():\r    return 1\r\rx = f()\r" * 3),
    "tabs and spaces": (
        "a.c",
        "int f() {\n\ta();\n    b();\n \t c();\n  \tif (d) {\n\t\t}\n}\n" * 3,
    ),
    "invalid UTF-8": (
        "a.rb",
        "x = '\udce9\udcff'\n\udc80\udc80 = \udcc3\ny = '\udcf0\udc9f'\n" * 3,
    ),
    "zero bytes": ("a.js", "var x = '\0';\n\0\0\nvar y = 2;\n" * 3),
    "one long line": ("a.js", "f(a, [b, {c: 'd'}]);" * (2 << 20 >> 4)),
    "one long line without a grammar": ("a.weird", "f(a, [b, {c: 'd'}]) " * (2 << 20 >> 4)),
    "no known language": ("a.xyz", "begin thing\n  thing -> other;\nend\n" * 3),
    "no name": ("", "def f(x):\n    return x\n" * 3),
    "only white space": ("a.py", " \t \n\n\r\n   \n"),
    "nothing": ("a.py", ""),
}


@pytest.mark.parametrize(("name", "text"), ODD.values(), ids=ODD)
def test_odd_texts_are_completed_anywhere(engine: NativeEngine, name: str, text: str) -> None:
    dice = random.Random(name)
    document = Document(f"file:///{name}" if name else "untitled:1", text)
    limits = WindowLimits(prefix_tokens=64, suffix_tokens=32)
    for offset in {0, len(text), *(dice.randint(0, len(text)) for _ in range(10))}:
        cursor = document.cursor(offset, limits)
        options = SamplingOptions(max_tokens=6, temperature=1.5, seed=offset)
        for layout in FimLayout:
            result = complete(engine, cursor, options, limits=limits, layout=layout)
            for suggestion in result.suggestions:
                suggestion.text.encode()
                check_that_it_fits(name, text, offset, suggestion.text)


def check_that_it_fits(name: str, text: str, offset: int, written: str) -> None:
    """What parsed before parses still."""
    found = parser(language_of(name) or "c")
    if language_of(name) is None or found is None or len(text) > 10_000:
        return
    before = text.encode("utf-8", "surrogateescape")
    after = (text[:offset] + written + text[offset:]).encode("utf-8", "surrogateescape")
    if not found.parse(before).root_node.has_error:
        assert not found.parse(after).root_node.has_error


@pytest.mark.parametrize("units", range(5))
def test_a_cursor_inside_a_surrogate_pair_is_in_front_of_it(
    engine: NativeEngine, units: int
) -> None:
    """The pair is the units 1 and 2 of the line, so 2 points into the middle of it."""
    document = Document("file:///a.py", "'😀e\u0301'\n")
    offset = document.offset(0, units, PositionEncoding.UTF16)
    assert document.text[:offset] == {0: "", 1: "'", 2: "'", 3: "'😀", 4: "'😀e"}[units]
    options = SamplingOptions(max_tokens=4)
    result = complete(engine, document.cursor(offset, WindowLimits()), options)
    assert result.suggestions
