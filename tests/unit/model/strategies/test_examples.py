"""Examples as they stand in prompts."""

import pytest

from midline.model.strategies.examples import Check, find_comparisons, find_examples

JAVASCRIPT = """/**
 * Doubles.
 * > twice(2)
 * 4
 * > twice([1, 2])
 * [2, 4]
 */
function twice(x) {
"""


def test_doctests_with_values_of_several_lines_and_a_blank_before_the_bracket() -> None:
    text = 'def f(x):\n    """\n    >>> f (1)\n    2\n    >>> f(2)\n    [1,\n     2]\n    """\n'
    assert find_examples(text, "python", "f") == (Check("f (1)", "2"), Check("f(2)", "[1,\n2]"))


def test_a_javascript_console() -> None:
    found = find_examples(JAVASCRIPT, "javascript", "twice")
    assert found == (Check("twice(2)", "4"), Check("twice([1, 2])", "[2, 4]"))


@pytest.mark.parametrize(
    ("line", "check"),
    [
        ("assert f([1, 2], 'a)') == [1]  # yes", Check("f([1, 2], 'a)')", "[1]")),
        ("For example, f(3) returns 4.", Check("f(3)", "4")),
        ("f(1) == -2.5", Check("f(1)", "-2.5")),
        ("`f('a') == 'b'`", Check("f('a')", "'b'")),
        ("f(2) // => {a: 1}", Check("f(2)", "{a: 1}")),
        ("f(2) === true;", Check("f(2)", "true")),
        ("f(1) → (1, 2)", Check("f(1)", "(1, 2)")),
    ],
)
def test_comparisons(line: str, check: Check) -> None:
    assert list(find_comparisons(line, "f")) == [check]


@pytest.mark.parametrize("line", ["def f(x) == 1", "g(1) == 2", "f(1", "f(1) and more", "f(1) == "])
def test_what_is_no_comparison(line: str) -> None:
    assert list(find_comparisons(line, "f")) == []


def test_examples_are_read_once_and_only_of_the_function_that_is_asked_for() -> None:
    text = ">>> f(1)\n2\n>>> f(1)\n2\n>>> g(1)\n3\n>>> f(\n4\n"
    assert find_examples(text, "python", "f") == (Check("f(1)", "2"),)


def test_a_prompt_without_examples_has_none() -> None:
    assert find_examples("def f(x):\n    pass\n", "python", "f") == ()
