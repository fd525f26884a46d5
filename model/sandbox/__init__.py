"""Isolation of untrusted programs: the strongest kind that works on this machine, probed once.

Order of preference: bubblewrap, plain namespaces (unshare), Landlock with seccomp, macOS Seatbelt.
Where the kernel refuses unshare, for instance, Landlock is next; where none works, `choose` raises
SandboxError. A kind that the user names is never replaced by another one. Resource limits alone
("bare") isolate nothing and are used only when the user asks for them.
"""

import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from midline.model.errors import MidlineError
from midline.model.sandbox.bare import Bare
from midline.model.sandbox.bubblewrap import Bubblewrap
from midline.model.sandbox.landlock import Landlock
from midline.model.sandbox.policy import (
    Limits,
    Policy,
    Sandbox,
    environment,
    system_folders,
)
from midline.model.sandbox.seatbelt import Seatbelt
from midline.model.sandbox.unshare import Unshare

__all__ = ["LEVELS", "Limits", "Policy", "Sandbox", "SandboxError", "choose", "probe"]

LEVELS: dict[str, Callable[[], Sequence[Sandbox]]] = {
    "bubblewrap": lambda: Bubblewrap.variants(),
    "unshare": lambda: Unshare.variants(),
    "landlock": lambda: [Landlock()],
    "seatbelt": lambda: [Seatbelt()],
}
ABSENT = {"bubblewrap": "bwrap is not installed"} if sys.platform == "linux" else {}
PROBE_SECONDS = 15
TRIAL_PASSED = 42
TRIAL = f"""
(cat "$0") >/dev/null 2>&1 && {{ echo "files outside can be read" >&2; exit 3; }}
(echo x >"$0") 2>/dev/null
: >file && exit {TRIAL_PASSED}
"""
"""A shell script that exits with TRIAL_PASSED if the file $0 outside of the sandbox cannot be read.
Expected failures print nothing, so that the first line of standard error is the reason why a trial
failed.

Writing to $0 may succeed, in a private folder of the same name; `trial` checks that the file
outside is unchanged.
"""


class SandboxError(MidlineError):
    """No isolation works here, or not the kind that was asked for."""


def choose(level: str | None = None, *, unsafe: bool = False) -> Sandbox:
    """The first of LEVELS that works here, or the one named `level`; `bare` needs `unsafe`."""
    if level == Bare.level or (level is None and unsafe):
        if not unsafe:
            raise SandboxError("resource limits alone isolate nothing; add --unsafe to accept that")
        return Bare()
    if level is not None and level not in LEVELS:
        raise SandboxError(f"no sandbox {level!r}; there are {', '.join(LEVELS)}")
    reasons = []
    for name in [level] if level else LEVELS:
        sandbox, reason = probe(name)
        if sandbox is not None:
            return sandbox
        reasons.append(f"{name}: {reason}")
    raise SandboxError(
        f"no sandbox works here ({'; '.join(reasons)}); install bubblewrap, or add --unsafe to run "
        "untrusted programs under resource limits only"
    )


@functools.cache
def probe(level: str) -> tuple[Sandbox | None, str]:
    """The working variant of `level`, or None and the reason; tried by hiding a file from it."""
    reasons: list[str] = []
    for sandbox in LEVELS[level]():
        reason = trial(sandbox)
        if not reason:
            return sandbox, ""
        reasons.append(reason)
    return None, "; ".join(dict.fromkeys(reasons)) or ABSENT.get(level, "not for this system")


def trial(sandbox: Sandbox) -> str:
    """Empty when `sandbox` runs a command that cannot read or write what it was not given."""
    with tempfile.TemporaryDirectory(prefix="midline-probe-") as name:
        os.chmod(name, 0o755)
        secret, box = Path(name) / "secret", Path(name) / "box"
        secret.write_text("secret")
        secret.chmod(0o666)
        scratch = box / "tmp"
        scratch.mkdir(parents=True)
        policy = Policy(
            read=(*system_folders(), box), write=(), folder=scratch, scratch=scratch,
            environment=environment(scratch), slot=0, limits=Limits(),
        )  # fmt: skip
        sandbox.prepare(policy)
        try:
            with sandbox.descriptors() as open_files:
                done = subprocess.run(
                    sandbox.command(["/bin/sh", "-c", TRIAL, str(secret)], policy, open_files),
                    cwd="/", env={}, pass_fds=open_files, user=sandbox.user, group=sandbox.user,
                    extra_groups=None if sandbox.user is None else [], stdin=subprocess.DEVNULL,
                    capture_output=True, timeout=PROBE_SECONDS, check=False,
                )  # fmt: skip
        except (OSError, subprocess.SubprocessError, SandboxError) as error:
            return str(error)
        if secret.read_text() != "secret":
            return "files outside can be written"
        if done.returncode == TRIAL_PASSED:
            return ""
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        return lines[0] if lines else f"trial ended with {done.returncode}"
