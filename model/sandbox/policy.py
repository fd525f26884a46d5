"""What a program in the sandbox may access and use, and the interface of every kind of sandbox."""

import os
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

FIRST_UID, UIDS = 61184, 4336
"""The ids that programs get when Midline runs as root: unallocated by convention."""
UIDS_A_RUN = 16
NOBODY = 65534
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SYSTEM_EXTRA = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime")
MEBIBYTE = 1 << 20
SCRATCH_FILES = 20_000
"""Files in a private folder: each takes about a kilobyte of the kernel's memory."""


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds; `address_space` None for runtimes that reserve freely."""

    seconds: float = 15.0
    memory: int = 2048 * MEBIBYTE
    address_space: int | None = None
    processes: int = 64
    output: int = 4 * MEBIBYTE
    open_files: int = 1024
    file_size: int = 256 * MEBIBYTE
    scratch: int = 128 * MEBIBYTE


@dataclass(frozen=True)
class Policy:
    """`read` and `write` are folders or files, at the same path inside; nothing else exists.

    The program starts in `folder` and may always write to `scratch`, which nobody else sees.
    Programs of different `slot`s run at the same time and must not disturb each other.
    """

    read: tuple[Path, ...]
    write: tuple[Path, ...]
    folder: Path
    scratch: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    slot: int = 0
    limits: Limits = Limits()


class Sandbox(ABC):
    """Turns a command into one that runs isolated. `level` is what reports record."""

    level: str
    user: int | None = None
    """User and group to start the command as, when it must not be started as root."""
    process_name_space = False
    """Whether the kernel itself ends all processes that a program leaves running."""

    @abstractmethod
    def command(
        self, argv: Sequence[str], policy: Policy, descriptors: Sequence[int] = ()
    ) -> list[str]:
        """`argv` wrapped; to be started in `/` with an empty environment.

        `descriptors` are those of `descriptors()`, which the command inherits.
        """

    @contextmanager
    def descriptors(self) -> Iterator[tuple[int, ...]]:
        """Files to be open, under the same numbers, in what `command` starts."""
        yield ()

    def owner(self, slot: int) -> int | None:
        """Uid under which a program of `slot` runs; None: as Midline's own user.

        It differs among processes of Midline, because the limit on processes counts per user.
        """
        if os.geteuid() != 0:
            return None
        if self.user is not None:
            return self.user
        return FIRST_UID + (os.getpid() * UIDS_A_RUN + slot) % UIDS

    def prepare(self, policy: Policy) -> None:
        """Give what the program may write to the user it will run as."""
        owner = self.owner(policy.slot)
        if owner is not None:
            for path in (*policy.write, policy.scratch):
                give(path, owner)


def give(path: Path, owner: int) -> None:
    """Change the owner of `path` and of everything in it."""
    os.chown(path, owner, owner, follow_symlinks=False)
    if path.is_dir() and not path.is_symlink():
        for entry in path.iterdir():
            give(entry, owner)


def system_folders() -> tuple[Path, ...]:
    """Folders with programs and libraries of the system, those that exist here."""
    return tuple(Path(p) for p in (*SYSTEM, *SYSTEM_EXTRA) if os.path.lexists(p))


def environment(scratch: Path) -> dict[str, str]:
    """The whole environment of a program in the sandbox, but for what its language adds."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
    }


def limit_command(limits: Limits) -> list[str]:
    """A command prefix that sets the kernel's own limits on what it starts.

    The limit of processor time is twice the wall-clock limit, and matters only if the parent dies.
    """
    if sys.platform != "linux":
        blocks, seconds = limits.file_size // 512, int(limits.seconds * 2) + 1
        script = f'ulimit -c 0 -f {blocks} -t {seconds} -u {limits.processes}; exec "$@"'
        return ["/bin/sh", "-c", script, "sh"]
    command = [
        shutil.which("prlimit") or "/usr/bin/prlimit",
        "--core=0",
        f"--fsize={limits.file_size}",
        "--msgqueue=0",
        f"--nofile={limits.open_files}",
        f"--nproc={limits.processes}",
        f"--cpu={int(limits.seconds * 2) + 1}",
    ]
    if limits.address_space is not None:
        command.append(f"--as={limits.address_space}")
    return [*command, "--"]


def drop_command(uid: int) -> list[str]:
    """A command prefix that leaves root for `uid` with no way back."""
    return [
        shutil.which("setpriv") or "/usr/bin/setpriv",
        f"--reuid={uid}",
        f"--regid={uid}",
        "--clear-groups",
        "--inh-caps=-all",
        "--bounding-set=-all",
        "--no-new-privs",
        "--",
    ]
