"""Counts of what happened to documents, by reason, with examples; added up over shards."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EXAMPLES = 10


@dataclass
class Counts:
    """Documents read and written, and those dropped and skipped by reason.

    `examples` has up to `EXAMPLES` ids for each reason of dropping, the first in input order.
    """

    read: int = 0
    written: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def drop(self, reason: str, id: str) -> None:
        """Counts a document that was left out."""
        self.dropped[reason] += 1
        found = self.examples.setdefault(reason, [])
        if len(found) < EXAMPLES:
            found.append(id)

    def add(self, report: Mapping[str, Any]) -> None:
        """Adds what `report` has made of the counts of a later shard."""
        self.read += int(report["read"])
        self.written += int(report["written"])
        self.dropped.update(report["dropped"])
        self.skipped.update(report["skipped"])
        for reason, ids in report["examples"].items():
            found = self.examples.setdefault(reason, [])
            found += ids[: EXAMPLES - len(found)]

    def report(self) -> dict[str, Any]:
        """The counts as JSON has them."""
        return {
            "read": self.read,
            "written": self.written,
            "dropped": dict(self.dropped),
            "skipped": dict(self.skipped),
            "examples": self.examples,
        }

    def lines(self, examples: bool = True) -> list[str]:
        """The counts as sentences and a table."""
        found = [f"{self.read} documents read, {self.written} written"]
        for reason, count in self.dropped.most_common():
            found.append(f"  {count:>7} dropped: {reason}")
            if examples:
                found += [f"            {id}" for id in self.examples.get(reason, ())]
        found += [f"  {count:>7} {reason}" for reason, count in sorted(self.skipped.items())]
        return found
