"""A local cluster of two workers, one of which is killed in mid-run."""

import os
import signal
import time
from pathlib import Path

import pytest
from mbxp_programs import require_language, tiny_solution, tiny_task

from midline.benchmarks.mbxp.results import RESULTS, read_results
from midline.benchmarks.mbxp.samples import Sample
from midline.benchmarks.mbxp.session import EvaluationOptions, evaluate_into
from midline.benchmarks.ray_cluster import chunks, connected, map_on_cluster
from midline.model.errors import MidlineError


def test_pieces() -> None:
    assert [list(part) for part in chunks([1, 2, 3, 4, 5], 2)] == [[1, 2], [3, 4], [5]]


def test_no_cluster_is_one_sentence() -> None:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    with pytest.raises(MidlineError, match=r"no Ray cluster answers at 127\.0\.0\.1:1; start one"):
        list(map_on_cluster("127.0.0.1:1", str, [1]))


def test_without_ray_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    known = builtins.__import__

    def without(name: str, *args: object, **more: object) -> object:
        if name == "ray":
            raise ImportError(name)
        return known(name, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MidlineError, match=r"pip install 'midline\[ray\]'"), connected("local"):
        pass


@pytest.mark.slow
def test_every_result_comes_though_a_worker_is_killed(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    folder = str(tmp_path)

    def work(number: int) -> tuple[int, int]:
        """Write who works on what; the first run of number 3 waits to be killed."""
        mark = os.path.join(folder, f"{number}-{os.getpid()}")
        open(mark, "w").close()
        first = sum(name.startswith("3-") for name in os.listdir(folder)) == 1
        time.sleep(60 if number == 3 and first else 0.05)
        return number, os.getpid()

    results = map_on_cluster("local", work, list(range(12)), processors=2)
    found = [next(results)]
    deadline = time.monotonic() + 60
    while not (marks := list(tmp_path.glob("3-*"))) and time.monotonic() < deadline:
        found.append(next(results))
    victim = int(marks[0].name.partition("-")[2])
    os.kill(victim, signal.SIGKILL)
    found += results
    assert sorted(number for number, _ in found) == list(range(12))
    assert dict(found)[3] != victim


@pytest.mark.slow
def test_verdicts_on_a_cluster_are_in_the_same_file(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    require_language("python")
    task = tiny_task("python")
    samples = [
        Sample(task, tiny_solution("python", kind), at)
        for at, kind in enumerate(("right", "wrong"))
    ]
    here, there = tmp_path / "here", tmp_path / "there"
    evaluate_into(here, samples, EvaluationOptions())
    summary = evaluate_into(there, samples, EvaluationOptions(ray="local"))
    assert [r.status for r in sorted(summary.results, key=lambda r: r.sample)] == ["pass", "wrong"]
    statuses = [
        sorted((r.sample, r.status, r.key) for r in read_results(folder / RESULTS))
        for folder in (here, there)
    ]
    assert statuses[0] == statuses[1]
    size = (there / RESULTS).stat().st_size
    evaluate_into(there, samples, EvaluationOptions(ray="local"))
    assert (there / RESULTS).stat().st_size == size  # nothing is executed twice
