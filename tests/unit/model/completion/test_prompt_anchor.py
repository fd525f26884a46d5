"""Anchored prompts: what stays while text is written near the cursor, and where an anchor ends."""

import random

import pytest
from tiny_model import QWEN2, write_tiny_model

from midline.model.completion.fim import Cursor, Prompt, WindowLimits, build_prompt
from midline.model.completion.prompt_anchor import (
    MOST_LINES,
    PromptAnchor,
    drop_anchor,
    without_closers,
)
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

LIMITS = WindowLimits(prefix_tokens=400, suffix_tokens=60)
HEAD = "import os\n\n\ndef total(items):\n    value = 0\n"
TAIL = "\n    return value\n\n\nprint(total([1]))\n"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("anchor") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


def cursor_in(text: str, at: int) -> Cursor:
    before, after = text[:at].encode(), text[at:].encode()
    return Cursor(before, after, before.count(b"\n"), "a.py")


def at_end_of(head: str, tail: str = TAIL) -> Cursor:
    return cursor_in(head + tail, len(head))


def anchored(tokenizer: Tokenizer, cursor: Cursor) -> PromptAnchor:
    anchor = drop_anchor(tokenizer, cursor, LIMITS)
    assert anchor is not None
    return anchor


def prompt_of(anchor: PromptAnchor, tokenizer: Tokenizer, cursor: Cursor) -> Prompt:
    middle = anchor.middle(cursor)
    assert middle is not None
    return anchor.prompt(tokenizer, middle, LIMITS.backed_up_tokens)


def test_at_its_own_place_it_is_the_prompt_that_is_built_there(tokenizer: Tokenizer) -> None:
    cursor = at_end_of(HEAD + "    for it")
    anchor = anchored(tokenizer, cursor)
    assert prompt_of(anchor, tokenizer, cursor) == build_prompt(tokenizer, cursor, LIMITS)


def test_keys_and_new_lines_only_append(tokenizer: Tokenizer) -> None:
    anchor = anchored(tokenizer, at_end_of(HEAD + "    "))
    written = "    for item in items:\n        value += item\n    print(value)\n    "
    for end in range(4, len(written) + 1):
        cursor = at_end_of(HEAD + written[:end])
        prompt = prompt_of(anchor, tokenizer, cursor)
        assert prompt.ids[: len(anchor.ids)] == anchor.ids
        text = b"".join(map(tokenizer.token_bytes, prompt.ids[len(anchor.ids) :]))
        assert text + prompt.align == written[:end].encode()


@pytest.mark.parametrize("closers", [")", "])", '")', "})", "\n    })", ";"])
def test_closers_that_an_editor_puts_behind_the_cursor_change_nothing(
    tokenizer: Tokenizer, closers: str
) -> None:
    anchor = anchored(tokenizer, at_end_of(HEAD + "    "))
    cursor = at_end_of(HEAD + "    print(", closers + TAIL)
    assert anchor.middle(cursor) == b"    print("
    assert anchored(tokenizer, cursor).suffix == anchor.suffix or "\n" in closers


@pytest.mark.parametrize(
    ("head", "tail"),
    [
        (HEAD.replace("import os", "import sys") + "    x", TAIL),  # text in front of it
        (HEAD + "    x", TAIL.replace("return", "yield")),  # the suffix
        (HEAD + "    x", " + total" + TAIL),  # words between cursor and suffix
        (HEAD, TAIL),  # a line above it
        (HEAD + "\n" * (MOST_LINES + 1), TAIL),
        (HEAD + "x" * 3000, TAIL),
    ],
)
def test_where_it_does_not_hold(tokenizer: Tokenizer, head: str, tail: str) -> None:
    anchor = anchored(tokenizer, at_end_of(HEAD + "    \n    "))
    assert anchor.middle(at_end_of(HEAD + "    \n    x")) is not None
    assert anchor.middle(at_end_of(head, tail)) is None


def test_the_end_of_a_file_is_no_suffix(tokenizer: Tokenizer) -> None:
    anchor = anchored(tokenizer, at_end_of(HEAD, ""))
    assert anchor.suffix == b""
    assert anchor.middle(at_end_of(HEAD + "    f(", ")\n")) == b"    f("
    assert anchor.middle(at_end_of(HEAD + "    f(", "\nreturn\n")) is None


def test_a_prompt_without_suffix_holds_whatever_follows(tokenizer: Tokenizer) -> None:
    anchor = drop_anchor(tokenizer, at_end_of(HEAD), WindowLimits(suffix_tokens=0))
    assert anchor is not None and anchor.suffix is None
    assert anchor.middle(at_end_of(HEAD + "x", "\nother = 1\n")) == b"x"


def test_line_ends_of_the_file_do_not_matter(tokenizer: Tokenizer) -> None:
    unix = anchored(tokenizer, at_end_of(HEAD + "    "))
    dos = at_end_of((HEAD + "    ").replace("\n", "\r\n"), TAIL.replace("\n", "\r\n"))
    assert anchored(tokenizer, dos) == unix
    more = at_end_of((HEAD + "    x = 1\n    y").replace("\n", "\r\n"), TAIL.replace("\n", "\r\n"))
    assert unix.middle(more) == b"    x = 1\n    y"


def test_a_very_long_line_is_anchored_within(tokenizer: Tokenizer) -> None:
    line = "x = [" + "1, " * 2000
    anchor = anchored(tokenizer, cursor_in(line, len(line)))
    assert anchor.column > 0
    middle = anchor.middle(cursor_in(line + "22", len(line) + 2))
    assert middle is not None and middle.endswith(b"1, 22") and len(middle) < 1000


@pytest.mark.parametrize("seed", range(20))
def test_any_edit_gives_the_text_in_front_of_the_cursor_or_nothing(
    tokenizer: Tokenizer, seed: int
) -> None:
    dice = random.Random(seed)
    text = "".join(dice.choices(["a", "é", "\n", "  ", ")", "f(", "你", "\r\n", "x = 1"], k=120))
    at = dice.randint(0, len(text))
    anchor = anchored(tokenizer, cursor_in(text, at))
    for _ in range(40):
        begin = dice.randint(0, len(text))
        end = min(len(text), begin + dice.randint(0, 3))
        new = "".join(dice.choices(["y", "\n", ")", "é"], k=dice.randint(0, 3)))
        edited = text[:begin] + new + text[end:]
        cursor = cursor_in(edited, dice.randint(0, len(edited)))
        middle = anchor.middle(cursor)
        if middle is not None:
            unix = cursor.before.replace(b"\r\n", b"\n")
            assert unix.endswith(anchor.prefix + middle)


def test_a_model_without_fim_tokens_has_no_anchor(tokenizer: Tokenizer) -> None:
    fim, tokenizer.fim = tokenizer.fim, None
    try:
        assert drop_anchor(tokenizer, at_end_of(HEAD), LIMITS) is None
    finally:
        tokenizer.fim = fim


@pytest.mark.parametrize(
    ("after", "left"),
    [
        (b")\nx", b"\nx"),
        (b");\r\nx", b"\r\nx"),
        (b" + y)\nx", b" + y)\nx"),
        (b"", b""),
        (b")", b""),
        (b"\nx", b"\nx"),
    ],
)
def test_closers_behind_the_cursor_are_left_out(after: bytes, left: bytes) -> None:
    assert without_closers(after) == left
