"""Execution of a command in a sandbox within limits, and how it ended.

Output is read as it comes and bounded; memory and private disk are those of the whole process tree,
polled; at the first limit passed the tree is killed. A program runs only while its thread is in
`execute`.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from midline.model.sandbox.accounting import folder_bytes, memory_bytes, waited_seconds
from midline.model.sandbox.policy import Policy, Sandbox
from midline.model.sandbox.sweep import adopt_orphans, reap, sweep

POLL_SECONDS = 0.05
MEMORY_POLL_SECONDS = 0.1
TERM_SECONDS = 2.0
STALL_SECONDS = 2.0
"""A longer pause between two polls means that the machine or this process was suspended."""
MOST_EXTENSIONS = 3
"""Time spent waiting for a processor extends the time limit, up to this many times its length."""
READ_BYTES = 1 << 16
TEXT_BYTES = 8 << 10
"""Bytes kept of the beginning and of the end of each output stream."""
RUNNING: set[int] = set()
"""Ids of the processes that this process has started and not yet reaped."""
STARTING = threading.Lock()
"""Held from the start of a process until it is in RUNNING, so that nobody else reaps it."""


class Ending(Enum):
    """How a command ended."""

    EXITED = "exited"
    TIME = "time"
    MEMORY = "memory"
    DISK = "disk"
    OUTPUT = "output"
    STOPPED = "stopped"
    NOT_STARTED = "not started"


@dataclass(frozen=True)
class Outcome:
    """`exit_code` is negative for a signal and None when the command was killed or not started."""

    ending: Ending
    exit_code: int | None
    stdout: bytes
    stderr: bytes
    seconds: float

    @property
    def text(self) -> str:
        """Beginning and end of both streams as text, errors last; bounded, for it is searched."""
        return b"\n".join(map(_ends, (self.stdout, self.stderr))).decode("utf-8", "replace")


def _ends(data: bytes) -> bytes:
    if len(data) <= 2 * TEXT_BYTES:
        return data
    return data[:TEXT_BYTES] + b"\n...\n" + data[-TEXT_BYTES:]


def execute(
    sandbox: Sandbox,
    argv: Sequence[str],
    policy: Policy,
    *,
    stdin: bytes = b"",
    stop: threading.Event | None = None,
    progress: Callable[[], int] | None = None,
    ready: Callable[[], float] | None = None,
) -> Outcome:
    """Run `argv` to its end or to the first limit of `policy`; `stdin` must fit a pipe (4 KiB).

    With `progress`, the time limit starts anew whenever its value changes. With `ready`, the
    command is started in advance: its standard input ends when `ready` returns, which says how many
    seconds the rest may take in place of the policy's.
    """
    sandbox.prepare(policy)
    adopt_orphans()
    started = time.monotonic()
    try:
        with STARTING:
            process = _start(sandbox, argv, policy)
            RUNNING.add(process.pid)
    except OSError as error:
        return Outcome(Ending.NOT_STARTED, None, b"", str(error).encode(), 0.0)
    watch = _Watch(process, policy, started, stop, progress)
    try:
        if ready is not None:
            watch.begin(ready())
        _write(process, stdin)
        ending = watch.until_end()
    finally:
        _kill(process)
        RUNNING.discard(process.pid)
        if sandbox.process_name_space:
            with STARTING:
                reap(frozenset(RUNNING))
        elif process.returncode < 0:
            sweep(sandbox.owner(policy.slot), frozenset(RUNNING))
    exit_code = process.returncode if ending is Ending.EXITED else None
    return Outcome(
        ending, exit_code, bytes(watch.out), bytes(watch.err), time.monotonic() - started
    )


def _start(sandbox: Sandbox, argv: Sequence[str], policy: Policy) -> subprocess.Popen[bytes]:
    with sandbox.descriptors() as open_files:
        return subprocess.Popen(
            sandbox.command(argv, policy, open_files), cwd="/",
            env={"PATH": "/usr/local/bin:/usr/bin:/bin"}, pass_fds=open_files,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
            start_new_session=True, user=sandbox.user, group=sandbox.user,
            extra_groups=None if sandbox.user is None else [],
        )  # fmt: skip


def _write(process: subprocess.Popen[bytes], data: bytes) -> None:
    """The whole standard input of a process, which may be over already."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(data)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()


