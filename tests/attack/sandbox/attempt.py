"""One attempt, started in a process of its own by a given user, and what the host sees of it."""

import contextlib
import json
import os
import platform
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from attack.sandbox.escapes import system_tool

from midline.model.sandbox import Limits, Policy, Sandbox, probe, seccomp
from midline.model.sandbox.execution import Ending, Outcome, execute
from midline.model.sandbox.policy import environment, system_folders

NOBODY = 65534
MEBIBYTE = 1 << 20
LIMITS = Limits(seconds=6, memory=384 * MEBIBYTE, scratch=48 * MEBIBYTE, processes=64)
GONE_SECONDS = 5.0
TABLES = (seccomp.REFUSED, seccomp.REPLACED, seccomp.SOCKETS, seccomp.ATTRIBUTES, seccomp.SIGNALS,
          seccomp.CONDITIONAL)  # fmt: skip


@dataclass
class Report:
    """`found`: what should not have happened; `skipped`: why the attempt could not be made."""

    found: list[str] = field(default_factory=list)
    skipped: str = ""
    detail: str = ""


def attempt(call: list[str], level: str, *, other_user: bool) -> Report:
    """Run `call`, as an escape takes it, in the sandbox `level`, by this user or by nobody."""
    ends = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ends[0])
        try:
            report = _attempt_as(call, level, NOBODY if other_user else None)
        except BaseException:  # noqa: BLE001 - reported
            report = Report(["the attempt itself failed"], detail=traceback.format_exc())
        os.write(ends[1], json.dumps(vars(report)).encode()[: 1 << 16])
        os._exit(0)
    os.close(ends[1])
    with os.fdopen(ends[0], "rb") as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return Report(**json.loads(said)) if said else Report(["the attempt killed its host"])


def _attempt_as(call: list[str], level: str, user: int | None) -> Report:
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        probe.cache_clear()
        os.environ["HOME"] = "/"
    if not os.access(getattr(sys, "_base_executable", sys.executable), os.X_OK):
        sys._base_executable = system_tool("python3")  # type: ignore[attr-defined]
    sandbox, reason = probe(level)
    if sandbox is None:
        return Report(skipped=f"{level} does not work for this user: {reason}")
    with tempfile.TemporaryDirectory(prefix="midline-attack-", dir="/tmp") as name:
        os.chmod(name, 0o755)
        with _Host(Path(name)) as host:
            outcome = _run(sandbox, call, Path(name), host)
            host.look(outcome)
        return Report(host.found, detail=repr(outcome)[:2000])


def _run(sandbox: Sandbox, call: list[str], folder: Path, host: "_Host") -> Outcome:
    scratch = folder / "box"
    scratch.mkdir()
    policy = Policy(
        (*system_folders(), Path(call[-1]).parent, *map(Path, call[-2:-1])), (), scratch, scratch,
        environment(scratch), limits=LIMITS,
    )  # fmt: skip
    readable = tuple(path for path in policy.read if path.is_absolute() and path.exists())
    policy = Policy(readable, (), scratch, scratch, environment(scratch), limits=LIMITS)
    return execute(sandbox, [*call, *host.words], policy)


class _Host:
    """What an escape could reach: files, sockets, a process; and whether it did."""

    def __init__(self, folder: Path) -> None:
        self.found: list[str] = []
        self.mark = f"3{os.getpid()}.{time.time_ns() % 10**6}"
        self.outside = folder / "outside"
        self.outside.mkdir()
        self.outside.chmod(0o777)
        self.secret = self.outside / "secret"
        self.secret.write_text("secret")
        self.secret.chmod(0o666)
        self.sockets: dict[str, socket.socket] = {}
        self.stack = contextlib.ExitStack()

    def __enter__(self) -> "_Host":
        for name, kind in (("datagram", socket.SOCK_DGRAM), ("stream", socket.SOCK_STREAM)):
            self._listen(name, socket.AF_UNIX, kind, str(self.outside / name))
            (self.outside / name).chmod(0o777)
        self._listen("abstract", socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.mark}")
        self._listen("tcp", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        port = self.sockets["tcp"].getsockname()[1]
        self._listen("udp", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", port))
        self.canary = subprocess.Popen(["/bin/sleep", "600"])
        self.words = [str(self.outside), str(self.canary.pid), str(port), self.mark, self.mark]
        self.before = self._state()
        return self

    def __exit__(self, *error: object) -> None:
        self.canary.kill()
        self.canary.wait()
        self.stack.close()
        for process in _marked(self.mark):
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)

    def _listen(self, name: str, family: int, kind: int, place: object) -> None:
        sock = self.stack.enter_context(socket.socket(family, kind))
        sock.bind(place)  # type: ignore[arg-type]
        if kind == socket.SOCK_STREAM:
            sock.listen()
        sock.setblocking(False)
        self.sockets[name] = sock

    def _state(self) -> dict[str, object]:
        about = self.secret.stat() if self.secret.exists() else None
        return {
            "names outside": sorted(os.listdir(self.outside)),
            "the secret": self.secret.read_text() if about else None,
            "its attributes": about and (about.st_mode, about.st_uid, about.st_mtime_ns),
            "the folder's mode": stat.S_IMODE(self.outside.stat().st_mode),
            "the canary": self.canary.poll(),
            "its priority": os.getpriority(os.PRIO_PROCESS, self.canary.pid),
            "the host's priority": os.getpriority(os.PRIO_PROCESS, 0),
            "its processors": os.sched_getaffinity(self.canary.pid),
            "System V": sorted(_system_v()),
        }

    def look(self, outcome: Outcome) -> None:
        """Note what changed, came in, or stayed."""
        said = outcome.stdout.decode("utf-8", "replace").splitlines()
        self.found += [line for line in said if line.startswith("ESCAPED")]
        if outcome.ending is Ending.NOT_STARTED or outcome.stderr.startswith(
            (b"confine", b"bwrap")
        ):
            self.found.append("nothing was tried")
        deadline = time.monotonic() + GONE_SECONDS
        while (left := _marked(self.mark)) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.found += [f"still running: {process}" for process in left]
        after = self._state()
        self.found += [
            f"{name}: {self.before[name]} became {after[name]}"
            for name in after
            if after[name] != self.before[name]
        ]
        self.found += [f"{name} was reached" for name in self.sockets if self._reached(name)]

    def _reached(self, name: str) -> bool:
        sock = self.sockets[name]
        take: Callable[[], object] = (
            sock.accept if sock.type == socket.SOCK_STREAM else lambda: sock.recv(1)
        )
        try:
            take()
        except BlockingIOError:
            return False
        return True


def _marked(mark: str) -> list[int]:
    """Processes other than this one with the mark in their command line."""
    return [process for process, line in _command_lines() if mark.encode() in line]


def _command_lines() -> Iterator[tuple[int, bytes]]:
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            with contextlib.suppress(OSError):
                yield int(name), Path(f"/proc/{name}/cmdline").read_bytes()


def _system_v() -> set[str]:
    """Memory, queues and semaphores with the key that the attempts use, or of their users."""
    found = set()
    for kind in ("shm", "msg", "sem"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]:
                if int(line.split()[0]) == 0x4D4C:
                    found.add(f"{kind} {line}")
    return found


def numbers_of_calls() -> dict[str, int | None]:
    """Numbers of system calls on this machine, by name."""
    column = seccomp.ARCHITECTURES[platform.machine()][1]
    numbers = {name: pair[column] for table in TABLES for name, pair in table.items()}
    return numbers
