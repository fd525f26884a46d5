"""`midline-bench speed samples-curve` on a tiny model: times, traffic and memory of its rows."""

import json

import pytest

from midline.benchmarks.main import main
from midline.benchmarks.speed.samples_curve import COUNTS, Traffic, draw, measure
from midline.model.runtime.prefix_tree import PrefixTree


@pytest.fixture
def result(tiny_qwen2, tmp_path, home, capsys):
    path, plot = tmp_path / "curve.json", tmp_path / "curve.png"
    words = ["--model", str(tiny_qwen2), "--tokens", "5", "--context", "70", "--runs", "2"]
    drawn = ["--threads", "1", "--json", str(path)]
    assert main(["speed", "samples-curve", *words, *drawn]) == 0
    assert "MB over one's" in capsys.readouterr().out
    found = json.loads(path.read_text())
    pytest.importorskip("matplotlib")
    draw(found, plot)
    assert plot.stat().st_size > 10_000
    return found


def test_rows(result):
    rows = {(r["samples"], r["output_matrix"]): r for r in result["rows"] if r["context"] == 70}
    assert set(rows) == {(1, "screened"), *((count, "exact") for count in COUNTS)}
    one, eight = rows[1, "exact"], rows[8, "exact"]
    assert one["over_one"] == 1 and one["megabytes_over_one"] == 0
    first, second = zip(eight["seconds"], one["seconds"], strict=True)
    ratio = (first[0] / first[1] + second[0] / second[1]) / 2
    assert eight["over_one"] == pytest.approx(ratio)
    assert eight["milliseconds_per_step"] == pytest.approx(sum(eight["seconds"]) / 2 / 5 * 1e3)


def test_samples_hold_tails_and_no_copy_of_the_prompt(result):
    page = 32 * result["kv_bytes_per_token"]
    for row in result["rows"]:
        assert row["memory_over_tails"] == 1
        # 70 tokens and 5 more end in the page that the prompt ends in, which each has of its own.
        assert row["tail_megabytes"] == pytest.approx(row["samples"] * page / 1e6)


def test_a_copy_of_the_prompt_would_show(tiny_qwen2, tmp_path, home, monkeypatch):
    fork = PrefixTree.fork

    def copying(cache, sequence):
        own = fork(cache, sequence)
        for i, page in enumerate(own.pages):
            own.pages[i] = cache.pool.copy(page)
            cache.pool.drop(page)
        return own

    monkeypatch.setattr(PrefixTree, "fork", copying)
    rows = measure(tiny_qwen2, 1, 5, 70, runs=1)["rows"]
    # Of three pages each should have had one of its own.
    assert all(row["memory_over_tails"] == 3 for row in rows)


def test_traffic_reads_what_is_shared_once():
    found = Traffic(weight_bytes=1000, kv_bytes=2).step(context=100, samples=4, tokens=9)
    assert (found["shared_bytes"], found["tail_bytes"]) == (200, 40)
    assert (found["step_bytes"], found["unshared_step_bytes"]) == (1240, 1840)


def test_too_long_a_context_is_refused(tiny_qwen2, home, capsys):
    words = ["--model", str(tiny_qwen2), "--context", "100000"]
    assert main(["speed", "samples-curve", *words, "--threads", "1"]) == 2
    assert "--context 100000 with 16 tokens is more than" in capsys.readouterr().err
