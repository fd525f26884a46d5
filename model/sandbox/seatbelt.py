"""macOS Seatbelt through sandbox-exec: files by path, no network, signals to its own only."""

import platform
import shutil
from collections.abc import Sequence
from pathlib import Path

from midline.model.sandbox.policy import Policy, Sandbox, limit_command

PROGRAM = "/usr/bin/sandbox-exec"
SYSTEM = ("/System", "/Library", "/usr", "/bin", "/sbin", "/opt/homebrew", "/private/etc",
          "/private/var/db/timezone", "/private/var/select", "/dev")  # fmt: skip
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


class Seatbelt(Sandbox):
    """Limits of the shell plus a deny-by-default profile; memory is watched from outside."""

    level = "seatbelt"

    def command(
        self, argv: Sequence[str], policy: Policy, descriptors: Sequence[int] = ()
    ) -> list[str]:
        """`argv` under the profile of `policy`; OSError elsewhere than on macOS."""
        if platform.system() != "Darwin" or not shutil.which(PROGRAM):
            raise OSError("sandbox-exec is macOS only")
        variables = [f"{name}={value}" for name, value in policy.environment.items()]
        change = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', str(policy.folder)]
        return ["/usr/bin/env", "-i", *variables, PROGRAM, "-p", profile(policy),
                *change, *limit_command(policy.limits), *argv]  # fmt: skip


def profile(policy: Policy) -> str:
    """The Seatbelt profile: everything denied but what `policy` names and programs need to start.

    Paths are resolved first, since the kernel compares real paths (/tmp is /private/tmp there).
    """
    readable = [*map(Path, SYSTEM), *policy.read, *policy.write, policy.scratch]
    writable = [*policy.write, policy.scratch]
    return "\n".join(
        [
            "(version 1)",
            "(deny default)",
            "(allow process-fork process-exec)",
            "(allow signal (target same-sandbox))",
            "(allow sysctl-read)",
            '(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo"))',
            "(allow file-read-metadata)",
            f"(allow file-read* {_subpaths(readable)})",
            f"(allow file-write* {_subpaths(writable)})",
            f"(allow file-write-data {' '.join(f'(literal {_quote(d)})' for d in DEVICES)})",
            "(deny network*)",
        ]
    )


def _subpaths(paths: Sequence[Path]) -> str:
    return " ".join(f"(subpath {_quote(str(path.resolve()))})" for path in paths)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
