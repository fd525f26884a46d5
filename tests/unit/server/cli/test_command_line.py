"""One sentence and an exit status for whatever a command does."""

import argparse
import json
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from midline.model.errors import MidlineError, UsageError
from midline.server.cli.command_line import Program, parse, run_program

PACKAGE = "fake_commands"
MODULE = f"{PACKAGE}.{{}}"
Run = Callable[[argparse.Namespace], int]


@pytest.fixture
def call(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run a program whose one command `work` does as given."""

    def call(run: Run, *words: str) -> int:
        module = types.ModuleType(f"{PACKAGE}.work", "Do the work.\n\nexamples:\n  prog work 3")
        module.run = run
        monkeypatch.setitem(sys.modules, PACKAGE, types.ModuleType(PACKAGE))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        module.add_arguments = add_arguments
        program = Program(
            "prog", "A program.", "  prog work 3", MODULE, {"work": "do it"}, json_errors=True
        )
        return run_program(program, words)

    return call


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("number", type=int)
    parser.add_argument("--json", action="store_true")


def _raising(error: BaseException) -> Run:
    def run(args: argparse.Namespace) -> int:
        raise error

    return run


def test_a_command_gets_its_arguments_and_gives_the_status(call: Callable[..., int]) -> None:
    assert call(lambda args: args.number, "work", "3") == 3


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (MidlineError("the disk is full; free some"), 1, "prog: the disk is full; free some\n"),
        (UsageError("no such line"), 2, "prog: no such line\n"),
        (KeyboardInterrupt(), 130, "prog: interrupted\n"),
    ],
)
def test_an_expected_failure_is_one_sentence(
    call: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    said: str,
) -> None:
    assert call(_raising(error), "work", "3") == status
    out, err = capsys.readouterr()
    assert (out, err) == ("", said)


def test_an_unexpected_failure_names_the_log_that_has_the_traceback(
    call: Callable[..., int], capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    assert call(_raising(ZeroDivisionError("by zero\nmore")), "work", "3") == 1
    log = home / "logs" / "midline.log"
    err = capsys.readouterr().err
    assert err == f"prog: unexpected ZeroDivisionError: by zero; see {log}\n"
    assert "Traceback (most recent call last)" in log.read_text("utf-8")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (MidlineError("no room"), 1, "no room"),
        (UsageError("no such line"), 2, "no such line"),
        (ZeroDivisionError("odd"), 1, "unexpected ZeroDivisionError: odd; see "),
    ],
)
def test_an_error_is_a_json_object_where_one_was_asked_for(
    call: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    status: int,
    said: str,
) -> None:
    assert call(_raising(error), "work", "3", "--json") == status
    out, err = capsys.readouterr()
    found = json.loads(out)["error"]
    assert found["exit_status"] == status
    assert found["message"].startswith(said)
    assert err == f"prog: {found['message']}\n"


def test_a_wrong_call_is_a_json_object_too(
    call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(_raising(AssertionError("never called")), "work", "--json", "x") == 2
    assert json.loads(capsys.readouterr().out)["error"]["exit_status"] == 2


def test_an_interrupt_and_a_program_of_other_habits_print_no_json(
    call: Callable[..., int], capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    assert call(_raising(KeyboardInterrupt()), "work", "3", "--json") == 130
    program = Program("prog", "A program.", "", MODULE, {"work": "do it"})
    assert run_program(program, ["other", "--json"]) == 2
    assert capsys.readouterr().out == ""


def test_the_cause_of_an_expected_failure_is_logged(call: Callable[..., int], home: Path) -> None:
    def run(args: argparse.Namespace) -> int:
        try:
            raise ConnectionResetError("peer")
        except OSError as error:
            raise MidlineError("no answer") from error

    assert call(run, "work", "3") == 1
    assert "ConnectionResetError: peer" in (home / "logs" / "midline.log").read_text("utf-8")


def test_a_log_that_cannot_be_written_does_not_hide_the_error(
    call: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path / "file"))
    assert call(_raising(ValueError("odd")), "work", "3") == 1
    err = capsys.readouterr().err
    assert err.startswith("prog: unexpected ValueError: odd; and the log ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["wrok"], "prog has no command 'wrok'; its commands are work"),
        (["work"], "the following arguments are required: number; `prog work --help`"),
        (["work", "x"], "invalid int value: 'x'; `prog work --help`"),
        (["work", "3", "--fast"], "unrecognized arguments: --fast"),
        (["--wrong"], "unrecognized arguments: --wrong; `prog --help`"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_status_2(
    call: Callable[..., int], capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert call(_raising(AssertionError("never called")), *words) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert (out, err.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    ("words", "teaches"),
    [
        (["--help"], ["prog COMMAND", "work  do it", "examples:\n  prog work 3"]),
        (["work", "--help"], ["Do the work.", "examples:\n  prog work 3"]),
        (["--version"], ["midline 0."]),
    ],
)
def test_help_goes_to_standard_output(
    call: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    teaches: list[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        call(_raising(AssertionError("never called")), *words)
    assert ended.value.code == 0
    out = capsys.readouterr().out
    for text in teaches:
        assert text in out


def test_no_command_shows_the_help_as_an_error(
    call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(_raising(AssertionError("never called"))) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "commands:" in err


def test_a_command_without_a_file_is_said(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = types.ModuleType(PACKAGE)
    package.__path__ = []
    monkeypatch.setitem(sys.modules, PACKAGE, package)
    program = Program("prog", "A program.", "", MODULE, {"later": "not yet"})
    assert run_program(program, ["later"]) == 2
    assert capsys.readouterr().err == "prog: `prog later` is not part of this version\n"


GROUP = Program("prog tools", "sharp things", "  prog tools work 3", MODULE, {"work": "do it"})
NESTED = Program("prog", "A program.", "  prog tools work 3", "absent.{}", {"tools": GROUP})


def test_a_group_has_commands_of_its_own(
    call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    call(lambda args: 0, "work", "3")
    assert run_program(NESTED, ["tools", "work", "4"]) == 0
    assert parse(NESTED, ["tools", "work", "4"])[1].number == 4
    assert run_program(NESTED, ["tools", "work", "x"]) == 2
    assert "`prog tools work --help`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tools", "fly"], "prog tools has no command 'fly'; its commands are work"),
        (["fly"], "prog has no command 'fly'; its commands are tools"),
    ],
)
def test_an_unknown_command_names_those_of_its_group(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert run_program(NESTED, words) == 2
    assert capsys.readouterr().err == f"prog: {said}\n"


@pytest.mark.parametrize(
    ("words", "listed"), [([], "tools  sharp things"), (["tools"], "work  do")]
)
def test_a_group_alone_lists_its_commands(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], listed: str
) -> None:
    assert run_program(NESTED, words) == 2
    assert listed in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        run_program(NESTED, [*words, "--help"])
    assert ended.value.code == 0
    assert listed in capsys.readouterr().out
