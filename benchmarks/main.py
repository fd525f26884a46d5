"""The `midline-bench` command."""

from collections.abc import Sequence

from midline.server.cli.command_line import Program, run_program

PROGRAM = Program(
    name="midline-bench",
    description="Measure Midline's speed and quality.",
    examples="""\
  midline-bench figures                          what is promised, and what was measured
  midline-bench speed decode --peer llama.cpp    tokens per second beside another engine
  midline-bench quality cursor                   completions at marked cursors
  midline-bench mbxp doctor                      which languages can be executed here""",
    package="midline.benchmarks.commands",
    commands={
        "speed": "tokens per second, alone or paired with another engine",
        "mbxp": "execute the MBXP problems in thirteen languages",
        "quality": "logits, tokenizer and completion quality against references",
        "figures": "every promised figure: its command, the wanted value, the value now",
    },
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `midline-bench` and return its exit status."""
    return run_program(PROGRAM, argv)


if __name__ == "__main__":
    raise SystemExit(main())
