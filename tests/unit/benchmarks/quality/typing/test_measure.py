"""`midline-bench quality typing` from the command line, at a server whose model is known."""

import functools
import json
import sys
from pathlib import Path

import pytest
from editor import FAKE_SERVER
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.main import main
from midline.benchmarks.quality.typing import measure, rhythm
from midline.benchmarks.quality.typing.editor import serving

TEXT = "\n".join(f"value_{number} = {number}" for number in range(200))


def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    fake = {"log": str(tmp_path / "asked"), "folder": str(tmp_path), "answer": "1"}
    monkeypatch.setenv("MIDLINE_FAKE", json.dumps(fake))
    command = (sys.executable, "-P", str(FAKE_SERVER))
    monkeypatch.setattr(measure, "serving", functools.partial(serving, command=command))
    fast = rhythm.Rhythm(key=0.01, think=0.6, think_spread=0.0, pauses=0.0, jump=0.0)
    monkeypatch.setitem(rhythm.RHYTHMS, "human", fast)
    model = write_tiny_model(tmp_path / "tiny.gguf", QWEN2)
    (tmp_path / "a.py").write_text(TEXT)
    options = ["--model", str(model), "--lines", "4", "--block", "2", "--oracle", "none"]
    return main(["quality", "typing", str(tmp_path / "a.py"), *options, *words])


def test_a_run_is_recorded_and_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trace, result = tmp_path / "trace.jsonl", tmp_path / "result.json"
    words = ["--trace", str(trace), "--json", str(result), "--show"]
    assert call(tmp_path, monkeypatch, *words) == 0
    found = json.loads(result.read_text())
    assert [row["language"] for row in found["rows"]] == ["all", "python"]
    assert found["rows"][0]["pauses"] == len(found["positions"]) == 4
    assert found["lines"] == 4 and found["files"][0]["name"] == "a.py"
    assert found["rows"][0]["seconds"] > 4 * 0.6
    assert "midline    all" in capsys.readouterr().out
    lines = trace.read_text().splitlines()
    assert len(lines) == 3
    trace.write_text("\n".join(lines[:2]) + "\n" + lines[2][:50])
    assert call(tmp_path, monkeypatch, *words) == 0
    assert len(trace.read_text().splitlines()) == 3
    assert trace.read_text().splitlines()[1] == lines[1]
    assert call(tmp_path, monkeypatch, *words, "--seed", "7") == 1
    assert "other options" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["--option", "maxTokens"], ["--option", "x=y"], ["--lines", "0"]]
)
def test_wrong_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert call(tmp_path, monkeypatch, *words) == 2
    assert capsys.readouterr().err.startswith("midline-bench: ")
