"""Plain name spaces, for machines without bubblewrap: built by `confine.py`."""

import os
import sys
from collections.abc import Sequence

from midline.model.sandbox import seccomp
from midline.model.sandbox.policy import NOBODY, Policy, Sandbox
from midline.model.sandbox.supervisor import DEVICES, confined


class Unshare(Sandbox):
    """`as_root`: real mounts, then an unprivileged user; otherwise a user name space."""

    level = "unshare"
    process_name_space = True

    def __init__(self, *, as_root: bool = False) -> None:
        self.as_root = as_root
        self.user = NOBODY if not as_root and os.geteuid() == 0 else None

    @classmethod
    def variants(cls) -> list[Sandbox]:
        """The forms to try here, best first."""
        if sys.platform != "linux":
            return []
        return [cls(as_root=True), cls()] if os.geteuid() == 0 else [cls()]

    def command(
        self, argv: Sequence[str], policy: Policy, descriptors: Sequence[int] = ()
    ) -> list[str]:
        """`argv`, started through confine.py, which builds the new root, enters it and drops
        privileges.
        """
        return confined(
            argv, policy, self.level, self.owner(policy.slot) if self.as_root else None,
            seccomp.program(), devices=DEVICES, user_name_space=not self.as_root,
        )  # fmt: skip
