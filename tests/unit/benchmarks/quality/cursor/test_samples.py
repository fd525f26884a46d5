"""Ranked samples against one greedy answer at marked cursors."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from midline.benchmarks.main import main
from midline.benchmarks.quality.cursor.measure import SCORES
from midline.benchmarks.quality.cursor.samples import ANY, GREEDY, RANKED, Case, compared, lines

ALL, NONE = dict.fromkeys(SCORES, 1), dict.fromkeys(SCORES, 0)
CASE = Case("a", "go", 100, 0.5, 0.1, 0.3, 2, {GREEDY: NONE, RANKED: ALL, ANY: ALL}, "x", "y")


def test_ways_are_compared_in_pairs_and_times_with_and_without_reading() -> None:
    lost = replace(CASE, scores={GREEDY: ALL, RANKED: NONE, ANY: ALL})
    found = compared([CASE, CASE, CASE, lost])
    assert (found[GREEDY]["exact"], found[RANKED]["exact"], found[ANY]["exact"]) == (0.25, 0.75, 1)
    over = found["exact_over_greedy"]
    assert (over["difference"], over["only_first"], over["only_second"]) == (0.5, 3, 1)
    assert over["lower_bound"] == over["interval"][0] < 0.5
    assert found["time_ratio"] == pytest.approx(0.8 / 0.6, abs=1e-4)
    assert found["decode_time_ratio"] == pytest.approx(3)
    assert "time of 8 samples over one greedy answer: 1.33" in lines(found | {"samples": 8})[-1]


def test_real_cases_are_answered_both_ways(qwen05_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "samples.json"
    only = ["--only", "python-inventory/models.py:35"]
    words = ["--model", str(qwen05_path), *only, "--json", str(path)]
    drawn = ["--samples", "3", "--temperature", "0.5", "--greedy-first"]
    assert main(["quality", "cursor", *drawn, *words]) == 0
    found = json.loads(path.read_text())
    assert found["cases"] == len(found["rows"]) > 0
    assert found["rows"][0]["prompt_tokens"] > 50
    assert found[ANY]["exact"] >= max(found[GREEDY]["exact"], found[RANKED]["exact"])
    assert all(row["read_seconds"] > 0 for row in found["rows"])
    wrong = ["--samples", "0"]
    assert main(["quality", "cursor", *wrong, *words]) == 2


@pytest.mark.parametrize("more", [["--csv", "answers.csv"], ["--layout", "plain"]])
def test_what_samples_would_ignore_is_refused(
    more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["quality", "cursor", "--model", "absent", "--samples", "8", *more]
    assert main(words) == 2
    assert "leave out --csv and --layout, or --samples" in capsys.readouterr().err
