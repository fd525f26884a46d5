"""Processor time and memory of a process and of those that it has started; Linux tells, others do
not.
"""

import os
from collections.abc import Iterator
from pathlib import Path

PROCESSES = Path("/proc")


def processor_seconds(pid: int) -> float | None:
    """User and system seconds of `pid` and its living descendants; None if it is unknown."""
    own = _fields(pid)
    if own is None:
        return None
    ticks = sum(_ticks(fields) for fields in (own, *_descendants(pid)))
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_bytes(pid: int) -> int | None:
    """The most memory that `pid` has had in RAM, shared files included; None if it is unknown."""
    try:
        lines = (PROCESSES / str(pid) / "status").read_text().splitlines()
    except OSError:
        return None
    found = [line.split() for line in lines if line.startswith("VmHWM:")]
    return int(found[0][1]) * 1024 if found else None


def _ticks(fields: list[str]) -> int:
    """Of the process itself and of its children that have ended."""
    return sum(map(int, fields[11:15]))


def _fields(pid: int) -> list[str] | None:
    """What /proc says behind the name of the program: state, parent, ..."""
    try:
        return (PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _descendants(pid: int) -> Iterator[list[str]]:
    children: dict[int, list[tuple[int, list[str]]]] = {}
    for entry in PROCESSES.glob("[0-9]*"):
        fields = _fields(int(entry.name))
        if fields is not None:
            children.setdefault(int(fields[1]), []).append((int(entry.name), fields))
    waiting = [pid]
    while waiting:
        for child, fields in children.get(waiting.pop(), []):
            yield fields
            waiting.append(child)
