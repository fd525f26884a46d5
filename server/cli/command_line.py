"""One way to run a console script: subcommands by file, errors as one sentence, exit status.

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
    """A console script: `commands` maps a subcommand to its one-line help.

    Subcommand NAME lives in module `package`.NAME, imported only when called, with
    `add_arguments(parser)` and `run(args) -> int`; its docstring is its --help.
    """

    name: str
    description: str
    examples: str
    package: str
    commands: Mapping[str, str]


class Parser(argparse.ArgumentParser):
    """argparse whose complaint is one sentence instead of usage text."""

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
        # The reader of a pipe has left; flushing at exit must not complain a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - the log has it, the user a sentence
        LOGGER.exception("%s %s", program.name, words)
        print(f"{program.name}: {_unexpected(error)}; {log_hint()}", file=sys.stderr)
        return 1
    finally:
        close_log()


def _dispatch(program: Program, words: list[str]) -> int:
    if not words or words[0].startswith("-"):
        return _run_root(program, words)
    name = words[0]
    if name not in program.commands:
        known = ", ".join(program.commands)
        raise UsageError(f"no command {name!r}; the commands are {known}")
    module = _load(program, name)
    parser = _parser(f"{program.name} {name}", module.__doc__ or program.commands[name])
    module.add_arguments(parser)
    status = module.run(parser.parse_args(words[1:]))
    sys.stdout.flush()
    return int(status)


def _run_root(program: Program, words: list[str]) -> int:
    width = max(map(len, program.commands))
    listing = "\n".join(f"  {name:<{width}}  {text}" for name, text in program.commands.items())
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
    qualified = f"{program.package}.{name.replace('-', '_')}"
    try:
        return importlib.import_module(qualified)
    except ModuleNotFoundError as error:
        if error.name == qualified:
            raise MidlineError(f"`{program.name} {name}` is not part of this version") from error
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
