"""Swift evaluator: everything around the compiler, and the compiler where it is installed."""

from pathlib import Path

import pytest
from mbxp_programs import judge, judge_tiny, tiny_solution, tiny_task

from midline.benchmarks.mbxp.languages import Box, ToolchainMissing
from midline.benchmarks.mbxp.languages.swift import LANGUAGE
from midline.benchmarks.mbxp.samples import Sample
from midline.benchmarks.mbxp.status import Status


def test_right_and_wrong_programs() -> None:
    results = judge_tiny("swift", tiny_solution("swift", "right"), tiny_solution("swift", "wrong"))
    assert [result.status for result in results] == ["pass", "wrong"]


def test_the_token_is_printed_last_and_in_two_halves() -> None:
    text = LANGUAGE.source(tiny_task("swift"), tiny_solution("swift", "right"), "0123abcd")
    assert text.endswith('print("0123" + "abcd")\n')
    assert "0123abcd" not in text


def test_calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(LANGUAGE, "find", lambda name: f"/opt/swift/usr/bin/{name}")
    box = Box(tiny_task("swift"), "", "token", tmp_path)
    compile_call = LANGUAGE.compile_command([box], tmp_path / "jobs")
    assert compile_call[0] == "/opt/swift/usr/bin/swiftc"
    assert "-Onone" in compile_call, "optimized programs drop their assertions"
    assert compile_call[-1] == LANGUAGE.run_command(box)[0] == str(tmp_path / "program" / "main")


def test_a_trapped_assertion_is_a_wrong_answer() -> None:
    trap = "main/main.swift:20: Assertion failed: Exception -- test case 0 did not pass. x0 = "
    assert LANGUAGE.failure(trap) is Status.WRONG
    assert LANGUAGE.failure("Fatal error: Index out of range") is Status.RUNTIME_ERROR


def test_a_missing_compiler_is_no_failure_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise ToolchainMissing(f"swift needs {name}")

    monkeypatch.setattr(LANGUAGE, "find", missing)
    LANGUAGE.__dict__.pop("version", None)
    (result,) = judge([Sample(tiny_task("swift"), "    return 6\n}\n", 0)])
    assert (result.status, result.detail) == ("toolchain_missing", "swift needs swiftc")
    assert not Status(result.status).judged
