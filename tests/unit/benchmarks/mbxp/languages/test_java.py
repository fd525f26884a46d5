"""Java evaluator against the real tools."""

from mbxp_programs import check_language

EARLY_EXIT = "        System.exit(0);\n        return 0;\n    }\n}\n"
BROKEN = "        return nothing;\n    }\n}\n"


def test_right_wrong_early_and_broken_programs() -> None:
    results = check_language("java", EARLY_EXIT, BROKEN)
    assert results[2].uncorrected == "pass", "exit status 0 is all the reference asks for"
    assert results[2].corrections == ["early-exit"]
