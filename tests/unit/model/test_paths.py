"""Folders follow MIDLINE_HOME, or the platform."""

from pathlib import Path

import platformdirs
import pytest

from midline.model import paths as storage


def test_everything_is_under_midline_home(home: Path) -> None:
    for folder in (
        storage.models_folder(),
        storage.parts_folder(),
        storage.packed_folder(),
        storage.log_folder(),
    ):
        assert folder.parent == home


def test_a_tilde_means_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDLINE_HOME", "~/models-here")
    assert storage.cache_folder() == Path.home() / "models-here"


def test_without_it_the_platform_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIDLINE_HOME", raising=False)
    assert storage.models_folder().parent == Path(platformdirs.user_cache_dir("midline", False))
    assert storage.log_folder() == Path(platformdirs.user_log_dir("midline", False))
