"""Executing completed programs: verdicts, and what is executed only once."""

from pathlib import Path

from mbxp_programs import require_sandbox

from midline.benchmarks.mbxp.results import RESULTS
from midline.benchmarks.quality.infilling.execution import sample, statuses
from midline.benchmarks.quality.infilling.tasks import Infilling
from midline.model.sandbox import choose

TEST = "def check(candidate):\n    assert candidate(2) == 4\n"


def task(number: int) -> Infilling:
    before, after = "def double(x):\n    ", "\n    return y\n"
    return Infilling(f"task/{number}", "single-line", "double", before, "y = 2 * x", after, TEST)


def test_the_program_is_the_file_with_the_completion_and_its_test() -> None:
    program = sample(task(0), "y = 3")
    assert program.task.prompt + program.completion == "def double(x):\n    y = 3\n    return y\n"
    assert (program.task.language, program.task.entry_point) == ("python", "double")


def test_right_wrong_and_broken_answers_are_told_apart_and_executed_once(tmp_path: Path) -> None:
    require_sandbox()
    tasks = [task(number) for number in range(5)]
    answers = ["y = 2 * x", "y = 3 * x", "y = (", "", "y = 2 * x"]
    expected = ["pass", "wrong", "compile_error", "runtime_error", "pass"]
    assert statuses(tasks, answers, choose(), tmp_path) == expected
    recorded = (tmp_path / RESULTS).read_bytes()
    assert recorded.count(b"\n") == 4
    assert statuses(tasks, answers, choose(), tmp_path) == expected
    assert (tmp_path / RESULTS).read_bytes() == recorded


def test_a_verdict_belongs_to_its_program_and_not_to_the_last_run(tmp_path: Path) -> None:
    require_sandbox()
    for answer, expected in (("y = 2 * x", "pass"), ("y = 1", "wrong"), ("y = 2 * x", "pass")):
        assert statuses([task(0)], [answer], choose(), tmp_path) == [expected]
