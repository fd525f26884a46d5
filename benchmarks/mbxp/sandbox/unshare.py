"""Plain name spaces through util-linux's unshare, for machines without bubblewrap."""

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from midline.benchmarks.mbxp.sandbox.policy import (
    NOBODY,
    Policy,
    Sandbox,
    drop_command,
    limit_command,
)

DEVICES = ("null", "zero", "full", "random", "urandom")
BUILDING = "/mnt"
"""Mount point, in the private mount name space only, on which the new root is put together."""


class Unshare(Sandbox):
    """`as_root`: real mounts, then an unprivileged user; otherwise a user name space."""

    level = "unshare"

    def __init__(self, *, as_root: bool = False) -> None:
        self.as_root = as_root
        self.user = NOBODY if not as_root and os.geteuid() == 0 else None

    @classmethod
    def variants(cls) -> list[Sandbox]:
        """The forms to try here, best first."""
        if sys.platform != "linux" or not shutil.which("unshare"):
            return []
        return [cls(as_root=True), cls()] if os.geteuid() == 0 else [cls()]

    def command(self, argv: Sequence[str], policy: Policy) -> list[str]:
        """`argv` behind a shell script that builds the new root, enters it and gives up power."""
        owner = self.owner(policy.slot)
        drop = drop_command(owner) if self.as_root and owner is not None else _powerless()
        variables = [f"{name}={value}" for name, value in policy.environment.items()]
        inner = ["/usr/bin/env", "-i", *variables, *drop, *limit_command(policy.limits), *argv]
        user = [] if self.as_root else ["--user", "--map-root-user"]
        return [
            shutil.which("unshare") or "unshare", *user,
            "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child",
            "/bin/sh", "-c", _script(policy), "sh", *inner,
        ]  # fmt: skip


def _powerless() -> list[str]:
    setpriv = shutil.which("setpriv") or "/usr/bin/setpriv"
    return [setpriv, "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"]


def _script(policy: Policy) -> str:
    size = f"size={policy.limits.scratch}"
    lines = [
        "set -e",
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        "mount --make-rprivate /",
        f"mount -t tmpfs -o mode=755 midline {BUILDING}",
        f"cd {BUILDING}; mkdir -p proc dev tmp .old; mount -t proc proc proc",
        f"mount -t tmpfs -o mode=1777,{size} midline tmp",
        *(_bind(Path("/dev") / name, "") for name in DEVICES),
        *(_bind(path, "ro,") for path in policy.read),
        *(_bind(path, "") for path in policy.write),
        f"mkdir -p {_inside(policy.scratch)}",
        f"mount -t tmpfs -o mode=1777,{size} midline {_inside(policy.scratch)}",
        f"mount -o remount,ro,mode=755 midline {BUILDING}",
        "pivot_root . .old; cd /; umount -l /.old",
        f"cd {shlex.quote(str(policy.folder))}",
        'exec "$@"',
    ]
    return "\n".join(lines)


def _inside(path: Path) -> str:
    return shlex.quote(f".{path}")


def _bind(path: Path, options: str) -> str:
    source, target = shlex.quote(str(path)), _inside(path)
    if path.is_symlink() and path.parent == Path("/"):
        return f"ln -s {shlex.quote(os.readlink(path))} {target}"
    make = f"mkdir -p {target}"
    if not path.is_dir():
        make = f"mkdir -p {_inside(path.parent)}; [ -e {target} ] || : >{target}"
    extra = f"; mount -o remount,bind,{options}nosuid {target}" if options else ""
    return f"{make}; mount --bind {source} {target}{extra}"
