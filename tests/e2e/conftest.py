"""What several tests of whole processes share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from midline.server.daemon.control import stop


@pytest.fixture
def engine_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home of the test's own, whose engine process is ended behind the test."""
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MIDLINE_ENGINE_SECONDS", "20")
    yield
    assert all(report["ended"] for report in stop())
