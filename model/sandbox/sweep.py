"""Cleanup after a sandbox's supervisor was killed: ends the programs that it supervised.

A program cannot kill its supervisor, but the kernel may, when memory runs out. The programs then
become children of this process, which recognizes them by their system call filter, or by a user
that runs nothing else.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection
from functools import cache
from pathlib import Path

from midline.model.sandbox.accounting import descendants

PR_SET_CHILD_SUBREAPER = 36
FILTERS = "Seccomp_filters:"
BUBBLEWRAP = "bwrap"
SWEEP_SECONDS = 5.0
PAUSE_SECONDS = 0.002


@cache
def adopt_orphans() -> None:
    """Make orphaned descendants children of this process, instead of the system's init."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def sweep(user: int | None, running: Collection[int]) -> None:
    """Kill programs without a supervisor; `user`: one that only programs run as, if any.

    `running` are the supervisors that are still at work.
    """
    deadline = time.monotonic() + SWEEP_SECONDS
    while (left := [*_orphans(running), *_processes_of(user)]) and time.monotonic() < deadline:
        for process in left:
            for victim in (process, *descendants(process)):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(victim, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, os.WNOHANG)
        time.sleep(PAUSE_SECONDS)


def reap(running: Collection[int]) -> None:
    """Reap what bubblewrap left: its first process ends before the one that waits inside, which
    thereby becomes a child of this process and would stay in the process table.
    """
    for child in _children():
        if child not in running and _is_zombie(child) and _name(child) == BUBBLEWRAP:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)


def _orphans(running: Collection[int]) -> list[int]:
    """Children that this process did not start: they have more filters than it has itself."""
    own = _number(os.getpid(), FILTERS)
    found = [child for child in _children() if child not in running]
    return [child for child in found if _number(child, FILTERS) > own]


def _children() -> list[int]:
    found: list[int] = []
    for thread in _listing("/proc/self/task"):
        with contextlib.suppress(OSError):
            children = Path(f"/proc/self/task/{thread}/children").read_text()
            found += map(int, children.split())
    return found


def _name(process: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/comm").read_text().strip()
    return ""


def _processes_of(user: int | None) -> list[int]:
    if user is None:
        return []
    numbers = [int(name) for name in _listing("/proc") if name.isdigit()]
    return [n for n in numbers if _number(n, "Uid:") == user and not _is_zombie(n)]


def _number(process: int, field: str) -> int:
    """First number of a line of a process's status; -1 if there is none."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1])
    return -1


def _is_zombie(process: int) -> bool:
    with contextlib.suppress(OSError):
        return "\nState:\tZ" in Path(f"/proc/{process}/status").read_text()
    return True


def _listing(folder: str) -> list[str]:
    with contextlib.suppress(OSError):
        return os.listdir(folder)
    return []
