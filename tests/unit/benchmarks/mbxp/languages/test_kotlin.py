"""Kotlin evaluator against the real tools."""

import pytest
from mbxp_programs import check_language, judge_tiny

from midline.benchmarks.mbxp.languages import kotlin

EARLY_EXIT = "    kotlin.system.exitProcess(0)\n}\n"
BROKEN = "    return nothing\n}\n"


def test_right_wrong_early_and_broken_programs() -> None:
    results = check_language("kotlin", EARLY_EXIT, BROKEN)
    assert results[2].uncorrected == "pass", "exit status 0 is all the reference asks for"
    assert results[2].corrections == ["early-exit"]


def test_functions_that_were_deprecated_since_are_no_errors() -> None:
    body = '    return if ("A".toLowerCase() == "a") 6 else 7\n}\n'
    (result,) = judge_tiny("kotlin", body)
    assert result.status in ("pass", "wrong"), result.detail


@pytest.mark.parametrize(
    ("build", "told"), [("1.9.24", False), ("2.0.0", False), ("2.1.0", True), ("2.5.0", False)]
)
def test_only_compilers_that_can_be_told_are(
    monkeypatch: pytest.MonkeyPatch, build: str, told: bool
) -> None:
    monkeypatch.setattr(kotlin, "kotlin_build", lambda: build)
    assert bool(kotlin.LANGUAGE.language_arguments()) == told
