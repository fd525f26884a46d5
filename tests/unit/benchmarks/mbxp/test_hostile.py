"""Hostile programs: each gets its status, nothing gets out, nothing is left running."""

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mbxp_programs import judge_tiny

from midline.benchmarks.mbxp.languages.python import LANGUAGE
from midline.benchmarks.mbxp.results import Result
from midline.model.sandbox import LEVELS, probe

WORKING = [level for level in LEVELS if probe(level)[0] is not None]
MEBIBYTE = 1 << 20


@pytest.fixture(params=WORKING or [pytest.param("none", marks=pytest.mark.skip("no isolation"))])
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Kinds of isolation; an interpreter in root's own folder is no use to Landlock under root."""
    name = str(request.param)
    if name == "landlock" and os.geteuid() == 0:
        if not os.access("/usr/bin/python3", os.X_OK):
            pytest.skip("needs an interpreter that every user can start")
        monkeypatch.setattr(LANGUAGE, "find", lambda tool: "/usr/bin/python3")
    return name


@pytest.fixture(autouse=True)
def _small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = replace(
        LANGUAGE.run_limits, seconds=4, memory=300 * MEBIBYTE, address_space=600 * MEBIBYTE
    )
    monkeypatch.setattr(LANGUAGE, "run_limits", limits)


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    yield
    deadline = time.monotonic() + 5
    while (left := programs_running()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def programs_running() -> list[str]:
    """Command lines of processes that run a program of an evaluation of this very process."""
    found = []
    for entry in Path("/proc").iterdir() if Path("/proc").is_dir() else ():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if "midline-mbxp-" in line and f"TINY{os.getpid()}" in line:
                found.append(line)
    return found


@pytest.fixture(autouse=True)
def _named_folders(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Programs of this test process are recognized by the folder they lie in."""
    folder = tmp_path_factory.mktemp(f"TINY{os.getpid()}")
    for parent in (folder, *folder.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)
    monkeypatch.setattr("tempfile.tempdir", str(folder))


def run(body: str, level: str) -> Result:
    """Execute a program whose function has `body`, tab-indented Python."""
    lines = "".join(f"\t{line}\n" for line in body.strip().splitlines())
    return judge_tiny("python", lines, level=level)[0]


def test_wrong_constant(level: str) -> None:
    assert run("return 41", level).status == "wrong"


def test_infinite_loop(level: str) -> None:
    result = run("while True: pass", level)
    assert result.status == "timeout_run"
    assert result.run_seconds < 20


def test_sleeping_in_a_process_of_its_own_session(level: str) -> None:
    body = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.close(0); os.close(1); os.close(2)
        time.sleep(1000)
    os._exit(0)
return sum(n for n in numbers if n % 2 == 0)
"""
    assert run(body, level).status == "pass", "what it leaves behind ends with it"


def test_memory_in_one_process(level: str) -> None:
    assert run("data = []\nwhile True: data.append(bytearray(1 << 22))", level).status == "oom"


def test_memory_in_many_processes(level: str) -> None:
    body = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        data = bytearray(100 << 20)
        time.sleep(1000)
time.sleep(1000)
"""
    assert run(body, level).status == "oom"


def test_fork_bomb(level: str) -> None:
    body = """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
    assert run(body, level).status in ("timeout_run", "oom")


def test_writing_outside(level: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("untouched")
    for path in (target, tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o777)
    for place in (target, tmp_path / "new", "/usr/escaped", "/escaped", Path.home() / "escaped"):
        result = run(f"open({str(place)!r}, 'w').write('x')\nreturn 0", level)
        assert result.status == "runtime_error", (place, result.status, result.detail)
    assert target.read_text() == "untouched"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["target"]


def test_connecting_to_a_socket(level: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = server.getsockname()[1]
        body = f"import socket\nsocket.create_connection(('127.0.0.1', {port}))\nreturn 0"
        assert run(body, level).status == "runtime_error"
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("call", ["sys.exit(0)", "os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_ending_early(level: str, call: str) -> None:
    assert run(f"import os, sys\n{call}", level).status in ("wrong", "runtime_error")


def test_a_gigabyte_of_output(level: str) -> None:
    result = run("import os\nfor _ in range(1024): os.write(1, b'x' * (1 << 20))", level)
    assert result.status == "output_limit"
    assert len(result.detail) < 2000


def test_reading_other_programs(level: str) -> None:
    """One program looks for the others of its batch and of its user, and raises if it sees any."""
    body = """
import glob, os, tempfile
here = os.getcwd()
seen = [p for p in glob.glob(os.path.dirname(here) + '/../*/program/main.py')]
own = os.path.realpath(os.path.dirname(here) + '/program/main.py')
if any(os.path.realpath(p) != own for p in seen):
    raise KeyError('sees others')
for p in glob.glob('/proc/[0-9]*/environ'):
    if int(p.split('/')[2]) not in (os.getpid(), os.getppid()):
        try:
            open(p).read()
        except OSError:
            continue
return sum(n for n in numbers if n % 2 == 0)
"""
    lines = "".join(f"\t{line}\n" for line in body.strip().splitlines())
    others = ["\timport time; time.sleep(1)\n\treturn 0\n", lines, "\treturn 1\n"]
    results = judge_tiny("python", *others, level=level)
    assert results[1].status == "pass", results[1].detail


def test_filling_the_private_disk(level: str) -> None:
    body = """
for number in range(10000):
    with open(f'file{number}', 'wb') as file:
        file.write(bytes(1 << 22))
"""
    result = run(body, level)
    assert result.status == "runtime_error"
    assert "No space left" in result.detail or level == "landlock", "there it is ended from outside"


def test_the_user_inside_is_nobody_special(level: str) -> None:
    body = """
import os
status = open('/proc/self/status').read()
effective = [line for line in status.splitlines() if line.startswith('CapEff')][0]
if int(effective.split()[1], 16):
    raise KeyError(effective)
try:
    os.setuid(0)
    os.listdir('/root')
except OSError:
    return sum(n for n in numbers if n % 2 == 0)
raise KeyError('is root')
"""
    assert run(body, level).status == "pass"
