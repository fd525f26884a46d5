import json
from dataclasses import replace
from pathlib import Path

import pytest

from midline.benchmarks.mbxp.results import (
    RESULTS,
    Result,
    ResultFile,
    ResultsError,
    latest_results,
    read_results,
)

RESULT = Result("T/1", 0, "python", "pass", "pass", "pass", 0.5, key="k")


def test_lines_are_appended_and_read_back(tmp_path: Path) -> None:
    with ResultFile(tmp_path / "out") as results:
        results.add(RESULT)
        results.add(replace(RESULT, sample=1, status="wrong"))
    path = tmp_path / "out" / RESULTS
    assert list(read_results(path)) == [RESULT, replace(RESULT, sample=1, status="wrong")]
    fields = json.loads(path.read_text().splitlines()[0])
    assert {"task_id", "language", "status", "seconds"} <= fields.keys()


def test_a_resumed_file_knows_what_is_done_and_drops_half_a_line(tmp_path: Path) -> None:
    with ResultFile(tmp_path) as results:
        results.add(RESULT)
    path = tmp_path / RESULTS
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    with ResultFile(tmp_path) as results:
        assert results.done == {("T/1", 0, "k")}
        results.add(replace(RESULT, sample=1))
    assert [r.sample for r in read_results(path)] == [0, 1]


def test_the_last_verdict_on_a_sample_counts(tmp_path: Path) -> None:
    with ResultFile(tmp_path) as results:
        results.add(RESULT)
        results.add(replace(RESULT, status="wrong", key="newer compiler"))
    assert latest_results(tmp_path / RESULTS)["T/1", 0].status == "wrong"


def test_a_full_disk_is_one_sentence_and_loses_nothing_before_it(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    (tmp_path / RESULTS).symlink_to(full)
    results = ResultFile.__new__(ResultFile)
    results.path, results.done = tmp_path / RESULTS, set()
    results._file = results.path.open("ab", buffering=0)
    with pytest.raises(ResultsError, match=r"No space left on device.*run the same command again"):
        results.add(RESULT)
    assert results.done == set()
    results.close()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError, match="cannot write"):
        ResultFile(tmp_path / "file" / "out")


def test_a_foreign_line_is_named(tmp_path: Path) -> None:
    (tmp_path / RESULTS).write_text('{"no": "result"}\n')
    with pytest.raises(ResultsError, match=r"results\.jsonl:1 is not a result"):
        list(read_results(tmp_path / RESULTS))
