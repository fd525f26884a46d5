"""The token: where it comes from, and which is refused."""

from pathlib import Path

import pytest

from midline.model.errors import UsageError
from midline.server.http.token import VARIABLE, find_token

TOKEN = "0123456789abcdef"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(VARIABLE, raising=False)
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o600)
    return path


def test_loopback_needs_none(file: Path) -> None:
    assert find_token("127.0.0.1", None) is None
    assert find_token("127.0.0.1", str(file)) == TOKEN


def test_another_address_needs_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"0\.0\.0\.0 is reached by other machines: write a token"):
        find_token("0.0.0.0", None)
    assert find_token("0.0.0.0", str(file)) == TOKEN
    monkeypatch.setenv(VARIABLE, TOKEN)
    assert find_token("0.0.0.0", None) == TOKEN


def test_a_file_that_others_can_read_is_refused(file: Path) -> None:
    file.chmod(0o644)
    with pytest.raises(UsageError, match=r"others can read the token file .* run chmod 600"):
        find_token("127.0.0.1", str(file))


@pytest.mark.parametrize("text", ["", "short", "ä" * 20])
def test_a_token_that_is_none_is_refused(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError, match="token"):
        find_token("127.0.0.1", str(file))


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    file.unlink()
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        find_token("127.0.0.1", str(file))
