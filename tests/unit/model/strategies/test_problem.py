"""What is read from a prompt."""

import pytest

from midline.model.strategies.problem import Problem, read_problem

PROMPT = 'def double(x):\n    """Twice x.\n    >>> double(2)\n    4\n    """\n'


def test_an_unfinished_function_is_a_program() -> None:
    problem = read_problem(PROMPT, "raw")
    assert (problem.form, problem.language, problem.entry_point) == ("code", "python", "double")
    assert [check.call for check in problem.examples] == ["double(2)"]
    assert problem.can_be_executed


def test_the_last_function_is_the_one_that_is_asked_for() -> None:
    problem = read_problem("def helper(a):\n    return a\n\n\ndef f(x):\n", "raw")
    assert problem.entry_point == "f"


def test_a_request_in_words_names_its_function_by_an_example() -> None:
    problem = read_problem(
        "Write a Python function. >>> add(1, 2) gives\n>>> add(1, 2)\n3\n", "chat"
    )
    assert (problem.form, problem.entry_point) == ("chat", "add")


@pytest.mark.parametrize("prompt", ["reverse a list in Go", "why is the sky blue?"])
def test_what_cannot_be_executed(prompt: str) -> None:
    problem = read_problem(prompt, "chat")
    assert problem == Problem(prompt, "chat")
    assert not problem.can_be_executed


def test_fewer_examples_can_be_executed_than_are_there() -> None:
    assert read_problem(PROMPT, "raw").with_examples(0).examples == ()
