"""The dispatcher of both console scripts: subcommands, one-sentence errors, exit statuses.

Exit status: 0 done, 1 the work failed, 2 the call was wrong, 130 interrupted.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from types import ModuleType
from typing import NoReturn

from midline.model.errors import MidlineError, UsageError
from midline.server.cli.standard_streams import abandon_output, prepare_standard_streams, say
from midline.server.logs import LOGGER, close_log, log_hint, log_to_file

INTERRUPTED = 130


@dataclass(frozen=True)
class Program:
    """A console script or a group of its subcommands, `midline-bench speed` for instance.

    `commands` maps a subcommand to its one-line help or to the group it stands for. `module` names
    the module of a subcommand, with {} for its name (underscores for dashes). That module is
    imported only when it is called; it has `add_arguments(parser)` and `run(args) -> int`, and its
    docstring is its --help. With `json_errors` a call that has --json prints its error as a JSON
    object on standard output too.
    """

    name: str
    description: str
    examples: str
    module: str
    commands: Mapping[str, "str | Program"]
    json_errors: bool = False


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one sentence, without the usage text."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError; `run_program` turns it into exit status 2."""
        raise UsageError(f"{message}; `{self.prog} --help` shows how to call it")


def run_program(program: Program, argv: Sequence[str] | None = None) -> int:
    """Run one call of `program` and return its exit status; --help and --version exit 0."""
    words = list(sys.argv[1:] if argv is None else argv)
    prepare_standard_streams()
    log_to_file()
    try:
        return _dispatch(program, words)
    except MidlineError as error:
        LOGGER.info("%s %s: %s", program.name, words, error, exc_info=error.__cause__)
        return _fail(program, words, str(error), error.exit_status)
    except KeyboardInterrupt:
        say(f"{program.name}: interrupted")
        return INTERRUPTED
    except (OSError, SystemExit) as error:  # --help and --version end with the latter
        failure = abandon_output()
        if isinstance(failure or error, BrokenPipeError):
            return 1  # the reader of a pipe has left, and knows it
        if failure is not None:
            return _fail(program, [], f"standard output cannot be written: {failure.strerror}", 1)
        if isinstance(error, SystemExit):
            raise
        return _fail_unexpectedly(program, words, error)
    except Exception as error:  # noqa: BLE001 - the log has it, the user a sentence
        return _fail_unexpectedly(program, words, error)
    finally:
        close_log()


def _fail(program: Program, words: list[str], sentence: str, status: int) -> int:
    """Say why on standard error and, where JSON was asked for, in an object on standard output."""
    say(f"{program.name}: {sentence}")
    if program.json_errors and "--json" in words:
        try:
            print(json.dumps({"error": {"message": sentence, "exit_status": status}}), flush=True)
        except OSError:
            abandon_output()
    return status


def _fail_unexpectedly(program: Program, words: list[str], error: Exception) -> int:
    LOGGER.exception("%s %s", program.name, words)
    first_line = str(error).strip().partition("\n")[0]
    what = f"unexpected {type(error).__name__}{f': {first_line}' if first_line else ''}"
    return _fail(program, words, f"{what}; {log_hint()}", 1)


def parse(program: Program, words: Sequence[str]) -> tuple[ModuleType, argparse.Namespace]:
    """The module of the subcommand that `words` call, and its arguments; UsageError if wrong."""
    group, rest = _innermost(program, words)
    name = rest[0] if rest else ""
    text = group.commands.get(name)
    if not isinstance(text, str):
        known = ", ".join(group.commands)
        raise UsageError(f"{group.name} has no command {name!r}; its commands are {known}")
    module = _load(group, name)
    parser = _parser(f"{group.name} {name}", module.__doc__ or text)
    module.add_arguments(parser)
    return module, parser.parse_args(rest[1:])


def _dispatch(program: Program, words: list[str]) -> int:
    group, rest = _innermost(program, words)
    if not rest or rest[0].startswith("-"):
        return _list_commands(group, rest)
    module, args = parse(group, rest)
    status = module.run(args)
    sys.stdout.flush()
    return int(status)


def _innermost(program: Program, words: Sequence[str]) -> tuple[Program, Sequence[str]]:
    """The group that the first words name, and the words after them."""
    while words and isinstance(group := program.commands.get(words[0]), Program):
        program, words = group, words[1:]
    return program, words


def _list_commands(program: Program, words: Sequence[str]) -> int:
    width = max(map(len, program.commands))
    texts = {
        name: command.description if isinstance(command, Program) else command
        for name, command in program.commands.items()
    }
    listing = "\n".join(f"  {name:<{width}}  {text}" for name, text in texts.items())
    parser = _parser(program.name, program.description)
    parser.usage = f"{program.name} COMMAND ..."
    parser.epilog = (
        f"commands:\n{listing}\n\nexamples:\n{program.examples}\n\n"
        f"`{program.name} COMMAND --help` explains one command."
    )
    parser.add_argument("--version", action="version", version=f"midline {version('midline')}")
    parser.parse_args(words)
    parser.print_help(sys.stderr)
    return UsageError.exit_status


def _load(program: Program, name: str) -> ModuleType:
    qualified = program.module.format(name.replace("-", "_"))
    try:
        return importlib.import_module(qualified)
    except ModuleNotFoundError as error:
        if error.name and f"{qualified}.".startswith(f"{error.name}."):
            raise UsageError(f"`{program.name} {name}` is not part of this version") from error
        raise


def _parser(prog: str, description: str) -> Parser:
    return Parser(
        prog=prog,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
