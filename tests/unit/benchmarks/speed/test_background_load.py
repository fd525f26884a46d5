"""Processor time of other processes, told from one's own."""

import subprocess
import sys
import time

import pytest

from midline.benchmarks.speed.background_load import STAT, BackgroundLoad

pytestmark = pytest.mark.skipif(not STAT.exists(), reason="only Linux tells processor times so")
SPIN = "import time; end = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass"


def moment(pids: list[int]) -> BackgroundLoad:
    found = BackgroundLoad.now(pids)
    assert found is not None
    return found


def test_difference_of_two_moments():
    before, after = BackgroundLoad(10.0, 100.0, 50.0), BackgroundLoad(20.0, 118.0, 62.0)
    assert after.since(before) == pytest.approx(0.6)
    assert BackgroundLoad(20.0, 110.0, 70.0).since(before) == 0.0


def test_what_a_process_of_ours_uses_is_not_counted_as_company():
    with subprocess.Popen([sys.executable, "-c", SPIN]) as process:
        time.sleep(0.3)
        without, including = moment([]), moment([process.pid])
        time.sleep(0.8)
        ours = moment([]).since(without) - moment([process.pid]).since(including)
    assert ours > 0.01
