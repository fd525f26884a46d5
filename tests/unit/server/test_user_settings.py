"""The user's own settings: kept in a file, a pause ends by itself."""

import json
from pathlib import Path

import pytest

from midline.model.errors import MidlineError
from midline.server.user_settings import read_user_settings, settings_path, write_user_settings


def test_settings_are_kept_and_changed(home: Path) -> None:
    assert read_user_settings() == {}
    write_user_settings({"temperature": 0.3})
    write_user_settings({"threads": 2})
    assert read_user_settings() == {"temperature": 0.3, "threads": 2}
    assert settings_path() == home / "settings.json"


def test_a_pause_is_over_when_its_time_is(home: Path) -> None:
    write_user_settings({"enabled": False}, seconds=60)
    until = json.loads(settings_path().read_text())["pausedUntil"]
    assert read_user_settings(now=until - 1) == {"enabled": False}
    assert read_user_settings(now=until + 1) == {}
    write_user_settings({"enabled": True})
    assert read_user_settings() == {"enabled": True}


@pytest.mark.parametrize("text", ["[1]", "{", "\xff"])
def test_a_file_that_is_no_object_is_one_sentence(home: Path, text: str) -> None:
    home.mkdir(parents=True)
    settings_path().write_text(text, "latin-1")
    with pytest.raises(MidlineError, match="mend or delete it"):
        read_user_settings()
