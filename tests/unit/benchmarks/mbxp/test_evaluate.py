"""Evaluations as a whole: resuming, interrupting, sharing verdicts, both scores."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from mbxp_programs import require_sandbox, tiny_solution, tiny_task

from midline.benchmarks.main import main
from midline.benchmarks.mbxp.corrections import CORRECTIONS, EARLY_EXIT
from midline.benchmarks.mbxp.evaluate import Evaluation, shorten
from midline.benchmarks.mbxp.results import RESULTS, Result, ResultFile, read_results
from midline.benchmarks.mbxp.samples import Sample
from midline.model.sandbox import choose

GOLDEN = Path(__file__).resolve().parents[3] / "golden" / "mbxp"
TASK = tiny_task("python")
RIGHT, WRONG = tiny_solution("python", "right"), tiny_solution("python", "wrong")


def write_samples(path: Path, *completions: str) -> Path:
    rows = [{"task_id": TASK.task_id, "completion": text} for text in completions]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def evaluate(samples: Path, out: Path, *options: str) -> int:
    words = ["mbxp", "evaluate", str(samples), "--data", str(GOLDEN / "tasks"), "--out", str(out)]
    return main([*words, *options])


def test_equal_programs_are_executed_once_and_counted_each(tmp_path: Path) -> None:
    require_sandbox()
    seen: list[Result] = []
    samples = [Sample(TASK, text, i) for i, text in enumerate([RIGHT, WRONG, RIGHT, RIGHT])]
    with ResultFile(tmp_path) as results:
        Evaluation(choose(), results, on_result=seen.append).run(samples)
    by_sample = {result.sample: result for result in seen}
    assert [by_sample[i].status for i in range(4)] == ["pass", "wrong", "pass", "pass"]
    assert len({by_sample[i].run_seconds for i in (0, 2, 3)}) == 1


def test_a_finished_run_is_not_run_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_sandbox()
    samples = write_samples(tmp_path / "samples.jsonl", RIGHT, WRONG)
    assert evaluate(samples, tmp_path / "out") == 0
    before = (tmp_path / "out" / RESULTS).read_bytes()
    capsys.readouterr()
    assert evaluate(samples, tmp_path / "out") == 0
    assert (tmp_path / "out" / RESULTS).read_bytes() == before
    assert "0 of 2 to execute" in capsys.readouterr().err
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["languages"][0]["pass_at_k"] == {"1": 0.5}
    assert report["sandbox"] == choose().level


def test_a_fresh_run_executes_what_has_its_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_sandbox()
    samples = write_samples(tmp_path / "samples.jsonl", RIGHT, WRONG)
    for words in ([], ["--fresh"], ["--fresh"]):
        assert evaluate(samples, tmp_path / "out", *words) == 0
        assert "2 of 2 to execute" in capsys.readouterr().err
    assert json.loads((tmp_path / "out" / "report.json").read_text())["executed"] == 2
    assert lines(tmp_path / "out") == 2


def test_another_completion_in_the_same_place_is_executed(tmp_path: Path) -> None:
    require_sandbox()
    samples = write_samples(tmp_path / "samples.jsonl", WRONG)
    evaluate(samples, tmp_path / "out")
    evaluate(write_samples(samples, RIGHT), tmp_path / "out")
    statuses = [result.status for result in read_results(tmp_path / "out" / RESULTS)]
    assert statuses == ["wrong", "pass"]
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["languages"][0]["statuses"] == {"pass": 1}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_at_any_moment_nothing_runs_twice_or_is_lost(tmp_path: Path, number: int) -> None:
    require_sandbox()
    # Quick until the signal is due, then slow, so that a busy machine cannot finish before it.
    naps = [0.05 + i / 1000 if i < 3 else 0.3 + i / 1000 for i in range(12)]
    slow = [f"\timport time; time.sleep({nap})\n{RIGHT}" for nap in naps]
    samples = write_samples(tmp_path / "samples.jsonl", *slow)
    out = tmp_path / "out"
    call = [sys.executable, "-P", "-m", "midline.benchmarks.main", "mbxp", "evaluate",
            str(samples), "--data", str(GOLDEN / "tasks"), "--out", str(out)]  # fmt: skip
    process = subprocess.Popen(call, stderr=subprocess.PIPE, cwd=tmp_path)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and lines(out) < 3:
        time.sleep(0.02)
    os.kill(process.pid, number)
    _, said = process.communicate(timeout=30)
    assert process.returncode != 0
    assert b"Traceback" not in said
    done = lines(out)
    assert 3 <= done < 12
    assert subprocess.run(call, capture_output=True, cwd=tmp_path, check=False).returncode == 0
    results = list(read_results(out / RESULTS))
    assert sorted(result.sample for result in results) == list(range(12))
    assert {result.status for result in results} == {"pass"}


def lines(out: Path) -> int:
    path = out / RESULTS
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def test_bad_lines_are_listed_and_the_rest_is_executed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_sandbox()
    samples = write_samples(tmp_path / "samples.jsonl", RIGHT)
    samples.write_text("{\n" + samples.read_text() + '{"task_id": "MBPP/1", "completion": ""}\n')
    assert evaluate(samples, tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert "2 lines of" in said
    assert "rejected.jsonl" in said
    rows = [json.loads(x) for x in (tmp_path / "out/rejected.jsonl").read_text().splitlines()]
    assert [row["line"] for row in rows] == [1, 3]
    assert lines(tmp_path / "out") == 1


def test_wrong_calls_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    assert evaluate(empty, tmp_path / "out") == 2
    assert "nothing to evaluate" in capsys.readouterr().err
    assert evaluate(empty, tmp_path / "out", "--canonical") == 2
    assert evaluate(write_samples(empty, RIGHT), tmp_path / "out", "--workers", "0") == 2
    assert evaluate(empty, tmp_path / "out", "--sandbox", "docker") == 1
    assert "no sandbox 'docker'" in capsys.readouterr().err


def test_the_reference_rules_decide_the_status_when_asked(tmp_path: Path) -> None:
    require_sandbox()
    perl = tiny_task("perl")
    from mbxp_programs import require_language

    require_language("perl")
    sample = Sample(perl, "  exit(0);\n}\n", 0)
    for enabled, status in ((CORRECTIONS, "wrong"), (CORRECTIONS - {EARLY_EXIT}, "pass")):
        with ResultFile(tmp_path / status) as results:
            Evaluation(choose(), results, corrections=enabled).run([sample])
        (result,) = read_results(tmp_path / status / RESULTS)
        assert (result.status, result.corrected, result.uncorrected) == (status, "wrong", "pass")
        assert result.corrections == ["early-exit"]


def test_what_fails_on_a_full_disk_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    require_sandbox()
    samples = write_samples(tmp_path / "samples.jsonl", RIGHT, WRONG)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=0))
    assert evaluate(samples, tmp_path / "out", "--workers", "1") == 1
    assert "No space left on device; put that right, or set TMPDIR" in capsys.readouterr().err
    assert {result.status for result in read_results(tmp_path / "out" / RESULTS)} <= {"pass"}
    monkeypatch.undo()
    assert evaluate(samples, tmp_path / "out") == 0
    assert lines(tmp_path / "out") == 2


def test_a_report_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_sandbox()
    samples = write_samples(tmp_path / "samples.jsonl", RIGHT)
    (tmp_path / "file").touch()
    assert evaluate(samples, tmp_path / "out", "--json", str(tmp_path / "file" / "x.json")) == 2
    assert "cannot write" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    (tmp_path / "out" / "report.json").mkdir(parents=True)
    assert evaluate(samples, tmp_path / "out") == 1
    assert "cannot write" in capsys.readouterr().err


def test_published_samples_are_read_file_by_file_and_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_sandbox()
    write_samples(tmp_path / "mbpp_samples.jsonl", RIGHT)
    write_samples(tmp_path / "other.jsonl", WRONG)
    words = ["--data", str(GOLDEN / "tasks"), "--out", str(tmp_path / "out")]
    call = ["mbxp", "evaluate", "--published", str(tmp_path), *words]
    path = tmp_path / "kept" / "samples.json"
    path.parent.mkdir()
    path.write_text('{"languages": [{"language": "go", "published_pass_at_1": 0.4, "samples": 7, '
                    '"uncorrected_pass_at_k": {"1": 0.4}}]}')  # fmt: skip
    assert main([*call, "--record", "--json", str(path)]) == 0
    kept = json.loads(path.read_text())
    assert [row["samples"] for row in kept["languages"]] == [1, 7]
    assert (tmp_path / "kept" / "samples-python.tsv").is_file()
    assert main([*call, "--record"]) == 2
    assert "--record needs --json FILE" in capsys.readouterr().err
    (tmp_path / "mbpp_samples.jsonl").write_text("{\n")
    assert main(call) == 2
    assert "mbpp_samples.jsonl:1 is no sample" in capsys.readouterr().err
    keep = ("--record", "--json", str(tmp_path / "x.json"))
    assert evaluate(tmp_path / "other.jsonl", tmp_path / "out", *keep) == 2


def test_published_samples_lie_beside_the_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    require_sandbox()
    data = shutil.copytree(GOLDEN / "tasks", tmp_path / "data")
    monkeypatch.setenv("MIDLINE_MBXP_DATA", str(data))
    call = ["mbxp", "evaluate", "--published", "--out", str(tmp_path / "out")]
    assert main(call) == 2
    assert f"{data / 'examples'} has no mb*_samples.jsonl; " in capsys.readouterr().err
    (data / "examples").mkdir()
    write_samples(data / "examples" / "mbpp_samples.jsonl", RIGHT)
    assert main(call) == 0
    assert lines(tmp_path / "out") == 1


def test_what_a_program_said_is_kept_short_and_without_folders() -> None:
    folder = "/tmp/midline-mbxp-ab12/7/program/"
    assert shorten(f'File "{folder}main.py", line 3\n\n  x\n') == 'File "main.py", line 3\n  x'
    long = shorten("a" * 5000 + "\n" + "b" * 5000)
    assert len(long) < 600
    assert long.startswith("a")
    assert long.endswith("b")
