"""Resource use of a running process tree: memory, private disks, and waiting for a processor.

Memory that is missing in one count is in another: anonymous and mapped memory in the resident size,
what was swapped out and page tables beside it, files without a name, sockets' buffers, and the
files of private temporary folders, which are memory as well.
"""

import contextlib
import os
import stat
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

MEMORY_FIELDS = ("VmRSS:", "VmSwap:", "VmPTE:")
INODE_BYTES = 1024
"""About what the kernel keeps for a file in memory beside its content."""
BLOCK_BYTES = 512
PRIVATE_FOLDERS = ("tmp", "dev/shm")
MOST_FILES = 20_000
"""A folder with more files counts as full."""


def memory_bytes(pid: int, scratch: Path | None = None) -> int:
    """Memory of `pid` and its descendants, shared pages counted in each; 0 if unknown.

    `scratch`: the private folder, counted where it lies in a root of the program's own.
    """
    if not Path("/proc/self/status").exists():
        return _resident_from_ps(pid)
    tree = [pid, *descendants(pid)]
    unnamed: dict[tuple[int, int], int] = {}
    total = sum(_process_bytes(process, unnamed) for process in tree)
    return total + sum(unnamed.values()) + _private_disks(tree, scratch)


def _process_bytes(process: int, unnamed: dict[tuple[int, int], int]) -> int:
    total = 0
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith(MEMORY_FIELDS):
                total += 1024 * int(line.split()[1])
    with contextlib.suppress(OSError):
        for entry in os.listdir(f"/proc/{process}/fd"):
            total += _descriptor_bytes(f"/proc/{process}/fd/{entry}", unnamed)
    return total


def _descriptor_bytes(path: str, unnamed: dict[tuple[int, int], int]) -> int:
    """Memory held by a descriptor and in no other count; files without a name are added to
    `unnamed`.
    """
    with contextlib.suppress(OSError):
        about = os.stat(path)
        if stat.S_ISSOCK(about.st_mode):
            return _socket_bytes()
        if stat.S_ISREG(about.st_mode) and about.st_nlink == 0:
            unnamed[about.st_dev, about.st_ino] = about.st_blocks * BLOCK_BYTES
    return 0


@cache
def _socket_bytes() -> int:
    """Most bytes that one socket may buffer, which the kernel counts for no process."""
    with contextlib.suppress(OSError, ValueError):
        return 2 * int(Path("/proc/sys/net/core/wmem_max").read_text())
    return 1 << 19


def _private_disks(tree: list[int], scratch: Path | None) -> int:
    root = next((r for r in map("/proc/{}/root".format, tree[1:]) if _is_private(r)), None)
    if root is None:
        return 0
    folders = [*PRIVATE_FOLDERS, *([str(scratch).lstrip("/")] if scratch is not None else [])]
    total = 0
    for folder in folders:
        with contextlib.suppress(OSError):
            disk = os.statvfs(f"{root}/{folder}")
            total += (disk.f_blocks - disk.f_bfree) * disk.f_frsize
            total += (disk.f_files - disk.f_ffree) * INODE_BYTES
    return total


def _is_private(root: str) -> bool:
    try:
        return os.stat(root).st_dev != os.stat("/").st_dev
    except OSError:
        return False


def folder_bytes(folder: Path) -> int:
    """Disk space of everything in `folder`, in bytes; unlimited for more than MOST_FILES files."""
    total = files = 0
    waiting = [str(folder)]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                files += 1
                if files > MOST_FILES:
                    return 1 << 62
                with contextlib.suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * BLOCK_BYTES
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    return total


def waited_seconds(pid: int) -> float:
    """Longest that a living thread of `pid` or its descendants was ready but not running."""
    longest = 0
    for process in (pid, *descendants(pid)):
        with contextlib.suppress(OSError, IndexError, ValueError):
            for thread in os.listdir(f"/proc/{process}/task"):
                figures = Path(f"/proc/{process}/task/{thread}/schedstat").read_text().split()
                longest = max(longest, int(figures[1]))
    return longest / 1e9


def descendants(pid: int) -> Iterator[int]:
    """Living descendants of `pid`, parents first."""
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            children = Path(f"/proc/{pid}/task/{thread}/children").read_text().split()
            for child in map(int, children):
                yield child
                yield from descendants(child)


def _resident_from_ps(pid: int) -> int:
    command = ["ps", "-o", "rss=", "-g", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return 1024 * sum(int(word) for word in answer.stdout.split() if word.isdigit())
