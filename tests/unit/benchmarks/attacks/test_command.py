"""The attacks as a measurement: which tests are run, and where their rows go."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from midline.benchmarks.attacks import command
from midline.benchmarks.main import main

STATUS: dict[str, int] = {"status": 0}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """What pytest was asked for; it finds one row and ends as STATUS says."""
    found: list[tuple[list[str], dict[str, str]]] = []

    def run(words: list[str], *, env: dict[str, str], **_: Any) -> Any:
        found.append((words, env))
        row = {"attack": "kill -9", "tried": 200, "through": STATUS["status"], "most_seconds": 1.5}
        Path(env[command.ROWS_VARIABLE]).write_text(json.dumps([row]))
        return subprocess.CompletedProcess(words, STATUS["status"])

    monkeypatch.setattr(command.subprocess, "run", run)
    monkeypatch.setattr(command, "describe_machine", dict)
    monkeypatch.setattr(command, "describe_versions", dict)
    monkeypatch.setitem(STATUS, "status", 0)
    return found


def test_named_attacks_are_run_and_the_others_keep_their_rows(
    asked: list[tuple[list[str], dict[str, str]]], tmp_path: Path
) -> None:
    file = tmp_path / "attacks.json"
    old = [{"attack": "kill -9", "tried": 3}, {"attack": "a storm", "tried": 5}]
    file.write_text(json.dumps({"rows": old}))
    assert main(["attacks", "kills", "--json", str(file)]) == 0
    ((words, env),) = asked
    assert words[-1].endswith(os.path.join("tests", "attack", "kills"))
    assert words[words.index("-m", 3) + 1] == "attack" and env[command.MINUTES_VARIABLE] == "10.0"
    storm, kills = json.loads(file.read_text())["rows"]
    assert storm == old[1]
    assert (kills["tried"], kills["most_seconds"]) == (200, 1.5)
    assert kills["command"].startswith("midline-bench")


def test_all_attacks_are_there(asked: list[tuple[list[str], dict[str, str]]]) -> None:
    assert main(["attacks", "--minutes", "120"]) == 0
    ((words, env),) = asked
    paths = [word for word in words if os.path.join("tests", "attack") in word]
    assert len(paths) == 5 and all(Path(path).exists() for path in paths)
    assert env[command.MINUTES_VARIABLE] == "120.0"


def test_an_attack_that_gets_through_is_a_failure_and_recorded(
    asked: list[tuple[list[str], dict[str, str]]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    STATUS["status"] = 1
    assert main(["attacks", "kills", "--json", str(tmp_path / "a.json")]) == 1
    assert "got through" in capsys.readouterr().err
    assert json.loads((tmp_path / "a.json").read_text())["rows"][0]["through"] == 1


def test_an_unknown_attack_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attacks", "siege"]) == 2
    assert "there is no attack 'siege'; there is fuzz-lsp, fuzz-http" in capsys.readouterr().err
