"""The arms of the context comparison: what each lets through, and how they are compared."""

import pytest

from midline.benchmarks.quality.context.cases import Arms, Case, Package, cases
from midline.benchmarks.quality.context.measure import lines, summary

ARMS = (("generated left out", 50, 100), ("none", 20, 50), ("all", 50, 120))


def source(n: int) -> str:
    body = "\n".join(f"    value_{n}_{i} = compute_something(argument_{i}, {n})" for i in range(30))
    return f"def function_{n}(values):\n{body}\n    return value_{n}_0\n"


@pytest.fixture
def package() -> Package:
    files = {f"{n}.py": source(n) for n in range(4)}
    files["copy.py"] = source(1)
    files["own.py"] = source(0).replace("value_0_29", "value_0_x")
    files["made.py"] = "# @generated\n" + source(7)
    files["data.py"] = "DATA = [" + "123456, 7890, " * 60 + "]\n"
    return Package("python", "demo", files)


def names(arm: str, case: Case) -> set[str]:
    return {chunk.name for chunk in Arms().arms[arm](case)}


def test_what_each_arm_lets_through(package: Package) -> None:
    pytest.importorskip("rensa")
    case = Case(package, "0.py", source(0)[:200], source(0)[200:], "x")
    assert names("none", case) == set()
    assert names("all", case) == set(package.files) - {"0.py"}
    assert names("generated left out", case) == set(package.files) - {"0.py", "made.py"}
    assert names("filtered", case) == {"1.py", "2.py", "3.py", "copy.py", "own.py"}
    assert names("filtered, no duplicates", case) == {"1.py", "2.py", "3.py"}


def test_cases_are_the_same_every_time_and_in_lines_of_code(package: Package) -> None:
    found = list(cases([package], 8))
    assert [c.place for c in found] == [c.place for c in cases([package], 8)]
    for case in found:
        assert case.before.endswith(case.before.split("\n")[-1]) and case.expected
        assert case.before + case.expected + case.after == package.files[case.file]
        assert case.file not in {"made.py"}


def test_arms_are_compared_by_case() -> None:
    rows = [
        {"place": str(n), "arm": arm, "exact": int(n < limit), "prompt_tokens": tokens}
        for arm, limit, tokens in ARMS
        for n in range(100)
    ]
    base, none, every = summary(rows)
    assert every["most_differing"] == pytest.approx(0.0295, abs=1e-4)
    assert "most_differing" not in none
    assert (base["exact"], none["exact"], every["prompt_tokens"]) == (0.5, 0.2, 120)
    assert none["less_baseline"]["difference"] == pytest.approx(-0.3)
    assert ["shows nothing" in line for line in lines([base, none, every])] == [
        False, False, False, True,
    ]  # fmt: skip
