"""What `midline engine status` and `midline engine stop` do."""

import contextlib
import os
import signal
import socket
from collections.abc import Mapping
from typing import Any

import filelock

from midline.server.daemon.handshake import STATUS, STOP, Reply, call, peer_process
from midline.server.daemon.places import Place, all_places

_SECONDS_TO_END = 10.0


def reports() -> list[dict[str, Any]]:
    """The report of every engine process of this user; one that hangs has its number only."""
    return [found for place in all_places() if (found := _report(place, STATUS)) is not None]


def stop() -> list[dict[str, Any]]:
    """End every engine process; what ended, with `ended` false where one did not."""
    found = [(place, _report(place, STOP)) for place in all_places()]
    asked = [(place, report) for place, report in found if report is not None]
    for place, report in asked:
        if not report["answers"] and report["pid"]:
            with contextlib.suppress(OSError):
                place.ended_note.touch()
            with contextlib.suppress(ProcessLookupError):
                os.kill(report["pid"], signal.SIGKILL)
        report["ended"] = _has_ended(place)
    return [report for _, report in asked]


def _report(place: Place, role: str) -> dict[str, Any] | None:
    try:
        connection = call(place, role)
    except TimeoutError:
        return {"pid": _hanging(place), "answers": False, "socket": str(place.socket)}
    if connection is None:
        return None
    with connection:
        reply: Reply = connection.reply
    return {"pid": reply.pid, "midline": reply.midline, "answers": True, **reply.report}


def _hanging(place: Place) -> int | None:
    """The number of a process that listens and does not answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(1.0)
        with contextlib.suppress(OSError):
            sock.connect(str(place.socket))
            return peer_process(sock)
    return None


def _has_ended(place: Place) -> bool:
    """Wait for the end of a process that was asked to end: it holds its lock until then."""
    try:
        filelock.FileLock(place.owner_lock).acquire(timeout=_SECONDS_TO_END).lock.release()
    except filelock.Timeout:
        return False
    return True


def stopped(report: dict[str, Any]) -> str:
    """A line on a process that was asked to end."""
    return f"process {report['pid']} {'has ended' if report['ended'] else 'is still running'}"


def described(report: dict[str, Any]) -> str:
    """A report as text."""
    if not report["answers"]:
        return f"process {report['pid']} does not answer; `midline engine stop` ends it"
    speed, memory = report["tokensPerSecond"], report["memoryBytes"]
    where = "in memory" if report["modelInMemory"] else "not in memory"
    rows = {
        "process": f"{report['pid']}, Midline {report['midline']}",
        "model": f"{report['model']} ({where})" if report["model"] else "none",
        "state": report["message"],
        "memory": f"{memory / 1e6:.0f} MB" if memory else "unknown",
        "speed": f"{speed:.1f} tokens per second" if speed else "nothing completed yet",
        "http": report.get("http") or "not served",
        "running for": f"{report['uptimeSeconds']:.0f} s",
        "clients": str(len(report["clients"])),
    }
    lines = [f"{name:<12} {value}" for name, value in rows.items()]
    lines += [
        f"  {client['name'] or 'unnamed'}, process {client['pid']}, {_has(client)}"
        for client in report["clients"]
    ]
    return "\n".join(lines)


def _has(client: Mapping[str, Any]) -> str:
    """What a client has open, counted."""
    thing = "request" if "requests" in client else "document"
    count = client.get(f"{thing}s", 0)
    return f"{count} {thing}{'' if count == 1 else 's'}"
