import json
from pathlib import Path

import pytest
from mbxp_programs import GOLDEN

from midline.benchmarks.mbxp.languages import NAMES
from midline.benchmarks.mbxp.tasks import (
    DATA_FILES,
    DataError,
    data_folder,
    default_data_folder,
    load_tasks,
)
from midline.model.errors import UsageError


def test_the_tiny_tasks_cover_every_language() -> None:
    tasks = load_tasks(GOLDEN / "tasks")
    assert {task.language for task in tasks.values()} == set(NAMES)
    assert all(task.number == 1 and task.canonical_solution for task in tasks.values())
    assert list(load_tasks(GOLDEN / "tasks", ["go"])) == ["TINY_GO/1"]


def test_every_language_has_a_pinned_file() -> None:
    assert tuple(DATA_FILES) == NAMES
    assert all(len(file.sha256) == 64 for file in DATA_FILES.values())


def test_published_tasks(mbxp_data: Path) -> None:
    tasks = load_tasks(mbxp_data)
    counts = {name: sum(t.language == name for t in tasks.values()) for name in NAMES}
    solved = sum(t.canonical_solution is not None for t in tasks.values() if t.language == "cpp")
    assert counts["python"] == 974
    assert counts["cpp"] == 848
    assert solved == 773
    assert sum(counts.values()) == 12425


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    name = DATA_FILES["python"].name
    (tmp_path / name).write_text('{"task_id": "MBPP/1"}\n')
    with pytest.raises(DataError, match=f"{name} is not the published file .*fetch"):
        load_tasks(tmp_path)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [("{", "own.jsonl:1 is not a JSON object"), ('{"task_id": "A/1"}', "lacks prompt, test")],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    (tmp_path / "metadata.json").write_text(json.dumps({"python": "own.jsonl"}))
    (tmp_path / "own.jsonl").write_text(line + "\n")
    with pytest.raises(DataError, match=complaint):
        load_tasks(tmp_path)


def test_missing_data_say_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="midline-bench mbxp fetch"):
        load_tasks(tmp_path)
    (tmp_path / "metadata.json").write_text("{}")
    with pytest.raises(UsageError, match="no problems in swift"):
        load_tasks(tmp_path, ["swift"])


def test_the_folder_is_chosen_by_option_then_variable_then_cache(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MIDLINE_MBXP_DATA", raising=False)
    assert data_folder() == default_data_folder() == home / "mbxp" / "data"
    monkeypatch.setenv("MIDLINE_MBXP_DATA", "/somewhere")
    assert data_folder() == Path("/somewhere")
    assert data_folder("/else") == Path("/else")
