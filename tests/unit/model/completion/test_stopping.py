"""Where completions end, and what around the cursor decides it."""

from dataclasses import replace
from typing import Any

import pytest
from perfect_model import cursor_at
from tiny_model import QWEN2, write_tiny_model

from midline.model.completion.fim import Cursor
from midline.model.completion.insertion_point import InsertionPoint
from midline.model.completion.place import Place, Unit
from midline.model.completion.stopping import (
    WrittenText,
    completion_end,
    stop_condition,
    whole_characters,
    written_bytes,
)
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("stopping") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


def place_at(text: str) -> Place:
    """The place of the `|` in `text`."""
    before, after = text.split("|")
    return Place.of(Cursor(before.encode(), after.encode(), before.count("\n")))


def test_some_ends_need_no_look_ahead() -> None:
    assert completion_end("1;\n", place_at("int x = |")) == 2
    assert completion_end("g();\n", place_at("f() {\n    |")) is None
    assert completion_end("    g();\n}\n", place_at("f() {\n|\n\nh() {\n}")) == 10


@pytest.mark.parametrize("text", ["é", "a你", "x😀", "plain", ""])
def test_unfinished_characters_are_left_out(text: str) -> None:
    data = text.encode()
    for size in range(len(data) + 1):
        shown = whole_characters(data[:size])
        assert text.startswith(shown)
        assert len(shown.encode()) > size - 4
    assert whole_characters(data) == text
    assert whole_characters(data + b"\xff") == text + "\ufffd"


def test_the_stop_condition_follows_each_sample(tokenizer: Tokenizer) -> None:
    stop = stop_condition(tokenizer, place_at("x = |"), 2)
    ids = tokenizer.encode("= value")
    assert not stop(0, ids[:1])
    assert not stop(0, ids)
    assert not stop(1, tokenizer.encode("= v"))
    assert stop(0, [*ids, *tokenizer.encode("\ny =")])
    assert not stop(1, tokenizer.encode("= va"))


def test_markers_end_a_text(tokenizer: Tokenizer) -> None:
    fim = tokenizer.fim
    assert fim is not None
    ids = tokenizer.encode("abc")
    for marker in (fim.prefix, *tokenizer.end_tokens):
        assert stop_condition(tokenizer, place_at("x = |"), 0)(0, [*ids, marker])
        assert written_bytes(tokenizer, [*ids, marker, *ids]) == b"abc"


def test_a_definition_ends_where_it_ends() -> None:
    place = replace(place_at("class A:\n    @property\n    |"), unit=Unit.DEFINITION)
    text = "def f(self):\n        return 1\n    @property\n    def g(self):\n"
    assert completion_end(text, place) == len("def f(self):\n        return 1")


def test_a_paragraph_ends_at_a_blank_line() -> None:
    place = replace(place_at("def f():\n    # sum up\n    |"), unit=Unit.PARAGRAPH)
    text = "a = 1\n    b = 2\n\n    c = 3\n"
    assert completion_end(text, place) == len("a = 1\n    b = 2")


@pytest.mark.parametrize(
    ("language", "line", "over"),
    [
        ("python", "f(x)", True),
        ("python", "(a +", False),
        ("python", "a and", False),
        ("python", "f(x):", False),
        ("go", "f(x)", True),
        ("javascript", "f(x)", False),  # `.then(...)` may follow
    ],
)
def test_a_line_end_ends_a_statement_where_the_language_says_so(
    language: str, line: str, over: bool
) -> None:
    place = replace(place_at("    y|"), language=language)
    assert (completion_end(line + "\n", place) == len(line)) == over


class _Counting:
    """A tokenizer that counts how often a token is decoded."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer, self.decoded = tokenizer, 0
        self.end_tokens, self.is_control = tokenizer.end_tokens, tokenizer.is_control

    def token_bytes(self, id: int) -> bytes:
        self.decoded += 1
        return self.tokenizer.token_bytes(id)


def test_every_token_is_decoded_once(tokenizer: Tokenizer) -> None:
    counting: Any = _Counting(tokenizer)
    ids = tokenizer.encode("value = other + 'é😀' * 20".encode() * 4)
    written = WrittenText(counting, 3)
    for count in range(1, len(ids) + 1):
        data = written_bytes(tokenizer, ids[:count])[3:]
        assert written.of(ids[:count]) == whole_characters(data)
        assert written.of(ids[:count]) == whole_characters(data)
    assert counting.decoded == len(ids)
    assert not written.is_over
    (marker, *_) = tokenizer.end_tokens
    text = written.of([*ids, marker, *ids])
    assert written.is_over and text == whole_characters(written_bytes(tokenizer, ids)[3:])


@pytest.mark.parametrize(("text", "end"), [("do\n  c\n", None), ("do\n  c\ndone\n", 11)])
def test_the_block_of_a_loop_is_open_until_its_last_word(text: str, end: int | None) -> None:
    around = InsertionPoint.of(cursor_at("for a in b; ‸\n", "a.sh"))
    assert completion_end(text, around.place, fits=around.stop_test) == end
