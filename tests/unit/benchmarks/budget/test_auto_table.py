"""What the rows of the table say about how costs are spread."""

from typing import Any

from midline.benchmarks.budget.auto_table import Candidate, table_rows
from midline.benchmarks.budget.measures import Measured, Outcome
from midline.model.strategies.auto import Part, read_row

PROBLEMS = 100


def outcome(passed: float) -> Outcome:
    return Outcome(passed, 10, 1, 1, 0, 0, passed)


def test_a_curve_has_parts_of_equal_size_from_cheap_to_dear() -> None:
    """A problem takes its number of seconds; the cheap half is right, and no first answer is."""
    ids = [f"MBPP/{n}" for n in range(1, PROBLEMS + 1)]
    call = {"model": "m", "prompt_tokens": 5, "cached_tokens": 0, "generated": [7], "drafted": True}
    rows: list[dict[str, Any]] = [{"task_id": id, "calls": [call], "programs": 1} for id in ids]
    arm = Measured("a", "small", {id: outcome(n < 50) for n, id in enumerate(ids)})
    (found,) = table_rows(
        [Candidate(arm, "cascade", {"stages": (("small", 8),)}, True)], {("a", "small"): rows},
        set(ids), {"m": "small"},
        lambda row: Part(n := int(row["task_id"][5:]), float(n <= 50), n / 2, 0.0),
    )  # fmt: skip
    row = read_row(found)
    assert len(row.curve) == 10
    costs = [part.cost for part in row.curve]
    assert costs == sorted(costs) and abs(sum(costs) / 10 - 1) < 1e-3
    assert [part.passed for part in row.curve] == [1.0] * 5 + [0.0] * 5
    assert abs(row.curve[0].first_cost - row.curve[0].cost / 2) < 1e-3
    assert row.calls[0].drafted
    assert row.passed_within(50.6, 50.5) == 0.5
    assert row.passed_within(20.6, 50.5) == 0.2
    assert row.seconds_within(1000, 50.5) - 50.5 < 0.01
