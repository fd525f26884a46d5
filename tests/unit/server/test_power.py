"""Battery or mains, as Linux lists them."""

from pathlib import Path

import pytest

from midline.server.power import on_battery


def supply(folder: Path, name: str, **values: str) -> None:
    (folder / name).mkdir(parents=True)
    for key, value in values.items():
        (folder / name / key).write_text(f"{value}\n")


def test_a_discharging_battery_without_mains_counts(tmp_path: Path) -> None:
    supply(tmp_path, "BAT0", type="Battery", status="Discharging")
    assert on_battery(tmp_path)
    supply(tmp_path, "AC", type="Mains", online="0")
    assert on_battery(tmp_path)


@pytest.mark.parametrize("kind", ["Mains", "USB"])
def test_mains_goes_before_a_battery(tmp_path: Path, kind: str) -> None:
    supply(tmp_path, "BAT0", type="Battery", status="Discharging")
    supply(tmp_path, "AC", type=kind, online="1")
    assert not on_battery(tmp_path)


def test_the_battery_of_a_mouse_is_not_the_machines(tmp_path: Path) -> None:
    supply(tmp_path, "hid-1", type="Battery", status="Discharging", scope="Device")
    assert not on_battery(tmp_path)


def test_a_full_battery_a_desktop_and_other_systems_are_not_on_battery(tmp_path: Path) -> None:
    assert not on_battery(tmp_path / "nowhere") and not on_battery(tmp_path)
    supply(tmp_path, "BAT0", type="Battery", status="Full")
    assert not on_battery(tmp_path)
