"""Processor time: of a process and of what it started."""

import os
import subprocess
import sys

import pytest

from midline.benchmarks.quality.typing.cpu import PROCESSES, processor_seconds

BURN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"
PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])\ninput()\n"


@pytest.mark.skipif(not (PROCESSES / "self").exists(), reason="there is no /proc here")
def test_children_count() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT + "input()\n"], stdin=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        while (processor_seconds(process.pid) or 0.0) < 0.3:
            assert process.poll() is None
        process.stdin.write(b"\n")
        process.stdin.flush()


def test_a_process_that_is_not_there_has_no_time() -> None:
    assert processor_seconds(2**22 + os.getpid()) is None
