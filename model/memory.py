"""How much memory this process may still take, as far as the system says."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes that can be taken without swapping or being killed; None where that is not known.

    The least of what the system has (`MemAvailable`) and what the limits of this process's control
    groups (version 2, as containers set them) leave; pages that only cache files count as free.
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
