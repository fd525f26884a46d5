"""Available memory, by the system and by the limits of control groups."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes that can be allocated without swapping or being killed; None if unknown.

    The minimum of the system's `MemAvailable` and of what the memory limits of the control groups
    (cgroup v2, as containers set them) leave; pages of the page cache count as available.
    """
    free = [*_system(root / "proc/meminfo"), *_groups(root)]
    return min(free, default=None)


def _system(path: Path) -> Iterator[int]:
    with suppress(OSError, ValueError, IndexError):
        for line in path.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield int(line.split()[1]) * 1024


def _groups(root: Path) -> Iterator[int]:
    top = root / "sys/fs/cgroup"
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            if line.startswith("0::/"):
                folder = top / line[4:]
                for group in (folder, *folder.parents):
                    if group.is_relative_to(top):
                        yield from _group(group)


def _group(folder: Path) -> Iterator[int]:
    with suppress(OSError, ValueError):
        limit = int((folder / "memory.max").read_text())  # "max" is no number and no limit
        used = int((folder / "memory.current").read_text())
        pairs = (line.split() for line in (folder / "memory.stat").read_text().splitlines())
        yield max(0, limit - used + int(dict(pairs).get("file", 0)))
