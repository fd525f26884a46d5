"""Contamination is counted, and planted problems are found."""

from midline.benchmarks.mbxp.tasks import Task
from midline.benchmarks.quality.hygiene.measure import (
    contamination,
    own_sources,
    planted,
    whole_text,
)
from midline.model.data_quality.overlap import Benchmark
from midline.model.data_quality.records import Record


def task(number: int) -> Task:
    words = " ".join(f"w{number}x{n}" for n in range(60))
    return Task(f"T/{number}", "python", words, "", "f", "", " return 1")


TASKS = [task(n) for n in range(5)]
BENCHMARK = Benchmark((t.task_id, whole_text(t)) for t in TASKS)


def test_contaminated_documents_are_counted_with_the_item() -> None:
    part = " ".join(TASKS[2].prompt.split()[10:40])
    records = [Record("clean", "nothing of it"), Record("part", f"a {part} b"),
               Record("copy", whole_text(TASKS[3]))]  # fmt: skip
    found = contamination("text", BENCHMARK, records)
    assert (found["documents"], found["contaminated"], found["near"]) == (3, 2, 1)
    assert found["examples"][0].startswith("part: T/2")


def test_every_planted_problem_is_found() -> None:
    found = planted(BENCHMARK, TASKS, ["some clean text " * 20])
    assert found == {"planted": 5, "found": 5}


def test_the_recipe_leaves_out_the_marked_cursors() -> None:
    names = [record.id for record in own_sources()]
    assert "model/errors.py" in names
    left_out = ("benchmarks/quality/cursor/projects", "tests/data")
    assert [name for name in names if name.startswith(left_out)] == []
