"""Documents: line starts under any edit, positions in three encodings, bytes kept."""

import random
import re
import time

import pytest

from midline.model.completion.fim import WindowLimits
from midline.server.documents import (
    Document,
    PositionEncoding,
    count_units,
    from_bytes,
    to_bytes,
    units_to_length,
)

UTF8, UTF16, UTF32 = PositionEncoding


def starts_by_definition(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text))]


def test_lines_end_as_the_protocol_says() -> None:
    document = Document("u", "a\nb\r\nc\rd\x0ce\u2028f\n")
    assert [document.line(n) for n in range(5)] == ["a", "b", "c", "d\x0ce\u2028f", ""]


def test_edits_keep_the_line_index_right() -> None:
    """Random edits of a text made of line ends agree with a full scan after each."""
    dice = random.Random(7)
    document = Document("u", "")
    for version in range(3000):
        size = len(document.text)
        start = dice.randint(0, size)
        end = dice.randint(start, min(size, start + 4))
        new = "".join(
            dice.choice(["\r", "\n", "\r\n", "a", "é"]) for _ in range(dice.randint(0, 4))
        )
        expected = document.text[:start] + new + document.text[end:]
        document = document.edited(start, end, new, version)
        assert document.text == expected
        assert document.version == version
        assert document.line_starts == starts_by_definition(expected)


def test_an_edit_leaves_the_snapshot_alone() -> None:
    before = Document("u", "one\ntwo\n", version=1)
    after = before.edited(0, 3, "1\n", 2)
    assert (before.text, before.version) == ("one\ntwo\n", 1)
    assert before.line_starts == [0, 4, 8]
    assert after.text == "1\n\ntwo\n"


@pytest.mark.parametrize(
    ("encoding", "columns"), [(UTF8, (0, 1, 3, 7, 8)), (UTF16, (0, 1, 2, 4, 5)), (UTF32, range(5))]
)
def test_columns_in_each_encoding(encoding: PositionEncoding, columns: tuple[int, ...]) -> None:
    line = "xé😀;"
    for length, column in enumerate(columns):
        assert count_units(line[:length], encoding) == column
        assert units_to_length(line, column, encoding) == length
    document = Document("u", f"first\r\n{line}\r\n")
    for length, column in enumerate(columns):
        assert document.offset(1, column, encoding) == 7 + length
        assert document.position(7 + length, encoding) == (1, column)


def test_a_position_inside_a_character_is_before_it() -> None:
    assert units_to_length("a😀b", 2, UTF16) == 1
    assert [units_to_length("a😀b", units, UTF8) for units in (2, 3, 4)] == [1, 1, 1]
    assert units_to_length("a\ud83db", 2, UTF16) == 2


def test_positions_outside_are_the_nearest_inside() -> None:
    document = Document("u", "ab\r\ncd")
    assert document.offset(0, 99, UTF16) == 2
    assert document.offset(9, 0, UTF16) == 6
    assert document.offset(0, -1, UTF16) == 0
    assert document.offset(-1, 5, UTF16) == 0
    assert Document("u", "").offset(0, 3, UTF16) == 0


@pytest.mark.parametrize("data", [b"caf\xe9 = 1\n", "naïve 😀".encode(), b"\xff\xfe\x00", b""])
def test_bytes_survive(data: bytes) -> None:
    assert to_bytes(from_bytes(data)) == data


def test_a_byte_order_mark_is_no_character() -> None:
    assert from_bytes(b"\xef\xbb\xbfx = 1") == "x = 1"


def test_lone_surrogates_from_a_client_do_not_stop_anything() -> None:
    assert to_bytes("a\ud83d") == b"a\xed\xa0\xbd"


def test_typing_in_a_large_document_stays_quick() -> None:
    document = Document("u", "value = 1\n" * 500_000)
    assert len(document.line_starts) == 500_001
    began = time.perf_counter()
    for version in range(10):
        document = document.edited(2_500_000, 2_500_000, "x", version)
    assert document.line_starts[-1] == len(document.text)
    assert (time.perf_counter() - began) / 10 < 0.25


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("file:///home/me/a%20b.py", "a b.py"),
        ("file:///c%3A/x/y.rs", "y.rs"),
        ("vscode-remote://host/x/main.go", "main.go"),
        ("untitled:Untitled-1", ""),
    ],
)
def test_the_name_is_the_files(uri: str, name: str) -> None:
    document = Document(uri, "x = 1")
    assert document.name == name
    assert document.cursor(3, WindowLimits()).name == name


def test_a_cursor_knows_the_editors_language() -> None:
    document = Document("untitled:Untitled-1", "package main\n", "go")
    assert document.cursor(3, WindowLimits()).language == "go"


def test_a_cursor_holds_no_more_than_a_prompt_can_use() -> None:
    document = Document("file:///a.py", "x = 1\n" * 100_000 + "é")
    limits = WindowLimits(prefix_tokens=100, suffix_tokens=10)
    cursor = document.cursor(300_002, limits)
    assert (cursor.fragment, cursor.line) == (b"x ", 50_000)
    assert limits.before_bytes <= len(cursor.before) < limits.before_bytes + 5000
    assert len(document.cursor(300_003, limits).before) == len(cursor.before) + 1
    assert len(cursor.after) == limits.after_bytes
    assert document.cursor(len(document.text), limits).after == b""
