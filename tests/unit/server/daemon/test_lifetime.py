"""When the engine process ends, and when its model leaves memory."""

from typing import Any

import pytest

from midline.model.errors import UsageError
from midline.server.daemon.lifetime import Lifetime, linger_seconds
from midline.server.lsp.engine_policy import Policy
from midline.server.lsp.engine_thread import EngineThread


class World:
    """A lifetime whose clock, battery and memory are the test's."""

    def __init__(self, linger: float | None = None, **policy: Any) -> None:
        self.now, self.battery, self.memory = 0.0, False, 1000
        self.thread = EngineThread()
        self.thread.engine = object()  # type: ignore[assignment]
        self.thread.used_at = 0.0
        self.thread.policy = Policy(**policy)
        self.life = Lifetime(
            self.thread,
            linger,
            clock=lambda: self.now,
            battery=lambda: self.battery,
            memory=lambda: self.memory,
        )


def test_the_process_stays_with_clients_and_a_while_after_them() -> None:
    world = World(linger_seconds=600)
    world.now = 10_000
    assert not world.life.is_over(clients=1)
    world.life.client_left()
    world.now += 599
    assert not world.life.is_over(clients=0)
    world.now += 1
    assert world.life.is_over(clients=0)
    assert World(linger=0.0, linger_seconds=600).life.is_over(clients=0)


def test_an_unused_model_leaves_memory() -> None:
    world = World(release_seconds=900)
    world.now = 899
    assert world.life.reason_to_release() == ""
    world.now = 900
    assert "not used" in world.life.reason_to_release()
    world.thread.engine = None
    assert world.life.reason_to_release() == ""


def test_every_rest_of_the_engine_is_told_once() -> None:
    world = World()
    world.now = 4.9
    assert not world.life.is_quiet_again()
    world.now = 5
    assert [world.life.is_quiet_again() for _ in range(3)] == [True, False, False]
    world.thread.used_at = 6
    world.now = 10
    assert not world.life.is_quiet_again()
    world.now = 20
    assert [world.life.is_quiet_again() for _ in range(3)] == [True, False, False]


def test_memory_beyond_the_ceiling_is_freed() -> None:
    world = World(memory_bytes=1000)
    assert world.life.reason_to_release() == ""
    world.memory = 1001
    assert "may take 1000" in world.life.reason_to_release()


def test_a_change_of_power_loads_the_model_anew_when_nobody_types() -> None:
    world = World()
    world.battery, world.now = True, 11
    world.thread.used_at = 7
    assert world.life.reason_to_release() == ""
    world.now = 13
    assert "battery" in world.life.reason_to_release()
    world.now = 30
    assert world.life.reason_to_release() == ""


def test_the_environment_goes_before_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDLINE_ENGINE_SECONDS", "1.5")
    assert linger_seconds() == 1.5
    monkeypatch.setenv("MIDLINE_ENGINE_SECONDS", "soon")
    with pytest.raises(UsageError, match="must be a number"):
        linger_seconds()
    monkeypatch.delenv("MIDLINE_ENGINE_SECONDS")
    assert linger_seconds() is None
