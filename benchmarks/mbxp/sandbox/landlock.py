"""Landlock and seccomp: files by path and no sockets, where name spaces are forbidden.

The restrictions are put on by `confine.py`, which the sandboxed command is started through; it also
ends every descendant once the command is over, since there is no process name space to do so.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from midline.benchmarks.mbxp.sandbox.policy import Policy, Sandbox, limit_command

CONFINE = Path(__file__).with_name("confine.py")
WRITABLE_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


class Landlock(Sandbox):
    """Needs Linux 5.13 and x86-64 or arm64; where the kernel lacks it, the trial run says so."""

    level = "landlock"

    def command(self, argv: Sequence[str], policy: Policy) -> list[str]:
        """`argv` behind confine.py; OSError elsewhere than on Linux."""
        if sys.platform != "linux":
            raise OSError("Landlock is Linux only")
        orders = {
            "read": [*map(str, policy.read), "/proc", "/dev"],
            "write": [*map(str, policy.write), str(policy.scratch), *WRITABLE_DEVICES],
            "folder": str(policy.folder),
            "environment": dict(policy.environment),
            "user": self.owner(policy.slot),
        }
        python = getattr(sys, "_base_executable", sys.executable)
        return [python, "-I", "-S", str(CONFINE), json.dumps(orders),
                *limit_command(policy.limits), *argv]  # fmt: skip