class _Watch:
    """The output of one process and the limits it has to keep."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        policy: Policy,
        started: float,
        stop: threading.Event | None,
        progress: Callable[[], int] | None,
    ) -> None:
        self.progress, self.reached = progress, 0
        self.process, self.limits, self.stop = process, policy.limits, stop
        self.scratch = policy.scratch
        self.looked = started
        self.deadline = started + policy.limits.seconds
        self.waited, self.extended = 0.0, 0.0
        self.next_memory_poll = started + MEMORY_POLL_SECONDS
        self.out, self.err = bytearray(), bytearray()

    def begin(self, seconds: float) -> None:
        """Start the time limit now, with so many seconds."""
        self.looked = time.monotonic()
        self.deadline = self.looked + seconds
        self.next_memory_poll = self.looked + MEMORY_POLL_SECONDS

    def until_end(self) -> Ending:
        """Read output until both streams are closed and the process is over, or a limit is hit."""
        with selectors.DefaultSelector() as selector:
            for stream, buffer in (
                (self.process.stdout, self.out),
                (self.process.stderr, self.err),
            ):
                assert stream is not None
                selector.register(stream, selectors.EVENT_READ, buffer)
            while True:
                for key, _ in selector.select(POLL_SECONDS):
                    data = os.read(key.fd, READ_BYTES)
                    key.data.extend(data)
                    if not data:
                        selector.unregister(key.fileobj)
                broken = self._limit_passed()
                if broken is not None:
                    return broken
                if self._over(bool(selector.get_map())):
                    return Ending.EXITED

    def _over(self, open_streams: bool) -> bool:
        if open_streams:
            return False
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(POLL_SECONDS)
            return True
        return False

    def _limit_passed(self) -> Ending | None:
        if len(self.out) + len(self.err) > self.limits.output:
            return Ending.OUTPUT
        now = time.monotonic()
        if now - self.looked > STALL_SECONDS:
            self.deadline += now - self.looked
        self.looked = now
        if now > self.deadline and not self._progressed(now) and not self._starved():
            return Ending.TIME
        if self.stop is not None and self.stop.is_set():
            return Ending.STOPPED
        if now > self.next_memory_poll:
            self.next_memory_poll = now + MEMORY_POLL_SECONDS
            self._progressed(now)
            if memory_bytes(self.process.pid, self.scratch) > self.limits.memory:
                return Ending.MEMORY
            if folder_bytes(self.scratch) > self.limits.scratch:
                return Ending.DISK
        return None

    def _progressed(self, now: float) -> bool:
        """Start the time limit anew if there is progress since it last began."""
        reached = 0 if self.progress is None else self.progress()
        if reached == self.reached:
            return False
        self.reached = reached
        self.deadline = now + self.limits.seconds
        self.waited, self.extended = waited_seconds(self.process.pid), 0.0
        return True

    def _starved(self) -> bool:
        """Extend the time limit by the time that the program waited for a processor."""
        waited = waited_seconds(self.process.pid)
        extension = min(waited - self.waited,
                        MOST_EXTENSIONS * self.limits.seconds - self.extended)  # fmt: skip
        if extension < POLL_SECONDS:
            return False
        self.waited = waited
        self.extended += extension
        self.deadline += extension
        return True


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the whole tree: SIGTERM lets a supervisor end its descendants, SIGKILL does the rest."""
    for number, seconds in ((signal.SIGTERM, TERM_SECONDS), (signal.SIGKILL, None)):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
