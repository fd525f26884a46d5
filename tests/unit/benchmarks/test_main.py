"""`midline-bench`: which subcommands it has, and how it ends."""

import argparse
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from midline.benchmarks.figures import command as figures
from midline.benchmarks.main import PROGRAM, main
from midline.benchmarks.outputs import output_file
from midline.model.errors import MidlineError, UsageError
from midline.server.cli.command_line import Parser, Program


def calls(program: Program) -> Iterator[list[str]]:
    """The words of every subcommand and group below `program`."""
    for name, command in program.commands.items():
        yield [name]
        if isinstance(command, Program):
            yield from ([name, *words] for words in calls(command))


HERE = list(calls(PROGRAM))


@pytest.mark.parametrize("words", HERE, ids=" ".join)
def test_every_command_can_be_asked_for_help(words, capsys):
    with pytest.raises(SystemExit) as end:
        main([*words, "--help"])
    assert end.value.code == 0
    assert f"midline-bench {' '.join(words)}" in capsys.readouterr().out


@pytest.mark.parametrize("words", HERE, ids=" ".join)
def test_every_file_that_is_written_is_checked_before_the_work(words):
    command = PROGRAM.commands[words[0]]
    if isinstance(command, Program) and len(words) == 1:
        return
    group = command if isinstance(command, Program) else PROGRAM
    parser = Parser()
    importlib.import_module(group.module.format(words[-1].replace("-", "_"))).add_arguments(parser)
    for action in parser._actions:
        if action.metavar == "FILE":
            assert action.type is output_file, action.option_strings


@pytest.mark.parametrize(
    "words",
    [
        ["fly"],
        ["figures", "--altitude"],
        ["speed", "flight"],
        ["mbxp", "fly"],
        ["quality", "cursor", "--samples", "many"],
    ],
)
def test_wrong_calls_are_one_sentence_and_end_with_2(words, home, capsys):
    assert main(words) == 2
    assert capsys.readouterr().err.count("\n") == 1


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(args: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(figures, "run", fail)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (MidlineError("the anvil fell; pick it up"), 1, "the anvil fell; pick it up"),
        (UsageError("no such anvil"), 2, "no such anvil"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_errors_are_one_sentence(error, status, said, home, monkeypatch, capsys):
    failing(monkeypatch, error)
    assert main(["figures"]) == status
    assert capsys.readouterr().err == f"midline-bench: {said}\n"


def test_what_nobody_expected_is_one_sentence_with_the_traceback_in_the_log(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, ZeroDivisionError("by zero"))
    assert main(["figures"]) == 1
    log = home / "logs" / "midline.log"
    expected = f"midline-bench: unexpected ZeroDivisionError: by zero; see {log}\n"
    assert capsys.readouterr().err == expected
    assert "Traceback" in log.read_text("utf-8")


def test_listing_commands_imports_none_of_them():
    program = (
        "import sys; from midline.benchmarks.main import main; main([]);"
        "print([m for m in sys.modules if m.startswith('midline.benchmarks.') or m == 'torch'])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True)
    assert done.stdout == "['midline.benchmarks.main']\n", done.stderr
    for name in PROGRAM.commands:
        assert name in done.stderr
