"""`midline do`: the frame first, then an edit as a diff, applied only after a yes."""

import json
from pathlib import Path

import pytest

from midline.server.cli.main import main
from midline.server.lsp.settings import Settings

CODE = "def foo():\n    return 1\n\n\nprint(foo())\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Path:
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    (root / "utils.py").write_text(CODE)
    monkeypatch.chdir(root)
    return root


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capfd.readouterr()
    status = main(["do", *words])
    return status, *capfd.readouterr()


def test_a_dry_run_prints_the_frame_and_nothing_else(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capfd, "rename foo to bar in utils.py", "--dry-run")
    assert (status, err) == (0, "")
    frame = json.loads(out)
    assert frame["intent"] == "rename"
    assert frame["slots"] == {"symbol": "foo", "new_name": "bar", "path": "utils.py"}


@pytest.mark.parametrize(
    ("words", "slots"),
    [
        (("rename", "foo", "to", "bar"), {"symbol": "foo", "new_name": "bar"}),
        (("open", "my notes.md"), {"path": "my notes.md"}),
    ],
)
def test_a_sentence_needs_no_quotes(
    project: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], slots: dict[str, str]
) -> None:
    (project / "my notes.md").write_text("a\n")
    status, out, _ = run(capfd, *words, "--dry-run")
    assert (status, json.loads(out)["slots"]) == (0, slots)


def test_without_a_yes_nothing_changes(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capfd, "rename foo to bar in utils.py")
    assert status == 0
    assert "+def bar():" in out and "-def foo():" in out
    assert err.startswith("rename: symbol foo, new name bar, path utils.py\n")
    assert "--yes" in err
    assert (project / "utils.py").read_text() == CODE


def test_with_a_yes_it_is_done(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(capfd, "rename foo to bar in utils.py", "--yes")[0] == 0
    assert (project / "utils.py").read_text() == CODE.replace("foo", "bar")


def test_json_has_the_frame_and_the_diff(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capfd, "rename foo to bar in utils.py", "--json", "--yes")
    answer = json.loads(out)
    assert (status, answer["applied"], answer["frame"]["intent"]) == (0, True, "rename")
    assert "+print(bar())" in answer["diff"]


def test_search_and_open_print_places(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert (
        run(capfd, "find all usages of foo")[1]
        == "utils.py:1: def foo():\nutils.py:5: print(foo())\n"
    )
    assert run(capfd, "open utils.py at line 5")[1] == "utils.py:5\n"


def test_tests_are_run_only_after_a_yes(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "Makefile").write_text("test:\n\t@echo ran > ran.txt\n")
    status, out, err = run(capfd, "run the tests")
    assert (status, out) == (0, "make test\n")
    assert "--yes" in err and not (project / "ran.txt").exists()
    assert run(capfd, "run the tests", "--yes")[0] == 0
    assert (project / "ran.txt").exists()


def test_settings_are_kept_in_the_users_file(
    project: Path, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(capfd, "set temperature to 0.3")[0] == 0
    assert run(capfd, "pause for 10 minutes")[0] == 0
    assert json.loads((home / "settings.json").read_text())["temperature"] == 0.3
    assert "completions are paused" in run(capfd, "status")[1]
    assert run(capfd, "resume")[0] == 0
    assert "completions are on" in run(capfd, "status")[1]
    status, _, err = run(capfd, "set temperature to 900")
    assert (status, "should be" in err) == (2, True)


def test_a_setting_goes_back_to_its_default(
    project: Path, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(capfd, "set max tokens to 64")[0] == 0
    assert run(capfd, "set max tokens to default")[0] == 0
    assert json.loads((home / "settings.json").read_text())["maxTokens"] == Settings().max_tokens
    assert run(capfd, "set max tokens to -5")[0] == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pause", "completions are paused; `midline do resume` turns them on ("),
        ("pause for 90 seconds", "completions are paused for 90 seconds;"),
        ("pause for an hour", "completions are paused for 1 hour;"),
        ("resume", "completions are on ("),
        ("turn off completions in c++", "completions are off in cpp ("),
        ("turn on completions in python files", "completions are on in all languages ("),
    ],
)
def test_a_pause_is_told_in_words(
    project: Path, capfd: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    status, out, err = run(capfd, text)
    assert (status, out.startswith(told)) == (0, True)
    assert not err.startswith(f"{text}: here")


@pytest.mark.parametrize(
    "text", ["", "what is the weather in rome", "ouvre le fichier main.py", "x" * 10_000]
)
def test_what_is_no_command_ends_with_2_and_a_sentence(
    project: Path, capfd: pytest.CaptureFixture[str], text: str
) -> None:
    status, out, err = run(capfd, text)
    assert (status, out) == (2, "")
    assert err.startswith("midline: ") and err.count("\n") == 1


def test_a_slot_that_does_not_resolve_is_asked_for(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    status, _, err = run(capfd, "rename fooo to bar")
    assert status == 2
    assert "nothing is called fooo in this project, but there is foo; which name is meant?" in err
