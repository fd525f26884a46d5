"""`midline corpus` as a user calls it: each action, resumption, and wrong calls."""

import errno
import json
import os
from pathlib import Path

import pytest

from midline.model.data_quality import records as reading
from midline.model.data_quality import shards as sharding
from midline.server.cli.main import main

FUNCTION = '"""Adds numbers."""\n\n\ndef add(first, second):\n    total = first + second\n    return total + {}\n'  # noqa: E501


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "texts"
    path.mkdir()
    for number in range(6):
        words = " ".join(f"w{number}x{n}" for n in range(40))
        (path / f"{number}.txt").write_text(f"{words}.\n")
    (path / "copy.txt").write_text((path / "3.txt").read_text())
    return path


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_signals_of_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["--signals", "rps_doc_word_count", "rps_lines_num_words"]
    assert main(["corpus", "signals", str(folder / "0.txt"), *names]) == 0
    size = (folder / "0.txt").stat().st_size
    assert printed(capsys) == [
        {
            "id": "0.txt",
            "quality_signals": {
                "rps_doc_word_count": [[0, size, 40.0]],
                "rps_lines_num_words": [[0, size, 40.0]],
            },
        }
    ]


def test_an_unknown_signal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpus", "signals", str(folder), "--signals", "rps_doc_words"]) == 2
    assert "did you mean rps_doc_word_count" in capsys.readouterr().err


