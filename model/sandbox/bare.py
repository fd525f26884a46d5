"""Resource limits only: no isolation of files, processes or network. For `--unsafe`."""

import platform
from collections.abc import Sequence

from midline.model.sandbox.policy import Policy, Sandbox, limit_command
from midline.model.sandbox.supervisor import confined


class Bare(Sandbox):
    """The program runs in its own session under limits, and not as root; nothing more.

    On Linux a supervisor ends the processes that it leaves running.
    """

    level = "bare"

    def command(
        self, argv: Sequence[str], policy: Policy, descriptors: Sequence[int] = ()
    ) -> list[str]:
        """`argv` under limits in a clean environment."""
        if platform.system() == "Linux":
            return confined(argv, policy, self.level, self.owner(policy.slot), None)
        variables = [f"{name}={value}" for name, value in policy.environment.items()]
        change = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', str(policy.folder)]
        return ["/usr/bin/env", "-i", *variables, *change, *limit_command(policy.limits), *argv]
