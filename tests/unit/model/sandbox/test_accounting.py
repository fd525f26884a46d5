"""Memory, disks and waiting of a process tree, as seen from outside."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from midline.model.sandbox.accounting import (
    MOST_FILES,
    folder_bytes,
    memory_bytes,
    waited_seconds,
)

MEBIBYTE = 1 << 20


def test_waiting_for_a_processor_is_measured() -> None:
    if not Path("/proc/self/schedstat").exists():
        pytest.skip("this system does not tell")
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3)]
    try:
        if hasattr(os, "sched_setaffinity"):
            for process in busy:
                os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
        deadline = time.monotonic() + 30
        while (waited := waited_seconds(busy[0].pid)) < 0.2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert waited >= 0.2
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert waited_seconds(busy[0].pid) == 0


def test_memory_is_that_of_the_whole_tree() -> None:
    own = memory_bytes(os.getpid())
    assert own > 10 << 20
    child = os.fork()
    if child == 0:
        block = bytearray(64 << 20)
        time.sleep(20)
        os._exit(len(block) & 1)
    try:
        deadline = time.monotonic() + 10
        while memory_bytes(os.getpid()) < own + (60 << 20) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert memory_bytes(os.getpid()) >= own + (60 << 20)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="Linux only")
def test_a_file_without_a_name_counts_once_although_it_is_mapped_nowhere() -> None:
    before = memory_bytes(os.getpid())
    handle = os.memfd_create("block")
    copy = os.dup(handle)
    try:
        os.write(handle, bytes(64 * MEBIBYTE))
        grown = memory_bytes(os.getpid()) - before
    finally:
        os.close(handle)
        os.close(copy)
    assert 60 * MEBIBYTE < grown < 120 * MEBIBYTE


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_sockets_count_with_what_they_may_hold() -> None:
    before = memory_bytes(os.getpid())
    pairs = [socket.socketpair() for _ in range(50)]
    grown = memory_bytes(os.getpid()) - before
    for pair in pairs:
        for end in pair:
            end.close()
    assert grown > 100 * 200_000


def test_a_folder_counts_with_all_below_it(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "file").write_bytes(os.urandom(3_000_000))
    (tmp_path / "loop").symlink_to(tmp_path)
    assert 3_000_000 <= folder_bytes(tmp_path) < 4_000_000
    assert folder_bytes(tmp_path / "gone") == 0


def test_a_folder_of_very_many_files_is_full(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 1):
        (tmp_path / str(number)).touch()
    assert folder_bytes(tmp_path) > 1 << 60
