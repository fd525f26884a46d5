"""`midline-bench`: which subcommands it has, and how it ends."""

import subprocess
import sys

import pytest

from midline.benchmarks.main import COMMANDS, command_module, main
from midline.model.errors import MidlineError, UsageError


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_asked_for_help(name, capsys):
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    assert f"midline-bench {name}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["fly"], ["figures", "--altitude"]])
def test_wrong_calls_end_with_2(words):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2


@pytest.mark.parametrize(("error", "status"), [(MidlineError, 1), (UsageError, 2)])
def test_errors_are_one_sentence(error, status, monkeypatch, capsys):
    def fail(args):
        raise error("the anvil fell; pick it up")

    monkeypatch.setattr(command_module("figures"), "run", fail)
    assert main(["figures"]) == status
    assert capsys.readouterr().err == "midline-bench: the anvil fell; pick it up\n"


def test_listing_commands_imports_none_of_them():
    program = (
        "import sys; from midline.benchmarks.main import build_parser; build_parser([]);"
        "print([m for m in sys.modules if m.startswith('midline.benchmarks.commands')"
        " or m == 'torch'])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
