"""The dispatcher of both console scripts: subcommands, one-sentence errors, exit statuses.

Exit status: 0 done, 1 the work failed, 2 the call was wrong, 130 interrupted.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from types import ModuleType
from typing import NoReturn

from midline.model.errors import MidlineError, UsageError
from midline.server.logs import LOGGER, close_log, log_hint, log_to_file

INTERRUPTED = 130


@dataclass(frozen=True)
class Program:
    """A console script or a group of its subcommands, `midline-bench speed` for instance.

    `commands` maps a subcommand to its one-line help or to the group it stands for. `module` names
    the module of a subcommand, with {} for its name (underscores for dashes). That module is
    imported only when it is called; it has `add_arguments(parser)` and `run(args) -> int`, and its
    docstring is its --help.
    """

    name: str
    description: str
    examples: str
    module: str
    commands: Mapping[str, "str | Program"]


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one sentence, without the usage text."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError; `run_program` turns it into exit status 2."""
        raise UsageError(f"{message}; `{self.prog} --help` shows how to call it")


def run_program(program: Program, argv: Sequence[str] | None = None) -> int:
    """Run one call of `program` and return its exit status; --help and --version exit 0."""
    words = list(sys.argv[1:] if argv is None else argv)
    log_to_file()
    try:
        return _dispatch(program, words)
    except MidlineError as error:
        LOGGER.info("%s %s: %s", program.name, words, error, exc_info=error.__cause__)
        print(f"{program.name}: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print(f"{program.name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of the pipe is gone: without this, the flush at exit would raise a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - the log has it, the user a sentence
        LOGGER.exception("%s %s", program.name, words)
        print(f"{program.name}: {_unexpected(error)}; {log_hint()}", file=sys.stderr)
        return 1
    finally:
        close_log()


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
    """The group that the first words name, and the words behind them."""
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


def _unexpected(error: Exception) -> str:
    first_line = str(error).strip().partition("\n")[0]
    return f"unexpected {type(error).__name__}{f': {first_line}' if first_line else ''}"
