"""What a log file does, and what it must never do."""

import logging
from pathlib import Path

import pytest

from midline.server.logs import close_log, log_path, log_to_file


def test_records_of_midline_go_to_the_file_and_nowhere_else(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log_to_file()
    assert not log_path().exists()
    logging.getLogger("midline.model.somewhere").info("a record")
    logging.getLogger("elsewhere").info("not this")
    close_log()
    assert "INFO midline.model.somewhere: a record" in log_path().read_text("utf-8")
    assert "not this" not in log_path().read_text("utf-8")
    assert capfd.readouterr() == ("", "")


def test_an_unwritable_log_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path / "file"))
    log_to_file()
    logging.getLogger("midline").error("lost")
    close_log()
    assert capfd.readouterr() == ("", "")


def test_opening_twice_writes_once(home: Path) -> None:
    log_to_file()
    log_to_file()
    logging.getLogger("midline").warning("once")
    close_log()
    assert log_path().read_text("utf-8").count("once") == 1
