"""How busy other processes kept the machine during a measurement; Linux only."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

STAT = Path("/proc/stat")
TOLERABLE_CORES = 0.15


@dataclass(frozen=True)
class Company:
    """A moment: seconds on the clock, and of processor time by everyone and by `pids`."""

    clock: float
    everyone: float
    ours: float

    @classmethod
    def now(cls, pids: list[int]) -> "Company | None":
        """This moment; None where the system does not tell."""
        if not STAT.exists():
            return None
        return cls(time.monotonic(), _busy(STAT.read_text()), sum(map(_process_seconds, pids)))

    def since(self, earlier: "Company") -> float:
        """Cores that others used on average since `earlier`."""
        others = (self.everyone - earlier.everyone) - (self.ours - earlier.ours)
        return max(0.0, others / (self.clock - earlier.clock))


def warnings(busy_cores: float | None) -> list[str]:
    """What to print below figures: a line if others kept more than `TOLERABLE_CORES` busy."""
    if (busy_cores or 0.0) <= TOLERABLE_CORES:
        return []
    return [
        f"other processes kept {busy_cores:.1f} cores busy meanwhile: "
        "measure again on an idle machine"
    ]


def _busy(stat: str) -> float:
    """Seconds all processors were at work, or lost to other guests of the same host."""
    user, nice, system, _, _, irq, softirq, steal = map(int, stat.split("\n")[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _process_seconds(pid: int) -> float:
    """User and system seconds of process `pid`, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
