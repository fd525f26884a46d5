"""The call of confine.py, which starts, confines and supervises a command on Linux."""

import marshal
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from midline.model.sandbox.policy import SCRATCH_FILES, Limits, Policy

MARSHAL_VERSION = 4
"""Understood by every Python that Midline runs on: the supervisor's may be another one."""
CONFINE = Path(__file__).with_name("confine.py")
DEVICES = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom"))


def confined(
    argv: Sequence[str],
    policy: Policy,
    level: str,
    user: int | None,
    code: bytes | None,
    *,
    read: Sequence[str] = (),
    write: Sequence[str] = (),
    devices: Sequence[str] = (),
    user_name_space: bool = False,
) -> list[str]:
    """`argv`, started through confine.py: as `user`, or None, under the system call filter `code`.

    `read` and `write` come on top of what `policy` names.
    """
    orders = {
        "level": level,
        "read": [*map(str, policy.read), *read],
        "write": [*map(str, policy.write), *write],
        "devices": list(devices),
        "scratch": str(policy.scratch),
        "scratch_bytes": policy.limits.scratch,
        "scratch_files": SCRATCH_FILES,
        "folder": str(policy.folder),
        "environment": dict(policy.environment),
        "user": user,
        "user_name_space": user_name_space,
        "limits": kernel_limits(policy.limits),
        # In a name space of its own, or for a user of its own, the count starts at zero.
        "count_processes": level != "unshare" and os.geteuid() != 0,
        "seccomp": code,
    }
    python = getattr(sys, "_base_executable", sys.executable)
    return [python, "-I", "-S", str(CONFINE), marshal.dumps(orders, MARSHAL_VERSION).hex(), *argv]


def kernel_limits(limits: Limits) -> dict[str, int]:
    """`limits` by the names of setrlimit's resources.

    The limit of processor time is twice the wall-clock limit, and matters only if the parent dies.
    """
    words = {
        "CORE": 0,
        "CPU": int(limits.seconds * 2) + 1,
        "FSIZE": limits.file_size,
        "MSGQUEUE": 0,
        "NOFILE": limits.open_files,
        "NPROC": limits.processes,
    }
    if limits.address_space is not None:
        words["AS"] = limits.address_space
    return words
