"""From a cursor to suggestions: what is stripped, what is kept, what is counted."""

import threading
from dataclasses import replace

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.model.completion.complete import complete, complete_many
from midline.model.completion.fim import Cursor, FimLayout, WindowLimits, build_prompt
from midline.model.engines.base import SamplingOptions
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

OPTIONS = SamplingOptions(max_tokens=64)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("completion") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


def cursor_at(text: str, name: str = "") -> Cursor:
    before, after = text.split("|")
    return Cursor(before.encode(), after.encode(), before.count("\n"), name)


@pytest.mark.parametrize("layout", FimLayout)
def test_what_was_given_back_is_not_part_of_the_text(
    tokenizer: Tokenizer, layout: FimLayout
) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "lue\nnext = 1\n")
    result = complete(engine, cursor_at("x = 1\nreturn va|\n"), OPTIONS, layout=layout)
    assert [suggestion.text for suggestion in result.suggestions] == ["lue"]
    assert "return va" not in engine.asked[0]
    assert engine.options[0].max_tokens > OPTIONS.max_tokens


def test_line_ends_are_those_of_the_file(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "a):\n    return a\n")
    result = complete(engine, cursor_at("x = 1\r\ndef f(|\r\n"), OPTIONS)
    assert result.suggestions[0].text == "a):\r\n    return a"
    assert "\r" not in engine.asked[0]


def test_no_more_new_tokens_than_asked_for(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "lue_of_the_quick_brown_fox")
    for most in (1, 2, 5):
        options = SamplingOptions(max_tokens=most)
        suggestion = complete(engine, cursor_at("return va|"), options).suggestions[0]
        assert suggestion.tokens == most
        assert suggestion.finish_reason == "length"
        assert "lue_of_the_quick_brown_fox".startswith(suggestion.text)


def test_samples_are_ranked_and_merged(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "|b|a|b")
    result = complete(engine, cursor_at("x = |"), SamplingOptions(samples=4))
    assert [(s.text, s.mean_logprob) for s in result.suggestions] == [("b", -2.0), ("a", -3.0)]
    assert result.suggestions[0].score > result.suggestions[1].score


def test_an_empty_answer_is_one_when_there_is_no_other(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "||")
    result = complete(engine, cursor_at("x = 1|"), SamplingOptions(samples=3))
    assert [(s.text, s.mean_logprob) for s in result.suggestions] == [("", -1.0)]


def test_a_cancelled_completion_says_so(tokenizer: Tokenizer) -> None:
    cancel = threading.Event()

    def answer(prompt: str) -> str:
        cancel.set()
        return "value"

    result = complete(FakeEngine(tokenizer, answer), cursor_at("x = |"), OPTIONS, cancel=cancel)
    assert [(s.text, s.finish_reason) for s in result.suggestions] == [("", "cancelled")]


def test_a_prompt_that_was_built_before_is_not_built_again(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "1")
    cursor = cursor_at("y = 2\nx = |")
    prompt = build_prompt(tokenizer, replace(cursor, before=b"x = "), WindowLimits())
    assert complete(engine, cursor, OPTIONS, prompt=prompt).prompt_tokens == len(prompt.ids)
    assert engine.asked == [tokenizer.decode(prompt.ids)]


def test_the_window_leaves_room_for_the_answer(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "1", context_length=200)
    text = "value = items[0]\n" * 300
    result = complete(engine, cursor_at(text + "x = |" + text), SamplingOptions(max_tokens=50))
    assert result.prompt_tokens + 50 <= 200
    assert result.prompt_tokens > 100


@pytest.mark.parametrize("most", [150, 200, 20_000])
def test_an_answer_that_may_be_long_leaves_room_for_the_file(
    tokenizer: Tokenizer, most: int
) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "1", context_length=200)
    text = "value = items[0]\n" * 300
    result = complete(engine, cursor_at(text + "x = |" + text), SamplingOptions(max_tokens=most))
    assert 50 < result.prompt_tokens <= 100


def test_costs_are_the_engines(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "1")
    assert complete(engine, cursor_at("x = |"), OPTIONS).cached_tokens == 0
    result = complete(engine, cursor_at("x = |"), OPTIONS)
    assert result.cached_tokens == result.prompt_tokens - 1
    assert result.timings.load_ms == 12.5
    assert result.timings.decode_tokens_per_second == 4.0


def test_bytes_that_are_not_utf8_reach_the_model_unchanged(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "1")
    cursor = Cursor(b"name = 'caf\xe9'\nx = ", b"\n", 1)
    assert complete(engine, cursor, OPTIONS).suggestions[0].text == "1"
    assert "caf\ufffd" in engine.asked[0]


def test_an_unfinished_character_is_left_out(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "'é你'")
    shown = set()
    for most in range(1, 9):
        options = SamplingOptions(max_tokens=most)
        shown.add(complete(engine, cursor_at("x = |"), options).suggestions[0].text)
    assert shown == {"'", "'é", "'é你", "'é你'"}


