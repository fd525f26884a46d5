"""Memory for weights, cancel flags, and which kernels are chosen."""

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from midline.kernels import (
    CancelFlag,
    allocate,
    huge_page_bytes,
    kernel_name,
    read_bandwidth,
    release_pages,
)

MB = 1 << 20
HUGE = 2 * MB


def mapped_bytes() -> int:
    """Address space of this process."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("size", [0, 1, 4096, HUGE - 1, HUGE, HUGE + 1, 5 * MB])
def test_allocated_memory_is_zero_writable_and_on_a_huge_page_border(size: int) -> None:
    memory = allocate(size)
    assert memory.shape == (size,) and memory.dtype == np.uint8
    assert not memory.any()
    if size:
        assert memory.ctypes.data % HUGE == 0
        memory[:] = 7
        assert memory[-1] == 7 and memory.sum(dtype=np.int64) == 7 * size


def test_views_keep_the_memory_and_the_last_one_frees_it() -> None:
    memory = allocate(64 * MB)
    view = memory[32 * MB :].view(np.uint16)
    del memory
    gc.collect()
    view[:] = 3
    assert view[-1] == 3
    if sys.platform == "linux":
        before = mapped_bytes()
        del view
        gc.collect()
        assert before - mapped_bytes() >= 60 * MB


def resident_bytes() -> int:
    """Memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system keeps it")
def test_released_memory_is_the_systems_and_its_neighbours_stay() -> None:
    memory = allocate(64 * MB)
    memory[:] = 5
    before = resident_bytes()
    release_pages(memory, 10 * MB + 1, 50 * MB - 1)
    assert before - resident_bytes() >= 36 * MB
    assert (memory[: 10 * MB + 1] == 5).all() and (memory[50 * MB - 1 :] == 5).all()
    assert not memory[11 * MB : 49 * MB].any()
    memory[20 * MB] = 7
    assert memory[20 * MB] == 7
    release_pages(memory, 5, 9)  # not a page of memory
    assert (memory[:16] == 5).all()
    for begin, end in ((0, 64 * MB + 1), (3, 2)):
        with pytest.raises(ValueError, match="out of range"):
            release_pages(memory, begin, end)


def test_too_much_memory_is_an_error_not_a_crash() -> None:
    for size in (1 << 62, (1 << 47) + 1):
        with pytest.raises(MemoryError):
            allocate(size)
    with pytest.raises(TypeError):
        allocate(-1)


def test_huge_pages_are_counted() -> None:
    memory = allocate(8 * MB)
    memory[:] = 1
    count = huge_page_bytes(memory)
    if sys.platform != "linux":
        assert count == -1
        return
    assert count >= 0 and count % HUGE == 0
    enabled = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not enabled.exists() or "[never]" in enabled.read_text():
        assert count == 0


def test_reading_takes_time_and_leaves_the_interpreter_free() -> None:
    """The measuring thread is inside one native call all the while this one counts."""
    rates: list[float] = []
    worker = threading.Thread(target=lambda: rates.append(read_bandwidth(1, 0.3)))
    worker.start()
    ticks = 0
    while worker.is_alive():
        ticks += 1
        worker.join(0.01)
    assert ticks > 5
    assert 1e8 < rates[0] < 1e12
    for threads in (0, -1, 257):
        with pytest.raises(ValueError, match="threads"):
            read_bandwidth(threads, 0.01)


def test_a_cancel_flag_is_set_and_cleared() -> None:
    flag = CancelFlag()
    assert not flag.is_set()
    flag.set()
    flag.set()
    assert flag.is_set()
    flag.clear()
    assert not flag.is_set()


def chosen(kernels: str) -> subprocess.CompletedProcess[str]:
    code = "from midline import kernels; print(kernels.kernel_name())"
    return subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**os.environ, "MIDLINE_KERNELS": kernels},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_kernels_can_be_forced_and_a_wrong_name_is_answered_with_the_possible_ones() -> None:
    assert chosen("scalar").stdout.strip() == "scalar"
    refused = chosen("mmx")
    assert refused.returncode != 0
    last = refused.stderr.strip().splitlines()[-1]
    assert (
        "ValueError: MIDLINE_KERNELS=mmx is not the name of a set of kernels; possible here: "
        in last
    )
    possible = last.rpartition("possible here: ")[2].split(", ")
    assert possible[-1] == "scalar" and kernel_name() in possible
    for name in possible:
        assert chosen(name).stdout.strip() == name
    assert chosen("").returncode == 0
