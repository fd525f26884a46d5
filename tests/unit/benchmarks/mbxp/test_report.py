import xml.etree.ElementTree as ElementTree
from dataclasses import replace

from midline.benchmarks.mbxp.plot import bar_chart
from midline.benchmarks.mbxp.report import build_report, compare, render, render_comparison
from midline.benchmarks.mbxp.results import Result

PASS = Result("G/1", 0, "go", "pass", "pass", "pass", 0.5, 0.25, 0.25)
DEFECT = replace(
    PASS, task_id="G/2", uncorrected="compile_error", corrections=["go-unused-imports"]
)
WRONG = replace(PASS, task_id="G/3", status="wrong", corrected="wrong", uncorrected="wrong")
MISSING = replace(PASS, task_id="G/4", status="toolchain_missing", corrected="toolchain_missing",
                  uncorrected="toolchain_missing", seconds=0.0)  # fmt: skip


def test_a_missing_toolchain_is_no_failure_of_the_model() -> None:
    report = build_report(
        [PASS, DEFECT, WRONG, MISSING], {"sandbox": "x", "corrections": ["go-unused-imports"]}
    )
    (row,) = report["languages"]
    assert row["tasks"] == 3
    assert row["samples"] == 4
    assert row["pass_at_k"] == {"1": 2 / 3}
    assert row["uncorrected_pass_at_k"] == {"1": 1 / 3}
    assert row["corrections"] == {"go-unused-imports": 1}
    assert row["statuses"]["toolchain_missing"] == 1
    assert (row["timed_samples"], row["median_seconds"]) == (3, 0.5)
    text = render(report)
    assert "66.67" in text
    assert "corrected: go-unused-imports" in text
    assert "33.33" in text, "both scores are shown where they differ"
    assert "33.33" not in render(build_report([PASS, replace(WRONG)], {}))


def test_pass_at_k_needs_k_samples_of_every_task() -> None:
    five = [replace(PASS, sample=i) for i in range(5)]
    other = [replace(WRONG, sample=i) for i in range(5)]
    report = build_report([*five, *other], {})
    assert report["languages"][0]["pass_at_k"] == {"1": 0.5, "5": 0.5}
    report = build_report([*five, *other[:4]], {})
    assert set(report["languages"][0]["pass_at_k"]) == {"1"}


def test_runs_are_compared_task_by_task() -> None:
    first = [PASS, DEFECT, WRONG, MISSING]
    second = [replace(PASS, status="wrong"), DEFECT, replace(WRONG, status="pass"), MISSING]
    (row,) = compare(first, second)
    counts = row["both"], row["first_only"], row["second_only"], row["neither"]
    assert counts == (1, 1, 1, 0)
    assert row["p_value"] == 1.0
    assert "A = old, B = new" in render_comparison([row], "old", "new")
    assert compare([PASS], [replace(PASS, task_id="G/9")]) == []


def test_the_plot_is_well_formed_and_shows_both_runs() -> None:
    report = build_report([PASS, WRONG], {})
    chart = ElementTree.fromstring(bar_chart([("a & b", report), ("c", report)]))
    words = [element.text for element in chart.iter("{http://www.w3.org/2000/svg}text")]
    assert words.count("50.0 (n=2)") == 2
    assert "a & b" in words
    assert "go" in words
