"""The folder of the socket: the user's own, private, and short enough."""

import os
import stat
from pathlib import Path

import pytest

from midline.server.daemon import places
from midline.server.daemon.places import (
    NoEngineProcessError,
    all_places,
    build,
    own_place,
    private_folder,
    shared_place,
)


def test_a_home_of_the_users_choice_has_the_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path))
    assert shared_place().socket == tmp_path / "run" / "engine.sock"
    assert own_place().socket == tmp_path / "run" / f"engine-{build()}.sock"


def test_without_one_it_is_in_the_folder_of_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MIDLINE_HOME", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert shared_place().folder == tmp_path / "midline"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "missing"))
    monkeypatch.setattr(places.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    assert shared_place().folder == tmp_path / "tmp" / f"midline-{os.getuid()}"


def test_a_path_too_long_for_a_socket_has_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path / ("long" * 40)))
    one = shared_place()
    assert len(os.fsencode(one.socket)) < 104
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path / ("other" * 40)))
    assert shared_place() != one


def test_a_folder_is_made_private(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "a" / "run")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)
    assert stat.S_IMODE(private_folder(folder).stat().st_mode) == 0o700


def test_what_is_no_folder_of_ones_own_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoEngineProcessError, match="cannot be made"):
        private_folder(tmp_path / "file" / "run")
    with pytest.raises(NoEngineProcessError, match="cannot be made"):
        private_folder(tmp_path / "file")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(NoEngineProcessError, match="belongs to another user or is no folder"):
        private_folder(tmp_path / "link")
    monkeypatch.setattr(os, "getuid", lambda: 123456)
    with pytest.raises(NoEngineProcessError, match="belongs to another user"):
        private_folder(tmp_path / "real")


def test_every_socket_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path))
    assert all_places() == []
    private_folder(shared_place().folder)
    shared_place().socket.touch()
    own_place().socket.touch()
    assert set(all_places()) == {shared_place(), own_place()}
