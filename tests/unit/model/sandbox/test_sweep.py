"""What stays when a supervisor is killed from outside, which no program can do."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from mbxp_programs import require_sandbox

from midline.model.sandbox import Limits, Policy, choose, execution
from midline.model.sandbox.execution import Outcome, execute
from midline.model.sandbox.policy import environment, system_folders

SCRIPT = """
(setsid sh -c 'exec >/dev/null 2>&1 </dev/null; sleep {nap}; :' &)
echo ready >ready
sleep {nap}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
@pytest.mark.parametrize("level", ["landlock", "unshare", "bubblewrap"])
def test_nothing_is_left_when_the_supervisor_is_killed(level: str, tmp_path: Path) -> None:
    require_sandbox(level)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)
    nap = f"{7000 + len(level)}.{os.getpid()}"
    policy = Policy(system_folders(), (), scratch, scratch, environment(scratch), limits=Limits())
    outcomes: list[Outcome] = []

    def work() -> None:
        command = ["/bin/sh", "-c", SCRIPT.format(nap=nap)]
        outcomes.append(execute(choose(level), command, policy))

    before = set(execution.RUNNING)
    thread = threading.Thread(target=work)
    thread.start()
    assert wait_for(lambda: len(sleeping(nap)) >= 2)
    (supervisor,) = set(execution.RUNNING) - before
    os.kill(supervisor, signal.SIGKILL)
    thread.join(30)
    assert outcomes[0].exit_code in (-signal.SIGKILL, None)
    gone = wait_for(lambda: not sleeping(nap))
    for process in sleeping(nap):
        os.kill(int(process), signal.SIGKILL)
    assert gone


def sleeping(nap: str) -> list[str]:
    """Command lines of processes that sleep that long, those of the dead left out."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", nap.encode()]:
            lines.append(path.parts[2])
    return lines


def wait_for(condition: object) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.02)
    return bool(condition())  # type: ignore[operator]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_bubblewrap_leaves_nothing_in_the_process_table(tmp_path: Path) -> None:
    require_sandbox("bubblewrap")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)
    policy = Policy(system_folders(), (), scratch, scratch, environment(scratch), limits=Limits())
    for _ in range(3):
        assert execute(choose("bubblewrap"), ["/bin/true"], policy).exit_code == 0
    deadline = time.monotonic() + 10
    while len(left := _bubblewraps()) > 1 and time.monotonic() < deadline:
        time.sleep(0.05)
        execute(choose("bubblewrap"), ["/bin/true"], policy)
    assert len(left) <= 1  # that of the last call may still be on its way out


def _bubblewraps() -> list[str]:
    found = []
    for thread in os.listdir("/proc/self/task"):
        for child in Path(f"/proc/self/task/{thread}/children").read_text().split():
            status = Path(f"/proc/{child}/comm")
            if status.exists() and status.read_text().strip() == "bwrap":
                found.append(child)
    return found
