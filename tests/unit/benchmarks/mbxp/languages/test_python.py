"""Python evaluator against the real tools."""

from dataclasses import replace

from mbxp_programs import check_language, judge, judge_tiny, tiny_solution, tiny_task

from midline.benchmarks.mbxp.corrections import PYTHON_TEST_NAMES
from midline.benchmarks.mbxp.languages.python import mended_test
from midline.benchmarks.mbxp.samples import Sample

EARLY_EXIT = "\timport os; os._exit(0)\n"
BROKEN = "\treturn (\n"


def test_right_wrong_early_and_broken_programs() -> None:
    results = check_language("python", EARLY_EXIT, BROKEN)
    assert results[2].uncorrected == "wrong", "the reference evaluator fails it, too"


def test_statuses_of_what_goes_wrong_while_running() -> None:
    raising, failing, nested = judge_tiny(
        "python",
        "\traise KeyError(3)\n",
        "\tassert numbers == []\n\treturn 0\n",
        "\treturn eval('1 +')\n",
    )
    assert (raising.status, raising.exit_code) == ("runtime_error", 1)
    assert failing.status == "wrong"
    assert nested.status == "runtime_error"
    assert "KeyError: 3" in raising.detail
    assert "midline-mbxp" not in raising.detail, "names of temporary folders differ in every run"


def test_null_bytes_and_lone_surrogates_do_not_compile() -> None:
    results = judge_tiny("python", "\treturn '\0'\n", "\treturn '\ud800'\n")
    assert [result.status for result in results] == ["compile_error", "compile_error"]


def test_a_program_that_prints_its_own_source_does_not_pass() -> None:
    (result,) = judge_tiny("python", "\tprint(open('main.py').read())\n\treturn 7\n")
    assert result.status != "pass"


def test_a_function_called_like_the_tests_is_tested_all_the_same() -> None:
    task = tiny_task("python")
    prompt = task.prompt.replace(f"def {task.entry_point}", "def check")
    hidden = replace(task, prompt=prompt, entry_point="check")
    texts = [tiny_solution("python", kind) for kind in ("right", "wrong")]
    right, wrong = judge([Sample(hidden, text, i) for i, text in enumerate(texts)])
    assert (right.corrected, right.uncorrected) == ("pass", "runtime_error")
    assert right.corrections == [PYTHON_TEST_NAMES]
    assert (wrong.corrected, wrong.uncorrected) == ("wrong", "runtime_error")


def test_only_spoiled_tests_are_mended() -> None:
    task = replace(tiny_task("python"), entry_point="solution")
    assert mended_test(task) == task.test
    spoiled = "def check(candidate):\n    assert candidate('a') == 'No candidate'\n"
    mended = mended_test(replace(task, test=spoiled))
    assert mended == "def check_candidate(candidate):\n    assert candidate('a') == 'No solution'\n"
