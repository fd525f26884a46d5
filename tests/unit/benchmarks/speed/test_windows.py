"""The figures of shared windows, and what is printed of them."""

import os
from typing import Any

from midline.benchmarks.speed import recovery, windows

LATENCIES = {
    "alone": [[10.0] * 95 + [100.0] * 5],
    "window": [[20.0] * 95 + [150.0] * 5],
    "http": [[10.0] * 50, [10.0] * 45 + [130.0] * 5],
}


def test_the_95th_percentile_is_of_all_blocks_together() -> None:
    assert windows._ratios(LATENCIES) == {"window_ratio": 1.5, "http_ratio": 1.3}


def test_every_condition_has_a_line() -> None:
    result: dict[str, Any] = {
        "windows": 3,
        "windows_served": 3,
        "resident_bytes": {"engine": 600e6, "window 1": 40e6, "total": 640e6},
        "over_file_megabytes": 170.0,
        "busy_elsewhere_cores": 0.0,
        "summary": {name: windows._summary(found) for name, found in LATENCIES.items()},
        **windows._ratios(LATENCIES),
    }
    said = windows.lines(result)
    assert said[0] == "3 of 3 windows are served by one engine"
    assert said[1].endswith("170 beyond the model's file")
    assert [line.split()[1] for line in said[2:]] == ["alone", "window", "http"]
    assert "1.50x alone" in said[3] and "x alone" not in said[2]


def test_the_projects_are_there() -> None:
    for project in windows.PROJECTS:
        assert len(list((windows.ROOT / project).glob("*.py"))) > 3


def test_resident_memory_counts_shared_pages_once() -> None:
    assert windows._resident(1 << 30) == 0
    assert windows._resident(os.getpid()) > 10_000_000


def test_recovery_is_said_in_two_lines() -> None:
    result = {
        "median_initialize_with": 0.3,
        "median_initialize_without": 1.0,
        "median_back_seconds": 1.2,
        "most_back_seconds": 1.9,
        "back_seconds": [1.2, 1.9],
    }
    first, second = recovery.lines(result)
    assert "0.30 s" in first and "1.00 s" in first and "at most 1.90 s of 2" in second
