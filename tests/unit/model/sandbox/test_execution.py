"""Watching one command: limits, output, progress, and standing still."""

import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from midline.model.sandbox import Limits, Policy, execution
from midline.model.sandbox.bare import Bare
from midline.model.sandbox.execution import (
    MOST_EXTENSIONS,
    Ending,
    Outcome,
    execute,
)

BLOCK = "head -c 1000000 /dev/zero"


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)
    variables = {"PATH": "/usr/bin:/bin"}
    return Policy((), (), scratch, scratch, variables, limits=Limits(seconds=5))


def run(policy: Policy, script: str, **options: object) -> Outcome:
    return execute(Bare(), ["/bin/sh", "-c", script], policy, **options)  # type: ignore[arg-type]


def test_output_exit_code_and_input(policy: Policy) -> None:
    outcome = run(policy, "cat; echo error >&2; exit 7", stdin=b"token")
    assert (outcome.ending, outcome.exit_code) == (Ending.EXITED, 7)
    assert (outcome.stdout, outcome.stderr) == (b"token", b"error\n")
    assert outcome.text == "token\nerror\n"


def test_time_output_and_a_request_to_stop_end_it(policy: Policy) -> None:
    short = replace(policy, limits=Limits(seconds=0.3))
    assert run(short, "sleep 60").ending is Ending.TIME
    small = replace(policy, limits=Limits(output=1000))
    assert run(small, "while true; do echo many words; done").ending is Ending.OUTPUT
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    outcome = run(policy, "sleep 60", stop=stop)
    assert outcome.ending is Ending.STOPPED
    assert outcome.seconds < 4


def test_progress_starts_the_clock_anew(policy: Policy) -> None:
    limits = replace(policy, limits=Limits(seconds=0.4))
    started = time.monotonic()
    outcome = run(limits, "sleep 1", progress=lambda: int((time.monotonic() - started) * 10))
    assert outcome.ending is Ending.EXITED


STANDING_STILL = """
import sys
from pathlib import Path
from midline.model.sandbox.execution import execute
from midline.model.sandbox import Limits, Policy
from midline.model.sandbox.bare import Bare

scratch = Path(sys.argv[1])
policy = Policy((), (), scratch, scratch, {"PATH": "/usr/bin:/bin"}, limits=Limits(seconds=2.5))
print("started", flush=True)
print(execute(Bare(), ["/bin/sh", "-c", "sleep 4.6"], policy).ending.name)
"""


def test_time_in_which_everything_stands_still_does_not_count(policy: Policy) -> None:
    call = [sys.executable, "-P", "-c", STANDING_STILL, str(policy.scratch)]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGSTOP)
        time.sleep(3)
        process.send_signal(signal.SIGCONT)
        assert process.stdout.read() == "EXITED\n"


def test_time_spent_waiting_for_a_processor_does_not_count(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = replace(policy, limits=Limits(seconds=0.5))
    monkeypatch.setattr(execution, "waited_seconds", lambda pid: 1.2)
    assert run(short, "sleep 1").ending is Ending.EXITED
    assert run(short, "sleep 60").ending is Ending.TIME, "once, not for ever"
    waits = iter(range(1, 1000))
    monkeypatch.setattr(execution, "waited_seconds", lambda pid: float(next(waits)))
    outcome = run(short, "sleep 60")
    assert outcome.ending is Ending.TIME
    assert 0.5 * (1 + MOST_EXTENSIONS) <= outcome.seconds < 10


def test_long_output_is_searched_at_its_ends_only(policy: Policy) -> None:
    outcome = Outcome(Ending.EXITED, 1, b"a" * 10**6 + b"z", b"e", 0.0)
    assert len(outcome.text) < 20_000
    assert outcome.text.startswith("a")
    assert outcome.text.endswith("z\ne")


def test_a_command_that_cannot_start_says_why(policy: Policy) -> None:
    class Broken(Bare):
        def command(self, *call: object) -> list[str]:
            return ["/no/such/program"]

    outcome = execute(Broken(), ["x"], policy)
    assert outcome.ending is Ending.NOT_STARTED
    assert b"No such file" in outcome.stderr


def test_a_temporary_folder_without_a_disk_of_its_own_is_watched(policy: Policy) -> None:
    small = replace(policy, limits=Limits(scratch=2_000_000, seconds=30))
    assert run(small, f"{BLOCK} >one; sleep 1; cat one | wc -c").ending is Ending.EXITED
    assert run(small, f"{BLOCK} >two; {BLOCK} >three; sleep 30").ending is Ending.DISK
