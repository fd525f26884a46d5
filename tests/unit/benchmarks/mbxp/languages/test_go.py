"""Go evaluator: the correction of imports, and the real tools."""

from mbxp_programs import judge_tiny, tiny_solution, tiny_task

from midline.benchmarks.mbxp.corrections import GO_UNUSED_IMPORTS
from midline.benchmarks.mbxp.languages.go import (
    LANGUAGE,
    prune_imports,
    unused_imports,
)


def test_right_wrong_and_broken_programs() -> None:
    results = judge_tiny(
        "go",
        tiny_solution("go", "right"),
        tiny_solution("go", "wrong"),
        "\treturn nothing\n}\n",
        "\treturn int(math.Floor(6.5))\n}\n",
    )
    assert [result.status for result in results] == ["pass", "wrong", "compile_error", "pass"]


def test_an_import_that_nobody_uses_is_the_benchmarks_defect() -> None:
    unused, used = judge_tiny(
        "go", tiny_solution("go", "right"), "\treturn int(math.Floor(6.5))\n}\n"
    )
    assert (unused.corrected, unused.uncorrected) == ("pass", "compile_error")
    assert unused.corrections == [GO_UNUSED_IMPORTS]
    assert (used.uncorrected, used.corrections) == ("pass", [])


def test_complaints_of_older_and_newer_compilers() -> None:
    older = './main.go:4:2: imported and not used: "math"\n'
    newer = './main.go:5:2: "sort" imported and not used\n'
    assert unused_imports(older + newer) == ["math", "sort"]


def test_only_imports_of_the_prompt_are_taken_out() -> None:
    program = b'import (\n\t"math"\n\t"sort"\n)\nvar s = `\n"math"\n`\n'
    pruned = prune_imports(program, ["math"], program.index(b"var"))
    assert pruned == b'import (\n\n\t"sort"\n)\nvar s = `\n"math"\n`\n'
    assert prune_imports(program, ["os"], len(program)) == program


def test_the_token_is_printed_at_the_end_of_main() -> None:
    text = LANGUAGE.source(tiny_task("go"), "\treturn 6\n}\n", "TOKEN")
    assert text.endswith('println("TOKEN")\n}')
