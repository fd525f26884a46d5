import json
from pathlib import Path

import pytest
from mbxp_programs import tiny_task

from midline.benchmarks.mbxp.results import ResultsError
from midline.benchmarks.mbxp.samples import (
    SAMPLES,
    GeneratedFile,
    read_generated,
    read_samples,
)
from midline.model.errors import UsageError

PYTHON, RUBY = "TINY_PYTHON/1", "TINY_RUBY/1"
TASKS = {PYTHON: tiny_task("python"), RUBY: tiny_task("ruby")}


def write(path: Path, *lines: str | dict[str, object]) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n", "utf-8")
    return path


def test_samples_of_one_task_are_numbered_in_file_order(tmp_path: Path) -> None:
    path = write(
        tmp_path / "samples.jsonl",
        {"task_id": PYTHON, "completion": "a", "language": "python", "other": 1},
        {"task_id": RUBY, "completion": "b"},
        {"task_id": PYTHON, "completion": "a"},
    )
    samples, rejected = read_samples(path, TASKS)
    assert [(s.task.task_id, s.completion, s.index) for s in samples] == [
        (PYTHON, "a", 0),
        (RUBY, "b", 0),
        (PYTHON, "a", 1),
    ]
    assert rejected == []
    only, _ = read_samples(path, TASKS, ["ruby"])
    assert [s.task.language for s in only] == ["ruby"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"task_id": "TINY', "not JSON"),
        ("[]", "not a JSON object"),
        ('{"completion": "x"}', "no field task_id"),
        ('{"task_id": 7, "completion": "x"}', "no field task_id"),
        (f'{{"task_id": "{PYTHON}"}}', "no field completion"),
        (f'{{"task_id": "{PYTHON}", "completion": null}}', "no field completion"),
        ('{"task_id": "MBPP/99999", "completion": "x"}', "unknown task id MBPP/99999"),
        ("\udcff\udcfe", "not JSON"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_kept(
    tmp_path: Path, line: str, reason: str
) -> None:
    good = json.dumps({"task_id": PYTHON, "completion": "x"})
    path = tmp_path / "samples.jsonl"
    path.write_bytes(f"{good}\n\n{line}\n{good}\n".encode("utf-8", "surrogateescape"))
    samples, rejected = read_samples(path, TASKS)
    assert len(samples) == 2
    assert [r.line for r in rejected] == [3]
    assert reason in rejected[0].reason


def test_null_bytes_and_ten_megabytes_are_samples_like_others(tmp_path: Path) -> None:
    path = write(
        tmp_path / "samples.jsonl",
        {"task_id": PYTHON, "completion": "\0"},
        {"task_id": PYTHON, "completion": "#" * 10_000_000},
    )
    samples, rejected = read_samples(path, TASKS)
    assert [len(s.completion) for s in samples] == [1, 10_000_000]
    assert rejected == []


def test_a_missing_file_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the samples"):
        read_samples(tmp_path / "none.jsonl", TASKS)


def test_an_unfinished_generated_line_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text('{"task_id": "a", "sample": 0}\n{"task_id": "b", "sam')
    assert [row["task_id"] for row in read_generated(path)] == ["a"]


def test_generated_samples_are_numbered_as_read_samples_numbers_them(tmp_path: Path) -> None:
    rows = [{"task_id": PYTHON, "sample": n, "completion": str(n)} for n in range(2)]
    GeneratedFile(tmp_path).append([*rows, {"task_id": "other/1", "sample": 0, "completion": ""}])
    again = GeneratedFile(tmp_path)
    assert again.done == {(PYTHON, 0), (PYTHON, 1), ("other/1", 0)}
    again.append([{"task_id": PYTHON, "sample": 2, "completion": "2"}])
    known = {PYTHON: TASKS[PYTHON]}
    assert again.samples(known) == read_samples(again.path, known)[0]
    assert [sample.index for sample in again.samples(known)] == [0, 1, 2]
    assert GeneratedFile(tmp_path).rows == again.rows


def test_an_unfinished_generated_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / SAMPLES
    path.write_text('{"task_id": "a", "sample": 0}\n{"task_id": "b", "sam')
    assert GeneratedFile(tmp_path).done == {("a", 0)}
    assert path.read_text() == '{"task_id": "a", "sample": 0}\n'


def test_samples_that_cannot_be_written_are_not_taken_for_done(tmp_path: Path) -> None:
    file = GeneratedFile(tmp_path)
    file.path.symlink_to("/dev/full")
    with pytest.raises(ResultsError, match="cannot write"):
        file.append([{"task_id": "a", "sample": 0}])
    assert (file.rows, file.done) == ([], set())
