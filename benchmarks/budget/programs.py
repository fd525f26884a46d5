"""Executions that are kept, and not more at a time than the machine has room for."""

import hashlib
import json
import threading
from collections.abc import Sequence

from midline.benchmarks.budget.store import Store
from midline.model.sandbox import Sandbox
from midline.model.strategies.examples import Check
from midline.model.strategies.programs import Observation, Observed, Programs


class KeptPrograms(Programs):
    """`Programs` whose observations are kept in `store`; `gate` lets some in at a time."""

    def __init__(self, sandbox: Sandbox, store: Store, gate: threading.Semaphore) -> None:
        super().__init__(sandbox)
        self.store, self.gate = store, gate

    def observe(
        self, programs: Sequence[str], language: str, checks: Sequence[Check]
    ) -> list[Observed]:
        """See `Programs`; equal programs with equal checks are executed once."""
        keys = [observation_key(program, language, checks) for program in programs]
        new = {k: p for k, p in zip(keys, programs, strict=True) if k not in self.store}
        if new:
            with self.gate:
                found = super().observe(list(new.values()), language, checks)
            for key, observed in zip(new, found, strict=True):
                rows = [[o.passed, o.value, o.error] for o in observed]
                self.store.add(key, {"observed": rows})
        self.executed += len(programs) - len(new)
        return [tuple(Observation(*each) for each in self.store.rows[k]["observed"]) for k in keys]


def observation_key(program: str, language: str, checks: Sequence[Check]) -> str:
    """Hash of the program and its checks."""
    what = [language, program, [[check.call, check.expected] for check in checks]]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]
