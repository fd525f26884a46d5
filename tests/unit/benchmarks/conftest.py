"""What every test of `midline-bench` has."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def log_of_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Failing calls are logged where `home` has its log, never in the user's own."""
    monkeypatch.setattr("midline.server.logs.log_folder", lambda: tmp_path / "home" / "logs")
