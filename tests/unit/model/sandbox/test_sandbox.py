"""Choosing the isolation, and the forms that cannot run on the machine at hand."""

import os
import sys
from pathlib import Path

import pytest

from midline.model import sandbox as room
from midline.model.sandbox import LEVELS, Limits, Policy, SandboxError, choose
from midline.model.sandbox.bubblewrap import Bubblewrap
from midline.model.sandbox.policy import FIRST_UID, UIDS, limit_command
from midline.model.sandbox.seatbelt import Seatbelt, profile


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    program, scratch = tmp_path / "program", tmp_path / "scratch"
    program.mkdir()
    scratch.mkdir()
    return Policy((program,), (), scratch, scratch, {"LANG": "C"}, slot=3)


def test_without_isolation_nothing_runs_unless_the_user_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "probe", lambda level: (None, "forbidden"))
    with pytest.raises(SandboxError, match=r"bubblewrap: forbidden; .*--unsafe"):
        choose()
    with pytest.raises(SandboxError, match="add --unsafe"):
        choose("bare")
    assert choose(unsafe=True).level == "bare"


def test_the_strongest_that_works_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    class Working(Bubblewrap):
        level = "landlock"

    answers = {"landlock": (Working(), "")}
    monkeypatch.setattr(room, "probe", lambda level: answers.get(level, (None, "no")))
    assert choose().level == "landlock"
    with pytest.raises(SandboxError, match=r"no sandbox works here \(unshare: no\)"):
        choose("unshare")
    with pytest.raises(SandboxError, match="no sandbox 'docker'; there are bubblewrap"):
        choose("docker")
    assert tuple(LEVELS) == ("bubblewrap", "unshare", "landlock", "seatbelt")


def test_the_seatbelt_profile_denies_by_default(policy: Policy) -> None:
    text = profile(policy)
    assert text.startswith("(version 1)\n(deny default)\n")
    assert "(deny network*)" in text
    assert f'(subpath "{policy.scratch.resolve()}")' in text
    (writes,) = [line for line in text.splitlines() if line.startswith("(allow file-write* ")]
    assert str(policy.read[0].resolve()) not in writes


def test_seatbelt_elsewhere_is_refused(policy: Policy) -> None:
    if sys.platform == "darwin":
        pytest.skip("this is macOS")
    with pytest.raises(OSError, match="macOS only"):
        Seatbelt().command(["true"], policy)


def test_bubblewrap_mounts_only_what_the_policy_names(policy: Policy) -> None:
    words = Bubblewrap().command(["/bin/true"], policy)
    sources = [words[i + 1] for i, word in enumerate(words) if word in ("--ro-bind", "--bind")]
    assert sources == [str(policy.read[0])]
    assert {"--unshare-net", "--unshare-pid", "--die-with-parent", "--clearenv"} <= set(words)
    assert words[-1] == "/bin/true"


def test_programs_that_run_at_the_same_time_are_different_users(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Bubblewrap(as_root=True)
    owners = [box.owner(slot) for slot in range(4)]
    if os.geteuid() != 0:
        assert set(owners) == {None}
        return
    assert len(set(owners)) == 4
    assert all(owner is not None and FIRST_UID <= owner < FIRST_UID + UIDS for owner in owners)
    monkeypatch.setattr(os, "getpid", lambda: 10**6)
    others = [box.owner(slot) for slot in range(4)]
    monkeypatch.setattr(os, "getpid", lambda: 10**6 + 1)
    assert not {box.owner(slot) for slot in range(4)} & set(others), "nor does another evaluation"


def test_limits_become_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(seconds=3, address_space=1 << 30, processes=7, file_size=1 << 20)
    monkeypatch.setattr(sys, "platform", "linux")
    words = limit_command(limits)
    assert {"--nproc=7", "--cpu=7", f"--as={1 << 30}", f"--fsize={1 << 20}", "--core=0"} <= {*words}
    monkeypatch.setattr(sys, "platform", "darwin")
    assert limit_command(limits)[2] == 'ulimit -c 0 -f 2048 -t 7 -u 7; exec "$@"'


@pytest.mark.parametrize("level", ["bubblewrap", "unshare", "landlock"])
def test_the_trial_says_what_does_not_work_and_nothing_that_should_not(
    level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a folder of the sandbox's own can be written, a file outside has not been."""
    sandbox = LEVELS[level]()[0] if LEVELS[level]() else pytest.skip("not for this system")
    if room.trial(sandbox):
        pytest.skip("does not work here")
    monkeypatch.setattr(room, "TRIAL", room.TRIAL.replace(": >file", "no-such-program"))
    reason = room.trial(sandbox)
    assert "no-such-program" in reason
    assert "cat" not in reason


def test_a_program_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("Linux only")
    monkeypatch.setattr("midline.model.sandbox.bubblewrap.find_program", lambda: None)
    room.probe.cache_clear()
    assert room.probe("bubblewrap") == (None, "bwrap is not installed")
    room.probe.cache_clear()
