"""Joules and grams of CO2 of completions, by codecarbon, offline.

Joules are those of the processor's energy counters (RAPL) where the machine shows them, and
otherwise an estimate, labelled so: codecarbon's power of the processor times the time, which is
time in another unit. Grams of CO2 follow from the electricity of a country.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.speed.remote import RemoteEngine
from midline.model.errors import UsageError

COUNTERS = Path("/sys/class/powercap")
JOULES_PER_KILOWATT_HOUR = 3.6e6


class EnergyMeter:
    """Measures what the whole machine takes while an engine completes prompts.

    Raises UsageError without codecarbon.
    """

    def __init__(self, country: str) -> None:
        try:
            from codecarbon import OfflineEmissionsTracker
        except ModuleNotFoundError as error:
            raise UsageError(
                "energy needs the package codecarbon: install Midline with the extra `study`"
            ) from error
        self._tracker: Any = OfflineEmissionsTracker(
            country_iso_code=country, save_to_file=False, log_level="error",
            tracking_mode="machine", measure_power_secs=1, allow_multiple_runs=True,
        )  # fmt: skip
        self._tasks = 0

    def measure(
        self, engine: RemoteEngine, prompts: Sequence[list[int]], tokens: int
    ) -> dict[str, float]:
        """Seconds, joules and grams of completing all `prompts` by `tokens` tokens each."""
        self._tasks += 1
        task = f"task {self._tasks}"
        self._tracker.start_task(task)
        began = time.perf_counter()
        for prompt in prompts:
            engine.call("complete", prompt=prompt, tokens=tokens)
        seconds = time.perf_counter() - began
        data = self._tracker.stop_task(task)
        return {
            "completions": seconds,
            "joules": data.energy_consumed * JOULES_PER_KILOWATT_HOUR,
            "grams": data.emissions * 1000,
        }


def energy_method() -> str:
    """How joules were found on this machine."""
    if COUNTERS.exists() and any(COUNTERS.glob("intel-rapl*/energy_uj")):
        return "measured by the processor's energy counters"
    return "estimated: codecarbon's power of the processor times the time"
