"""HumanEval-Infilling tasks: where the cursor stands, and what a damaged file says."""

import gzip
import json
from pathlib import Path

import pytest

from midline.benchmarks.quality.infilling.tasks import KINDS, chosen, data_folder, load
from midline.model.errors import MidlineError

ROW = {
    "task_id": "SingleLineInfilling/HumanEval/0/L0",
    "entry_point": "double",
    "prompt": "def double(x):\n",
    "suffix": "    return y\n",
    "canonical_solution": "    y = 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
}


def write(folder: Path, kind: str, *rows: dict[str, str]) -> Path:
    with gzip.open(folder / KINDS[kind], "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return folder


def test_a_line_is_completed_from_its_indentation(tmp_path: Path) -> None:
    (task,) = load(write(tmp_path, "single-line", ROW), "single-line")
    assert task.before == "def double(x):\n    "
    assert task.middle == "y = 2 * x"
    assert task.after == "\n    return y\n"
    cursor = task.cursor
    assert (cursor.line, cursor.fragment, cursor.name) == (1, b"    ", "solution.py")


def test_the_published_task_has_whole_lines(tmp_path: Path) -> None:
    (task,) = load(write(tmp_path, "single-line", ROW), "single-line")
    published = task.published
    texts = (published.before, published.middle, published.after)
    assert texts == (ROW["prompt"], ROW["canonical_solution"], ROW["suffix"])


def test_a_span_is_completed_where_it_begins(tmp_path: Path) -> None:
    row = {**ROW, "prompt": "def dou", "canonical_solution": "ble(x):\n    y", "suffix": " = 2\n"}
    (task,) = load(write(tmp_path, "random-span", row), "random-span")
    assert (task.before, task.middle, task.after) == ("def dou", "ble(x):\n    y", " = 2\n")


def test_tasks_are_drawn_by_the_seed_and_stay_in_order(tmp_path: Path) -> None:
    rows = [{**ROW, "task_id": f"{number:03}"} for number in range(50)]
    tasks = load(write(tmp_path, "single-line", *rows), "single-line")
    first, again, other = (chosen(tasks, 10, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert [t.task_id for t in first] == sorted({t.task_id for t in first}) and len(first) == 10
    assert chosen(tasks, None, 1) == chosen(tasks, 99, 1) == tasks


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MidlineError, match="MIDLINE_INFILLING_DATA"):
        load(tmp_path, "single-line")
    write(tmp_path, "single-line", {"task_id": "only"})
    with pytest.raises(MidlineError, match="damaged"):
        load(tmp_path, "single-line")
    (tmp_path / KINDS["multi-line"]).write_bytes(b"not gzip")
    with pytest.raises(MidlineError, match="damaged"):
        load(tmp_path, "multi-line")


def test_the_folder_is_an_option_a_variable_or_in_the_cache(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MIDLINE_INFILLING_DATA", raising=False)
    assert data_folder().is_relative_to(home)
    monkeypatch.setenv("MIDLINE_INFILLING_DATA", "/data")
    assert data_folder() == Path("/data")
    assert data_folder("/other") == Path("/other")
