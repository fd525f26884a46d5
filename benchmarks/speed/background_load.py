"""Processor load of other processes during a measurement; Linux only."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

STAT = Path("/proc/stat")
TOLERABLE_CORES = 0.15


@dataclass(frozen=True)
class BackgroundLoad:
    """Wall clock, total processor time and processor time of `pids` at one moment, in seconds."""

    clock: float
    everyone: float
    ours: float

    @classmethod
    def now(cls, pids: list[int]) -> "BackgroundLoad | None":
        """The current values; None if the system does not provide them."""
        if not STAT.exists():
            return None
        return cls(time.monotonic(), _busy(STAT.read_text()), sum(map(_process_seconds, pids)))

    def since(self, earlier: "BackgroundLoad") -> float:
        """Mean number of cores used by other processes since `earlier`."""
        others = (self.everyone - earlier.everyone) - (self.ours - earlier.ours)
        return max(0.0, others / (self.clock - earlier.clock))


def warnings(busy_cores: float | None) -> list[str]:
    """A warning if other processes used more than `TOLERABLE_CORES`, else nothing."""
    if (busy_cores or 0.0) <= TOLERABLE_CORES:
        return []
    return [
        f"other processes kept {busy_cores:.1f} cores busy meanwhile: "
        "measure again on an idle machine"
    ]


def _busy(stat: str) -> float:
    """Processor time of all processors in seconds, including time stolen by the hypervisor."""
    user, nice, system, _, _, irq, softirq, steal = map(int, stat.split("\n")[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _process_seconds(pid: int) -> float:
    """User and system seconds of process `pid`, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
