"""Lines and their cuts: where they may be, how they are chosen, what is asked of the engine."""

from dataclasses import replace
from pathlib import Path

import pytest

from midline.benchmarks.mbxp.tasks import Task
from midline.benchmarks.quality.alignment.cases import (
    SETS,
    Layout,
    Line,
    choose_lines,
    cuts,
    is_fit,
    lines_of,
)
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

TASK = Task(
    task_id="MBPP/1",
    language="python",
    prompt='def first(items):\n    """The first."""\n',
    test="",
    entry_point="first",
    canonical_solution="    if items[0]() == 1:  \n        return items[0]\n\n    return None\n",
)
LINE = Line("MBPP/1", "python", "def f(x):\n", "    return items[0]() + self.values", "\n\nf(1)\n")


@pytest.fixture(scope="module")
def tokenizer(tiny_qwen2: Path) -> Tokenizer:
    return Tokenizer.from_gguf(read_gguf(tiny_qwen2))


def task(number: int, language: str) -> Task:
    return replace(TASK, task_id=f"{language}/{number}", language=language)


def test_lines_are_those_of_the_solution() -> None:
    lines = list(lines_of(TASK))
    assert [line.text for line in lines] == [
        "    if items[0]() == 1:", "        return items[0]", "", "    return None",
    ]  # fmt: skip
    whole = TASK.prompt + (TASK.canonical_solution or "")
    assert [line.before + line.text for line in lines[1:2]] == [whole[: whole.find("\n\n")]]
    assert lines[1].after == "\n\n    return None\n"
    assert all(line.before.endswith("\n") for line in lines)


def test_a_line_that_begins_in_the_problem_is_left_out() -> None:
    joined = replace(TASK, prompt="def f():", canonical_solution=" return 1\n  x = 2\n")
    assert [line.text for line in lines_of(joined)] == ["  x = 2"]


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("mid-word", lambda b, a: b[-1].isalpha() and a[0].isalpha()),
        ("punctuation", lambda b, a: b[-1] in "[]()+.0" and a[0] in "[]()+."),
        ("trailing-space", lambda b, a: b.strip() and b[-1] == " " and a[0] != " "),
        ("partial-indent", lambda b, a: b and not b.strip() and a[0] == " "),
        ("full-indent", lambda b, a: b == "    " and a[0] != " "),
    ],
)
def test_places_are_what_their_set_says(name: str, allowed) -> None:
    places = LINE.places(name)
    assert places
    assert all(allowed(LINE.text[:at], LINE.text[at:]) for at in places)


@pytest.mark.parametrize(
    "text", ["return items[0]()", "    return a", "\t\treturn items[0]()", "    größe = f()[0]"]
)
def test_a_line_without_a_place_for_every_set_is_unfit(text: str) -> None:
    assert is_fit(LINE)
    assert not is_fit(replace(LINE, text=text))


def test_lines_are_taken_from_the_languages_in_turn() -> None:
    tasks = [task(n, language) for n in range(9) for language in ("python", "java", "ruby")]
    tasks += [replace(task(99, "php"), canonical_solution="return 1\n")]
    lines = list(choose_lines(tasks, 8, 0))
    assert [line.language for line in lines] == ["java", "python", "ruby"] * 2 + ["java", "python"]
    assert len({line.task_id for line in lines}) == 8
    assert lines == list(choose_lines(tasks[::-1], 8, 0))
    assert lines != list(choose_lines(tasks, 8, 1))


@pytest.mark.parametrize("form", ["fim", "raw"])
def test_layouts_end_at_the_cut(tokenizer: Tokenizer, form: str) -> None:
    layout = Layout(tokenizer, LINE, form)
    assert layout.is_sound
    for at in range(len(LINE.text) + 1):
        for backed_up in (0, 1, 3):
            prompt = layout.prompt(at, backed_up)
            assert prompt.ids[: len(layout.ids)] == layout.ids
            kept = b"".join(map(tokenizer.token_bytes, prompt.ids[len(layout.ids) :]))
            assert kept + prompt.align == LINE.text[:at].encode()
            assert prompt.backed_up <= backed_up
        assert layout.border_before(at) <= at <= layout.border_behind(at)
    suffix = b"".join(map(tokenizer.token_bytes, layout.ids))
    assert (b"f(1)" in suffix) == (form == "fim")


def test_clean_cuts_are_where_tokens_meet_and_all_are_the_same_again(tokenizer: Tokenizer) -> None:
    layout = Layout(tokenizer, LINE, "fim")
    for seed in range(20):
        found = cuts(layout, seed)
        assert tuple(found) == SETS
        assert found["clean"] in layout.borders
        assert all(found[name] in LINE.places(name) for name in SETS if name != "clean")
        assert cuts(layout, seed) == found
    assert len({tuple(cuts(layout, seed).values()) for seed in range(20)}) > 5
