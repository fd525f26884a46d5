"""Whether the machine runs on its battery."""

from contextlib import suppress
from pathlib import Path

POWER_SUPPLIES = Path("/sys/class/power_supply")
"""Where Linux lists batteries and mains, a folder each."""


def on_battery(folder: Path | None = None) -> bool:
    """Whether a battery is being discharged and no mains is connected; False where nobody knows.

    `folder` is another place of the list.
    """
    supplies = [(_read(supply, "type"), supply) for supply in _supplies(folder or POWER_SUPPLIES)]
    batteries = [
        supply
        for kind, supply in supplies
        if kind == "Battery" and _read(supply, "scope") != "Device"  # a mouse has one, too
    ]
    mains = [supply for kind, supply in supplies if kind in ("Mains", "USB")]
    if any(_read(supply, "online") == "1" for supply in mains):
        return False
    return any(_read(supply, "status") == "Discharging" for supply in batteries)


def _supplies(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(folder.iterdir())
    return []


def _read(supply: Path, name: str) -> str:
    with suppress(OSError, ValueError):
        return (supply / name).read_text("utf-8").strip()
    return ""
