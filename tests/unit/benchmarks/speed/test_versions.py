"""Two installations timed in pairs: which is called faster, and what cannot be measured."""

import json
from pathlib import Path

import pytest

from midline.benchmarks import installations
from midline.benchmarks.main import main
from midline.benchmarks.speed import versions

PROGRAM = """#!/usr/bin/env python3
import json, sys
if "--version" in sys.argv:
    print("midline 9")
elif sys.argv[1] == "mbxp":
    assert open(sys.argv[3]).read() == "samples"
else:
    print(json.dumps({{"timings": {{"load_ms": {load}, "prefill_ms": {prefill},
                                    "decode_tokens_per_second": {decode}}}}}))
"""


def install(folder: Path, load: float, prefill: float, decode: float) -> Path:
    folder.mkdir()
    for name in ("midline", "midline-bench"):
        path = folder / name
        path.write_text(PROGRAM.format(load=load, prefill=prefill, decode=decode))
        path.chmod(0o755)
    return folder / "midline"


def compare(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own: Path, *words: str
) -> dict[str, dict]:
    monkeypatch.setattr(installations.sys, "executable", str(own.parent / "python"))
    monkeypatch.setattr(versions, "PAUSE", 0.0)
    out = tmp_path / "out.json"
    assert main(["speed", "versions", *words, "--runs", "2", "--json", str(out)]) == 0
    return {row["name"]: row for row in json.loads(out.read_text())["rows"]}


def test_a_ratio_above_one_means_faster_than_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = install(tmp_path / "own", 100, 50, 40)
    other = install(tmp_path / "other", 200, 40, 10)
    samples = tmp_path / "samples.jsonl"
    samples.write_text("samples")
    rows = compare(monkeypatch, tmp_path, own, str(other), "--mbxp", str(samples))
    assert rows["load"]["pair_ratios"] == [2.0, 2.0]
    assert rows["prefill"]["ratio"] == pytest.approx(0.8)
    assert rows["decode-dense"]["ratio"] == pytest.approx(4.0)
    assert len(rows["mbxp"]["midline"]) == 2
    assert "2.000x as fast" in capsys.readouterr().out


def test_without_samples_no_program_is_executed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = install(tmp_path / "own", 1, 1, 1)
    rows = compare(monkeypatch, tmp_path, own, str(own))
    assert "mbxp" not in rows
    assert rows["start"]["other"]


def test_what_cannot_be_run_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = install(tmp_path / "own", 1, 1, 1)
    monkeypatch.setattr(installations.sys, "executable", str(own.parent / "python"))
    assert main(["speed", "versions", str(tmp_path / "none")]) == 2
    assert "none is not a command" in capsys.readouterr().err
    assert main(["speed", "versions", str(own), "--mbxp", str(tmp_path / "none")]) == 2
    assert "none is not a file" in capsys.readouterr().err


def test_the_load_of_others_is_that_which_no_run_used() -> None:
    before = versions.BackgroundLoad(clock=10.0, everyone=100.0, ours=0.0)
    after = versions.BackgroundLoad(clock=20.0, everyone=115.0, ours=0.0)
    assert versions._elsewhere(before, after, spent=10.0) == pytest.approx(0.5)
    assert versions._elsewhere(before, after, spent=20.0) == 0.0
    assert versions._elsewhere(None, after, spent=1.0) is None
