"""Two installations side by side: what counts as different, and what is said about it."""

import json
from pathlib import Path

import pytest

from midline.benchmarks.main import main
from midline.benchmarks.quality.identical import measure

PROGRAM = """#!/usr/bin/env python3
import json, sys
words = sys.argv[1:]
if words[0] == "complete":
    assert open(words[1].rsplit(":", 2)[0]).read()
text = "{text}" if "--samples" not in words else "x"
print(json.dumps({{"timings": {{"load_ms": {load}}}, "cached_tokens": {cached},
                  "completions": [{{"text": text, "tokens": 2}}]}}))
"""


def install(folder: Path, text: str, load: int, cached: int = 0) -> Path:
    folder.mkdir()
    path = folder / "midline"
    path.write_text(PROGRAM.format(text=text, load=load, cached=cached))
    path.chmod(0o755)
    return path


def compare(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own: Path, other: Path
) -> tuple[int, dict[str, dict]]:
    monkeypatch.setattr(measure.sys, "executable", str(own.parent / "python"))
    out = tmp_path / "out.json"
    words = [str(other), "--prompts", "2", "--cursors", "1", "--json", str(out)]
    status = main(["quality", "identical", *words])
    return status, {row["mode"]: row for row in json.loads(out.read_text())["rows"]}


def test_timings_do_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own, other = install(tmp_path / "a", "x", 1), install(tmp_path / "b", "x", 2)
    status, rows = compare(monkeypatch, tmp_path, own, other)
    assert status == 0
    assert [row["calls"] for row in rows.values()] == [2, 2, 2, 2, 1]
    assert all(row["different"] == row["other_texts"] == [] for row in rows.values())


def test_texts_and_all_else_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, other = install(tmp_path / "a", "x", 1), install(tmp_path / "b", "y", 1, cached=1)
    status, rows = compare(monkeypatch, tmp_path, own, other)
    assert status == 1
    assert len(rows["greedy"]["other_texts"]) == len(rows["greedy"]["different"]) == 2
    assert rows["sampled"]["other_texts"] == [] and len(rows["sampled"]["different"]) == 2
    assert "sampled  2 calls, 4 tokens: 0 with other texts, 2 different" in capsys.readouterr().out


def test_what_cannot_be_run_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = install(tmp_path / "a", "x", 1)
    monkeypatch.setattr(measure.sys, "executable", str(own.parent / "python"))
    assert main(["quality", "identical", str(tmp_path / "none")]) == 2
    assert "none is not a command" in capsys.readouterr().err
    broken = install(tmp_path / "b", "x", 1)
    broken.write_text("#!/bin/sh\necho 'no model' >&2\nexit 1\n")
    assert main(["quality", "identical", str(broken), "--mode", "greedy"]) == 1
    assert "failed for greedy" in capsys.readouterr().err
