"""The `midline` command as a process."""

import subprocess
import sys
from pathlib import Path

from midline.server.cli.main import PROGRAM


def _midline(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "midline.server.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, **more)


def test_help_names_every_command_and_shows_examples(home: Path) -> None:
    done = _midline("--help")
    assert done.returncode == 0
    for name in ("model", "complete", "generate", "serve", "doctor"):
        assert f"\n  {name} " in done.stdout
        assert name in PROGRAM.commands
    assert "examples:" in done.stdout


def test_a_closed_pipe_is_no_failure_to_report(home: Path) -> None:
    command = [sys.executable, "-P", "-m", "midline.server.cli.main", "model", "list"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait() == 1
    process.stderr.close()
