"""Landlock and seccomp: files by path and no sockets, where name spaces are forbidden.

The restrictions are put on by `confine.py`, which the sandboxed command is started through; it also
ends every descendant once the command is over, since there is no process name space to do so.
"""

import sys
from collections.abc import Sequence
from functools import cache

from midline.model.sandbox import seccomp
from midline.model.sandbox.confine import landlock_version
from midline.model.sandbox.policy import Policy, Sandbox
from midline.model.sandbox.supervisor import DEVICES, confined

SIGNALS_SCOPED = 6
"""From this version on, Linux 6.12, the kernel refuses signals to processes outside."""
OWN_PROCESS = "/proc/self"
"""The folder in /proc of the command itself; its descendants can read neither it nor their own."""
MACHINE = tuple(f"/proc/{name}" for name in ("cpuinfo", "filesystems", "meminfo", "stat", "sys/vm",
                                             "uptime", "version"))  # fmt: skip
"""Files that runtimes read to size themselves; they tell nothing about other processes."""


class Landlock(Sandbox):
    """Needs Linux 5.13 and x86-64 or arm64; where the kernel lacks it, the trial run says so."""

    level = "landlock"

    def command(
        self, argv: Sequence[str], policy: Policy, descriptors: Sequence[int] = ()
    ) -> list[str]:
        """`argv`, started through confine.py; OSError elsewhere than on Linux, or without
        Landlock.
        """
        if sys.platform != "linux":
            raise OSError("Landlock is Linux only")
        # Compilers make what they write executable; programs have no reason to.
        code = seccomp.program(
            landlock=True, attributes=bool(policy.write), signals=_version() >= SIGNALS_SCOPED
        )
        return confined(
            argv, policy, self.level, self.owner(policy.slot), code,
            read=(OWN_PROCESS, *MACHINE), write=(str(policy.scratch), *DEVICES),
        )  # fmt: skip


@cache
def _version() -> int:
    return landlock_version()
