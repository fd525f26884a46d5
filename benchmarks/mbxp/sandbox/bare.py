"""Resource limits only: no isolation of files, processes or network. For `--unsafe`."""

from collections.abc import Sequence

from midline.benchmarks.mbxp.sandbox.policy import Policy, Sandbox, drop_command, limit_command


class Bare(Sandbox):
    """The program runs in its own session under limits, and not as root; nothing more."""

    level = "bare"

    def command(self, argv: Sequence[str], policy: Policy) -> list[str]:
        """`argv` under limits in a clean environment."""
        owner = self.owner(policy.slot)
        variables = [f"{name}={value}" for name, value in policy.environment.items()]
        change = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', str(policy.folder)]
        drop = [] if owner is None else drop_command(owner)
        return ["/usr/bin/env", "-i", *variables, *change, *drop,
                *limit_command(policy.limits), *argv]  # fmt: skip
