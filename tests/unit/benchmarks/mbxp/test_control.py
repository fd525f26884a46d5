"""Altering expected values, and the order of the further runs."""

from pathlib import Path

import pytest
from mbxp_programs import tiny_solution, tiny_task

from midline.benchmarks.mbxp import control
from midline.benchmarks.mbxp.control import (
    ALTERED,
    AS_PUBLISHED,
    FORGED,
    UNSTEADY,
    Control,
    altered_test,
    altered_value,
)
from midline.benchmarks.mbxp.languages import NAMES, Box, language
from midline.benchmarks.mbxp.tasks import load_tasks
from midline.model.errors import MidlineError


@pytest.mark.parametrize(
    ("name", "value", "altered"),
    [
        ("python", "[1, 20, -3.25, 1e-05]", "[8, 29, -6.25, 8e-04]"),
        ("python", "{'a': True, 2: \"it's\"}", "{'Qa': False, 7: \"Qit's\"}"),
        ("python", "r'\\d' 'a\\'b'", "r'Q\\d' 'Qa\\'b'"),
        ("cpp", 'vector<string>{"a", ""}', 'vector<string>{"Qa", "Q"}'),
        ("java", "Arrays.asList('a', 'B', '5', '-')", "Arrays.asList('A', 'b', '4', '-')"),
        ("go", "map[int]bool{1: true, 8: false}", "map[int]bool{8: false, 1: true}"),
        ("csharp", "new Tuple<int, List2>(1, x7)", "new Tuple<int, List2>(8, x7)"),
        ("perl", "2147483647", "2147483642"),
        ("kotlin", 'listOf("""a "b" """, "")', 'listOf("""Qa "b" """, "Q")'),
        ("ruby", "[]", "[]"),
    ],
)
def test_literals_are_changed_and_nothing_else(name: str, value: str, altered: str) -> None:
    assert altered_value(language(name), value) == altered


@pytest.mark.parametrize("name", NAMES)
def test_only_what_is_expected_is_altered(name: str) -> None:
    test = tiny_task(name).test
    altered = altered_test(language(name), test)
    assert altered is not None
    before, after = test.splitlines(), altered.splitlines()
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert len(before) == len(after)
    assert changed
    for line, other in changed:
        found = language(name).expected.search(line)
        if found is None:
            assert (line, other) == tuple(f"    {text}" for text in language(name).stricter)
            continue
        assert other.startswith(line[: found.start("expected")])
        assert other.endswith(line[found.end("expected") :])


def test_a_language_without_words_of_forgery_says_where_they_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(language("go"), "name", "rust")
    with pytest.raises(MidlineError, match=r"add rust to \[words\] in .*reach\.toml"):
        language("go").may_forge("fn main() {}")


def test_what_equals_any_other_value_in_php_is_wrong_but_not_forged() -> None:
    altered = altered_test(language("php"), tiny_task("php").test)
    assert altered is not None
    assert "$x === $y" in altered
    assert "$x == $y" in tiny_task("php").test


@pytest.mark.parametrize("name", NAMES)
def test_nearly_all_published_tests_can_be_altered(name: str, mbxp_data: Path) -> None:
    """Two problems a language expect empty values only."""
    tasks = load_tasks(mbxp_data, [name]).values()
    unaltered = [task.task_id for task in tasks if altered_test(language(name), task.test) is None]
    assert len(unaltered) <= 2


@pytest.mark.parametrize("name", NAMES)
def test_plain_programs_are_believed_at_once(name: str) -> None:
    evaluator = language(name)
    assert not evaluator.may_forge(tiny_solution(name, "right"))
    for word in ("__x__", "exit", "os._exit", "\\u0065", '"ex" + "it"', "/proc/self", "ёxit"):
        assert evaluator.may_forge(f"    {word}\n{tiny_solution(name, 'right')}")


def objection(tmp_path: Path, passes: object) -> tuple[str, list[bool]]:
    """What a control says of a program for which `passes` tells whether it passes which test."""
    evaluator, task = language("ruby"), tiny_task("ruby")
    box = Box(task, tiny_solution("ruby", "right"), "TOKEN", tmp_path / "box")
    box.program.mkdir(parents=True)
    evaluator.write(box)
    runs: list[bool] = []

    def run(ran: Box) -> bool:
        published = "v0 = 6" in (box.program / "main.rb").read_text()
        assert published is (ran.token == "TOKEN")
        runs.append(published)
        return bool(passes(published))  # type: ignore[operator]

    said = Control(evaluator, box, "OTHER", lambda other: True, run).objection()
    return said, runs


def test_who_passes_and_fails_as_the_tests_say_is_believed(tmp_path: Path) -> None:
    said, runs = objection(tmp_path, lambda published: published)
    assert said == ""
    assert sorted(runs) == [False] * ALTERED + [True] * AS_PUBLISHED


def test_who_passes_whatever_is_expected_is_not(tmp_path: Path) -> None:
    assert objection(tmp_path / "a", lambda published: True)[0] == FORGED
    assert objection(tmp_path / "b", lambda published: False)[0] == UNSTEADY


def test_who_guesses_is_seldom_right(tmp_path: Path) -> None:
    """A program that forges in every second run; each run after the first is one more guess."""
    believed = 0
    for number in range(64):
        guesses = iter(bool(number >> bit & 1) for bit in range(ALTERED + AS_PUBLISHED))
        said, _ = objection(tmp_path / str(number), lambda published, g=guesses: next(g))
        believed += said == ""
    assert believed <= 12, "two expected: 64 guesses, one in 2 ** 5 right"


def test_programs_of_both_kinds_are_equally_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ages: list[float] = []

    def look(published: bool) -> bool:
        ages.append((tmp_path / "box" / "program" / "main.rb").stat().st_mtime)
        return published

    clock = iter(range(1000, 2000))
    monkeypatch.setattr(control.time, "time", lambda: float(next(clock)))
    objection(tmp_path, look)
    assert ages == [1000.0 + run for run in range(ALTERED + AS_PUBLISHED)]