def test_limits_are_kept(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "1")
    text = "value = items[0]\n" * 300
    limits = WindowLimits(prefix_tokens=40, suffix_tokens=20)
    result = complete(engine, cursor_at(text + "|" + text), OPTIONS, limits=limits)
    assert result.prompt_tokens <= 40 + 20 + 3


def test_indentation_is_that_of_the_file(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "{\n        b();\n    }\nc();\n")
    result = complete(engine, cursor_at("f() {\n\ta();\n\tif (a) |\n}\n", "a.c"), OPTIONS)
    assert result.suggestions[0].text == "{\n\t\tb();\n\t}"


def test_a_completion_does_not_break_a_file_that_parses(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "b();\n    if (c) {\n        d();\n}\n")
    result = complete(engine, cursor_at("int f() {\n    a();\n    |\n}\n", "a.c"), OPTIONS)
    assert result.suggestions[0].text == "b();\n    if (c) {\n        d();\n    }"


def test_in_front_of_a_whole_line_come_lines(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "x = 1\n    y = 2\n")
    cursor = cursor_at("def f():\n    |return x\n", "a.py")
    assert complete(engine, cursor, OPTIONS).suggestions[0].text == "x = 1\n    y = 2\n    "


def test_what_is_missing_in_front_of_the_rest_is_written_there(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "if x")
    cursor = cursor_at("def f():\n    |:\n        return x\n", "a.py")
    assert complete(engine, cursor, OPTIONS).suggestions[0].text == "if x"


@pytest.mark.parametrize(
    ("line", "written", "expected", "questions"),
    [
        ("ret|urn x", "urn x", "", 3),  # the line again
        ("ret|urn x", "urn x|urn y", "urn y\n    ret", 3),  # drawn
        ("ret|urn x", "ries = 3", "ries = 3\n    ret", 2),
        ("a = b |+ c", "+ c", "", 1),  # a line above would begin as this one does
        ("a = b |+ c", "* d", "* d", 1),
    ],
)
def test_a_finished_line_gets_one_above_only_by_insisting(
    tokenizer: Tokenizer, line: str, written: str, expected: str, questions: int
) -> None:
    cursor = cursor_at(f"def f():\n    {line}\n", "a.py")
    engine = FakeEngine(tokenizer, lambda prompt: written)
    assert complete(engine, cursor, OPTIONS).suggestions[0].text == expected
    assert len(engine.asked) == questions
    silent = FakeEngine(tokenizer, lambda prompt: written)
    quiet = complete(silent, cursor, OPTIONS, insist=False).suggestions[0].text
    assert quiet == ("" if line.startswith("ret") else expected)
    assert len(silent.asked) == 1


def test_the_second_question_has_the_line_below_and_both_are_counted(tokenizer: Tokenizer) -> None:
    answers = iter(["urn x", "ries = 3\n"])
    engine = FakeEngine(tokenizer, lambda prompt: next(answers))
    result = complete(engine, cursor_at("def f():\n    ret|urn x\n", "a.py"), OPTIONS)
    assert result.suggestions[0].text == "ries = 3\n    ret"
    assert "return x" in engine.asked[1]
    assert (result.timings.prefill_ms, result.timings.decode_ms) == (2.0, 4.0)


def test_no_more_suggestions_than_asked_for_though_more_are_drawn(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "urn x|urn y|urn z|urn a")
    result = complete(engine, cursor_at("def f():\n    ret|urn x\n", "a.py"), OPTIONS)
    assert [suggestion.text for suggestion in result.suggestions] == ["urn y\n    ret"]
    assert [options.samples for options in engine.options] == [1, 1, 4]


def test_a_line_that_is_not_text_is_not_written_again(tokenizer: Tokenizer) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "")
    complete(engine, Cursor(b"x = '\xe9", b"b'\n", 0, "a.py"), OPTIONS)
    assert len(engine.asked) == 1


def test_many_at_once_are_what_they_are_alone(tokenizer: Tokenizer) -> None:
    texts = ("x = y |", "def f():\n    ret|urn x\n", "def f():\n    |b + c\n", "f(|)\n")
    cursors = [cursor_at(text, "a.py") for text in texts]

    def answer(prompt: str) -> str:
        return "+ c" if "b + c" not in prompt and "+ c" in prompt else "* 2\n"

    alone = [complete(FakeEngine(tokenizer, answer), cursor, OPTIONS) for cursor in cursors]
    together = complete_many(FakeEngine(tokenizer, answer), cursors, OPTIONS)
    assert [r.suggestions[0].text for r in together] == [r.suggestions[0].text for r in alone]
    assert alone[1].suggestions[0].text == "* 2\n    ret"
    assert complete_many(FakeEngine(tokenizer, answer), [], OPTIONS) == []
