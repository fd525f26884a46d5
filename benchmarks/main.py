"""`midline-bench`: one subcommand a file in `midline.benchmarks.commands`, imported when called."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from types import ModuleType

from midline.model.errors import MidlineError

COMMANDS = {
    "speed": "tokens per second, alone or paired with another engine",
    "mbxp": "execute the MBXP problems in thirteen languages",
    "quality": "logits, tokenizer and completion quality against references",
    "figures": "every promised figure: its command, the wanted value, the value now",
}


def command_module(name: str) -> ModuleType:
    """Module with `add_arguments(parser)` and `run(args) -> int` for the subcommand `name`."""
    return importlib.import_module(f"midline.benchmarks.commands.{name}")


def build_parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """Parser that imports the one subcommand named first in `argv`, and only lists the others."""
    parser = argparse.ArgumentParser(
        prog="midline-bench", description="Measure Midline's speed and quality."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    called = next((word for word in argv if not word.startswith("-")), None)
    for name, help_line in COMMANDS.items():
        command = commands.add_parser(name, help=help_line, description=help_line.capitalize())
        if name == called:
            module = command_module(name)
            module.add_arguments(command)
            command.set_defaults(handler=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run `midline-bench`; returns 0 done, 1 the work failed, 2 the call was wrong."""
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        args = build_parser(words).parse_args(words)
        status: int = args.handler(args)
    except MidlineError as error:
        print(f"midline-bench: {error}", file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        print(f"midline-bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("midline-bench: interrupted", file=sys.stderr)
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
