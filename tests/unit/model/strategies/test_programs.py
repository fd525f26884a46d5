"""Candidates in the sandbox, hostile ones among them."""

import pytest

from midline.model.strategies.examples import Check
from midline.model.strategies.programs import NO_ANSWER, Programs

DOUBLE = "def f(x):\n    return x + x\n"
CHECKS = (Check("f(1)", "2"), Check("f(2)", "5"), Check("f()", "1"), Check("f(3)", ""))


def test_values_errors_and_what_was_expected(programs: Programs) -> None:
    (found,) = programs.observe([DOUBLE], "python", CHECKS)
    assert [each.passed for each in found] == [True, False, False, False]
    assert [each.value for each in found] == ["2", "4", "", "6"]
    assert found[2].outcome == "! TypeError"


@pytest.mark.parametrize(
    "program",
    [
        "while True: pass\n",
        "import os\nos._exit(0)\n",
        "def f(x):\n    while True: pass\n",
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass\n",
    ],
)
def test_one_that_never_ends_or_goes_away_has_no_answer(programs: Programs, program: str) -> None:
    programs.seconds = 0.5
    found, after = programs.observe([program, DOUBLE], "python", CHECKS[:1])
    assert found[0].error == NO_ANSWER
    assert after[0].passed or "SIG_IGN" in program


def test_one_that_wants_all_memory_leaves_its_neighbours_alone(programs: Programs) -> None:
    hungry = "x = 'a' * (1 << 40)\n"
    found, after = programs.observe([hungry, DOUBLE], "python", CHECKS[:1])
    assert found[0].outcome == "! MemoryError"
    assert after[0].passed


def test_a_syntax_error_is_one_for_every_check(programs: Programs) -> None:
    (found,) = programs.observe(["def f(x) return\n"], "python", CHECKS[:2])
    assert [each.outcome for each in found] == ["! SyntaxError"] * 2


def test_examples_that_raise_are_failures(programs: Programs) -> None:
    (found,) = programs.observe([DOUBLE], "python", [Check("f(1)", "1 / 0")])
    assert not found[0].passed
    assert found[0].outcome == "! ZeroDivisionError"


def test_files_of_the_user_are_out_of_reach(programs: Programs) -> None:
    program = f"def f(x):\n    return open({__file__!r}).read()\n"
    (found,) = programs.observe([program], "python", CHECKS[:1])
    assert found[0].outcome in ("! FileNotFoundError", "! PermissionError")


def test_a_stopped_execution_ends(programs: Programs) -> None:
    assert programs.stop is not None
    programs.stop.set()
    (found,) = programs.observe(["while True: pass\n"], "python", CHECKS[:1])
    assert found[0].error == NO_ANSWER


def test_javascript(programs: Programs) -> None:
    import shutil

    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    checks = (Check("f(1)", "{a: [1]}"), Check("f(2)", "1"))
    loops = "function f(x) { while (x > 1); return {a: [x]}; }"
    first, second = programs.observe(
        ["function f(x) { return {a: [x]}; }", loops], "javascript", checks
    )
    assert [each.passed for each in first] == [True, False]
    assert [each.passed for each in second] == [True, False]
    assert "timed out" in second[1].error


def test_nothing_is_started_for_nothing(programs: Programs) -> None:
    assert programs.observe([], "python", CHECKS) == []
    assert programs.executed == 0
