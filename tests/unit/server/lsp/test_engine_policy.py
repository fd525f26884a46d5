"""The engine's share of the machine: memory, threads on battery, and time for idle work."""

import math
import os
import threading
from pathlib import Path

import pytest

from midline.model.errors import MidlineError
from midline.server.lsp import engine_policy
from midline.server.lsp.engine_policy import (
    BEYOND_THE_FILE,
    IdleBudget,
    Policy,
    be_nice,
    threads_now,
)


class Machine:
    """Clocks that pass when they are told to."""

    def __init__(self) -> None:
        self.now = self.used = 0.0
        self.battery = False
        self.budget = IdleBudget(lambda: self.now, lambda: self.used, lambda: self.battery)

    def work(self, seconds: float) -> None:
        """All processors work for so many seconds."""
        self.now += seconds
        self.used += seconds * (os.cpu_count() or 1)


def test_idle_work_takes_its_share_in_the_long_run() -> None:
    machine, policy, worked = Machine(), Policy(idle_share=0.25), 0.0
    machine.budget.begin()
    while machine.now < 1000:
        wait = machine.budget.wait(policy)
        if wait > 0:
            machine.now += wait
        else:
            machine.work(0.5)
            worked += 0.5
    share = worked / machine.now
    # What was saved up before is 20 seconds' worth, and a step may overdraw by itself.
    assert 0.25 <= share <= 0.25 + (0.25 * 20 + 1) / 1000


def test_a_pause_is_enough_for_reading_ahead() -> None:
    machine, policy = Machine(), Policy(idle_share=0.25)
    machine.budget.begin()
    machine.work(3.0)
    assert machine.budget.wait(policy) == 0
    machine.work(5.0)
    assert machine.budget.wait(policy) > 0


def test_what_was_not_idle_work_is_not_counted() -> None:
    machine, policy = Machine(), Policy(idle_share=0.25)
    machine.work(1000.0)
    machine.budget.begin()
    assert machine.budget.wait(policy) == 0


def test_a_share_of_nothing_and_a_battery_allow_no_idle_work() -> None:
    machine = Machine()
    assert machine.budget.wait(Policy(idle_share=0)) == math.inf
    machine.battery = True
    machine.now += 10
    assert machine.budget.wait(Policy()) == math.inf
    assert machine.budget.wait(Policy(save_battery=False)) == 0


def test_fewer_threads_on_battery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_policy, "thread_count", lambda: 8)
    monkeypatch.setattr(engine_policy, "on_battery", lambda: True)
    assert threads_now(None, save_battery=True) == 4
    assert threads_now(3, save_battery=True) == 3
    assert threads_now(None, save_battery=False) is None
    monkeypatch.setattr(engine_policy, "on_battery", lambda: False)
    assert threads_now(None, save_battery=True) is None


def test_a_model_that_needs_more_memory_than_allowed_is_refused(tmp_path: Path) -> None:
    model = tmp_path / "a.gguf"
    model.write_bytes(bytes(1000))
    Policy().check_memory(model)
    Policy(memory_bytes=BEYOND_THE_FILE + 1000).check_memory(model)
    with pytest.raises(MidlineError, match=r"memoryMegabytes allows 349; allow more"):
        Policy(memory_bytes=BEYOND_THE_FILE - 1).check_memory(model)


def test_a_nice_thread_is_nice_alone() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before, seen = niceness(), []

    def run() -> None:
        be_nice(0)
        seen.append(niceness())
        be_nice(min(19, before + 3))
        seen.append(niceness())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before, min(19, before + 3)] and niceness() == before
