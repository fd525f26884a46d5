"""The thread count of the engine: one thread per physical core available to the process."""

import os
from contextlib import suppress
from pathlib import Path

from midline.model.errors import UsageError

THREADS_VARIABLE = "MIDLINE_THREADS"
MAX_THREADS = 256


def thread_count(wanted: int | None = None) -> int:
    """`wanted`, else MIDLINE_THREADS, else the physical cores; UsageError if out of range.

    The count is capped at the number of processors, since more threads would slow each other down.
    """
    if wanted is None:
        text = os.environ.get(THREADS_VARIABLE, "")
        if not text:
            return physical_cores()
        try:
            wanted = int(text)
        except ValueError:
            raise UsageError(f"{THREADS_VARIABLE} is {text!r}, it must be a number") from None
    if not 1 <= wanted <= MAX_THREADS:
        raise UsageError(f"threads is {wanted}, it must be between 1 and {MAX_THREADS}")
    return min(wanted, len(_processors()))


def physical_cores() -> int:
    """The number of physical cores available to the process; hyper-threads count once."""
    return max(1, len({_core(cpu) for cpu in _processors()}))


def _processors() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def _core(cpu: int) -> tuple[str, str]:
    folder = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
    with suppress(OSError):
        package = (folder / "physical_package_id").read_text().strip()
        return package, (folder / "core_id").read_text().strip()
    return "", str(cpu)
