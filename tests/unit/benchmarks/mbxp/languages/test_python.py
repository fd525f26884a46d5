"""Python evaluator against the real tools."""

from mbxp_programs import check_language, judge_tiny

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
