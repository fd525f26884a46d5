"""Every attempt, at every kind of isolation that this machine has, as this user and as nobody.

`make test-attack` makes all of them; the default tests those at the kind that would be chosen.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from attack.sandbox import escapes
from attack.sandbox.attempt import attempt, numbers_of_calls
from attack.sandbox.escapes import ALL, Escape

from midline.model.sandbox import LEVELS, SandboxError, choose

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the attempts are Linux's")
USERS = ("self", "nobody") if os.geteuid() == 0 else ("self",)
LINUX_LEVELS = ("bubblewrap", "unshare", "landlock")
IN_DEFAULT_TESTS = (
    "survival",
    "sockets",
    "kernel",
    "memory: memory",
    "files: read",
    "files: names",
)


def strongest() -> str:
    try:
        return choose().level
    except SandboxError:
        return ""


def cases() -> Iterator[object]:
    usual = strongest() if sys.platform == "linux" else ""
    for escape in ALL:
        short = escape.language == "python" and escape.name.startswith(IN_DEFAULT_TESTS)
        for level in LINUX_LEVELS:
            for user in USERS:
                reduced = short and user == "self" and level in (usual, "landlock")
                yield pytest.param(
                    escape, level, user, marks=[] if reduced else [pytest.mark.attack],
                    id=f"{level}-{user}-{escape.language}-{escape.name}",
                )  # fmt: skip


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Escape, list[str] | None]]:
    """The calls of the escapes, built when first asked for, where every user can read them."""
    folder = Path("/tmp") / f"midline-attack-programs-{os.getpid()}"
    folder.mkdir(mode=0o755)
    built = _Built(folder)
    try:
        yield built
    finally:
        shutil.rmtree(folder)


class _Built(dict):  # type: ignore[type-arg]
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, escape: Escape) -> list[str] | None:
        place = self.folder / str(len(self))
        place.mkdir(mode=0o755)
        self[escape] = call = escape.build(place)
        if call is not None and escape.language == "python":
            program = Path(call[-1])
            program.write_text(f"NUMBERS = {numbers_of_calls()}\n{program.read_text()}")
        return call


@pytest.mark.parametrize(("escape", "level", "user"), list(cases()))
def test_no_escape(
    escape: Escape,
    level: str,
    user: str,
    programs: dict[Escape, list[str] | None],
    record_property: object,
) -> None:
    call = programs[escape]
    if call is None:
        pytest.skip(f"{escapes.TOOLS[escape.language]} is not installed for every user")
    report = attempt(call, level, other_user=user == "nobody")
    if report.skipped:
        pytest.skip(report.skipped)
    if level == "landlock" and not escape.promised:
        assert report.found, "docs/security.md says that this level does not stop it"
        return
    assert not report.found, report.detail


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to become an ordinary user")
def test_ordinary_users_get_name_spaces_where_the_kernel_gives_them_any() -> None:
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
               "unshare", "--user", "--map-root-user", "--mount", "--net", "true"]  # fmt: skip
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("the kernel gives ordinary users none")
    report = attempt(["/usr/bin/true"], "unshare", other_user=True)
    assert (report.skipped, report.found) == ("", []), report


def test_there_are_enough_of_them() -> None:
    assert len(ALL) >= 30
    assert len({escape.language for escape in ALL}) == 5
    assert set(LINUX_LEVELS) | {"seatbelt"} == set(LEVELS)
    assert replace(ALL[0], promised=False) != ALL[0]
