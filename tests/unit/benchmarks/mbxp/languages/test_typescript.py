"""TypeScript evaluator against the real tools."""

from mbxp_programs import judge_tiny, tiny_solution

from midline.benchmarks.mbxp.languages.typescript import LANGUAGE, REFERENCE_STATUS


def test_right_wrong_early_and_broken_programs() -> None:
    results = judge_tiny(
        "typescript",
        tiny_solution("typescript", "right"),
        tiny_solution("typescript", "wrong"),
        "    process.exit(0);\n}\n",
        "    return (;;\n}}\n",
        "    const total: string = 7;\n    return 6;\n}\n",
    )
    statuses = [result.status for result in results]
    assert statuses == ["pass", "wrong", "wrong", "compile_error", "pass"], "type errors only warn"
    assert results[2].corrections == ["early-exit"]


def test_the_reference_takes_only_type_errors_for_compiled() -> None:
    assert LANGUAGE.accepts_like_reference(REFERENCE_STATUS)
    assert not LANGUAGE.accepts_like_reference(0)
    assert {0, REFERENCE_STATUS} == LANGUAGE.compile_passes