def test_the_list_of_signals(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpus", "signals", "--list"]) == 0
    assert "code_comment_share" in capsys.readouterr().out


def test_an_empty_corpus_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    assert main(["corpus", "signals", str(tmp_path)]) == 0
    assert "there was no document to read" in capsys.readouterr().err
    assert main(["corpus", "signals"]) == 2


def test_broken_lines_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "one"}\n{"text": \nnothing\n')
    assert main(["corpus", "signals", str(path)]) == 0
    found = capsys.readouterr()
    assert len(found.out.splitlines()) == 1 and f"2 {reading.BROKEN}" in found.err


def test_selection_says_what_was_dropped_by_which_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(15):
        (tmp_path / f"{number:02}.py").write_text("# @generated\n" + FUNCTION.format(number))
    (tmp_path / "own.py").write_text(FUNCTION.format(1))
    assert main(["corpus", "select", str(tmp_path), "--filter", "code"]) == 0
    found = capsys.readouterr()
    (row,) = map(json.loads, found.out.splitlines())
    assert (row["id"], row["text"]) == ("own.py", FUNCTION.format(1))
    assert "15 dropped: code_generated_header <= 0" in found.err
    assert found.err.count(".py") == 10  # examples


def test_selection_by_a_target(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    like = ["--like", str(folder / "2.txt"), "--keep", "1"]
    assert main(["corpus", "select", str(folder), *like]) == 0
    assert [row["id"] for row in printed(capsys)] == ["2.txt"]
    assert main(["corpus", "select", str(folder), "--like", str(folder)]) == 2
    assert main(["corpus", "select", str(folder)]) == 2


def test_duplicates_are_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rensa")
    near = (folder / "1.txt").read_text().replace("w1x39", "other")
    (folder / "near.txt").write_text(near)
    assert main(["corpus", "dedup", str(folder)]) == 0
    found = capsys.readouterr()
    assert [json.loads(line)["id"] for line in found.out.splitlines()] == [
        f"{n}.txt" for n in range(6)
    ]
    assert "copy.txt = 3.txt" in found.err and "near.txt = 1.txt" in found.err
    assert main(["corpus", "dedup", str(folder), "--exact"]) == 0
    assert len(printed(capsys)) == 7


def test_overlap_with_a_benchmark(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark = folder.parent / "benchmark.jsonl"
    part = " ".join((folder / "4.txt").read_text().split()[5:25])
    benchmark.write_text(json.dumps({"task_id": "T/1", "prompt": part}) + "\n")
    assert main(["corpus", "overlap", str(folder), "--with", str(benchmark)]) == 0
    found = capsys.readouterr()
    (row,) = map(json.loads, found.out.splitlines())
    assert row["id"] == "4.txt" and row["overlaps"][0]["item"] == "T/1"
    assert row["overlaps"][0]["share"] == 1
    assert "1 of 7 documents share 13 words in a row with one of 1 benchmark items" in found.err


def test_trained_models_are_signals(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = folder.parent
    words = ["--rather-than", str(folder / "5.txt")]
    texts = str(folder / "0.txt")
    calls = {
        "grams.json": ["--ngrams", texts],
        "good.npz": ["--good", texts, *words],
        "like.npz": ["--like", texts, *words],
    }
    for name, call in calls.items():
        assert main(["corpus", "train", *call, "--out", str(home / name)]) == 0
    capsys.readouterr()
    given = ["--ngrams", str(home / "grams.json"), "--classifier", f"own={home / 'good.npz'}"]
    given += ["--importance", f"own={home / 'like.npz'}"]
    names = ["--signals", "own_importance", "ml_own_score", "ccnet_perplexity", "ccnet_bucket"]
    scores = {}
    for file in ("0.txt", "5.txt"):
        assert main(["corpus", "signals", str(folder / file), *given, *names]) == 0
        scores[file] = {k: v[0][2] for k, v in printed(capsys)[0]["quality_signals"].items()}
    for name in ("own_importance", "ml_own_score"):
        assert scores["0.txt"][name] > scores["5.txt"][name]
    assert scores["0.txt"]["ccnet_perplexity"] < scores["5.txt"]["ccnet_perplexity"]
    assert main(["corpus", "signals", texts, "--ngrams", str(home / "good.npz")]) == 2


def test_a_killed_run_continues_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sharding, "RANGE", 200)
    path, out = tmp_path / "a.jsonl", tmp_path / "out"
    path.write_text("".join(json.dumps({"id": n, "text": f"line {n}"}) + "\n" for n in range(40)))
    call = ["corpus", "signals", str(path), "--signals", "rps_doc_word_count", "--out", str(out)]
    reads, original = [], sharding.jsonl_records

    def dying(*args, **kwargs):
        reads.append(args)
        if len(reads) == 4:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    monkeypatch.setattr(sharding, "jsonl_records", dying)
    assert main(call) == 130
    assert "the same command continues" in capsys.readouterr().err
    done = sorted(out.glob("*.jsonl"))
    assert len(done) == 3
    times = [file.stat().st_mtime_ns for file in done]
    assert main(call) == 0
    assert [file.stat().st_mtime_ns for file in done] == times
    shards = sorted(out.glob("*.jsonl"))
    rows = [json.loads(line) for shard in shards for line in shard.read_text().splitlines()]
    assert [row["id"] for row in rows] == [str(n) for n in range(40)]
    assert "40 documents read, 40 written" in capsys.readouterr().err


def test_a_filter_file_with_an_unknown_signal(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.toml").write_text('[[rule]]\nsignal = "rps_doc_words"\nmin = 1\n')
    call = ["corpus", "select", str(folder), "--filter", str(tmp_path / "mine.toml")]
    assert main([*call, "--out", str(tmp_path / "kept")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "did you mean rps_doc_word" in said
    assert not (tmp_path / "kept").exists()


def test_links_in_a_circle_and_bytes_that_are_not_utf8(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.txt").write_bytes(b"three plain words \xff\xfe\n")
    (corpus / "inner").symlink_to(corpus, target_is_directory=True)
    (corpus / "loop").symlink_to("loop")
    assert main(["corpus", "signals", str(corpus), "--signals", "rps_doc_word_count"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1 and "UTF-8" in err


def test_a_full_disk_while_signals_are_written(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    call = ["corpus", "signals", str(folder), "--out", str(tmp_path / "out")]
    assert main(call) == 1
    said = capsys.readouterr().err
    assert "is full; free some space and run the same command" in said
    monkeypatch.undo()
    assert main(call) == 0
    assert any((tmp_path / "out").glob("shard-*.jsonl"))
