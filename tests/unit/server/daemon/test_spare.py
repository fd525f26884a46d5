"""The spare: takes over from a killed process, and from no other."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from midline.server.daemon.places import Place
from midline.server.daemon.spare import HAS_SPARE, Spare

pytestmark = pytest.mark.skipif(not HAS_SPARE, reason="this system has no spare")
PROGRAM = """
import os, sys, time
from pathlib import Path
from midline.server.daemon import spare
from midline.server.daemon.places import Place

folder, spare.LEAST_SECONDS = Path(sys.argv[1]), float(sys.argv[2])

def run(own):
    with (folder / "lives").open("a") as lives:
        lives.write(f"{os.getpid()}\\n")
    while not (folder / "over").exists():
        time.sleep(0.005)
    return 7

sys.exit(spare.run_with_spare(Place(folder, "engine"), run))
"""


def begun(folder: Path, least: float = 0.0) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-P", "-c", PROGRAM, str(folder), str(least)]
    return subprocess.Popen(command, start_new_session=True)


def lives(folder: Path) -> list[int]:
    """The processes that have run so far."""
    path = folder / "lives"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, if perhaps nobody has asked for its status yet."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


def members(group: int) -> list[int]:
    """Processes of a group that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(path.name)) == group and not is_gone(int(path.name)):
                found.append(int(path.name))
        except OSError:
            continue
    return found


def test_a_killed_process_is_replaced_again_and_again(tmp_path: Path) -> None:
    process = begun(tmp_path)
    for count in range(1, 4):
        until(lambda count=count: len(lives(tmp_path)) == count)  # type: ignore[misc]
        os.kill(lives(tmp_path)[-1], signal.SIGKILL)
    until(lambda: len(lives(tmp_path)) == 4)
    assert process.wait(30) == -signal.SIGKILL and len(set(lives(tmp_path))) == 4
    (tmp_path / "over").touch()
    until(lambda: members(process.pid) == [])


def test_an_end_that_is_meant_ends_the_spare(tmp_path: Path) -> None:
    (tmp_path / "over").touch()
    process = begun(tmp_path)
    assert process.wait(30) == 7
    until(lambda: members(process.pid) == [])
    assert len(lives(tmp_path)) == 1


def test_a_process_that_was_killed_at_once_is_not_replaced(tmp_path: Path) -> None:
    process = begun(tmp_path, least=1000)
    until(lambda: len(lives(tmp_path)) == 1)
    process.kill()
    process.wait(30)
    until(lambda: members(process.pid) == [])
    assert len(lives(tmp_path)) == 1


def test_a_process_that_was_ended_because_it_hangs_is_not_replaced(tmp_path: Path) -> None:
    process = begun(tmp_path)
    until(lambda: len(lives(tmp_path)) == 1)
    Place(tmp_path, "engine").ended_note.touch()
    process.kill()
    process.wait(30)
    until(lambda: members(process.pid) == [])
    assert len(lives(tmp_path)) == 1


def test_there_may_be_no_spare() -> None:
    spare = Spare()
    spare.dismiss()
    spare.dismiss()
