"""Finding the engine process or starting it: none, another version's, one that cannot start."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from listener import Listener

from midline.server.daemon import handshake
from midline.server.daemon.control import stop
from midline.server.daemon.places import NoEngineProcessError, own_place, shared_place
from midline.server.daemon.starting import Starter

PROCESS = str(Path(__file__).parents[3] / "fake_engine_process.py")
STARTER = Starter((sys.executable, "-P", PROCESS))


@pytest.fixture(autouse=True)
def _private_home(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MIDLINE_FAKE", json.dumps({"folder": str(tmp_path), "log": "unused"}))
    monkeypatch.setenv("MIDLINE_ENGINE_SECONDS", "20")
    yield
    stop()


def test_one_that_is_not_there_is_started_and_then_found() -> None:
    with STARTER.connect() as one, STARTER.connect() as two:
        assert one.reply.welcome and one.reply.pid == two.reply.pid
        assert two.reply.clients >= 1


def test_one_of_another_version_that_nobody_uses_has_to_leave(
    listening: Callable[..., Listener],
) -> None:
    other = listening(shared_place())
    with STARTER.connect() as connection:
        assert connection.reply.welcome and not connection.reply.is_other
    assert [said["role"] for said in other.heard] == ["lsp", "retire"]
    assert shared_place().socket.exists() and not own_place().socket.exists()


def test_one_of_another_version_that_somebody_uses_may_stay(
    listening: Callable[..., Listener],
) -> None:
    other = listening(shared_place(), clients=1)
    with STARTER.connect() as connection:
        assert connection.reply.welcome and not connection.reply.is_other
    assert own_place().socket.exists()
    assert "retire" in [said["role"] for said in other.heard]


def test_one_that_hangs_is_one_sentence(
    listening: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    listening(shared_place(), is_silent=True)
    monkeypatch.setattr(handshake, "SECONDS", 0.1)
    with pytest.raises(NoEngineProcessError, match="does not answer; `midline engine stop`"):
        STARTER.connect()


def test_one_that_cannot_start_is_one_sentence() -> None:
    with pytest.raises(NoEngineProcessError, match="could not start; "):
        Starter((sys.executable, "-c", "raise SystemExit(3)")).connect()
