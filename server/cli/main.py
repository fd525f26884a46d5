"""The `midline` command."""

from collections.abc import Sequence

from midline.server.cli.command_line import Program, run_program

PROGRAM = Program(
    name="midline",
    description="A code assistant that runs entirely on this machine.",
    examples="""\
  midline model pull qwen2.5-coder-0.5b    fetch the default model once
  midline complete app.py:12:5             complete at line 12, before column 5
  midline generate "reverse a list in Go"  answer a request
  midline do "rename foo to bar in a.py"   say what to do, and see it before it is done
  midline explain-image error.png          read a screenshot, find the place, explain it
  midline serve                            speak LSP on standard input and output
  midline doctor                           show what this machine gives Midline""",
    module="midline.server.cli.commands.{}",
    commands={
        "model": "list, pull, locate and remove models",
        "complete": "complete a file at a position",
        "generate": "answer a prompt",
        "do": "do what a sentence says: rename, explain, document, find ..",
        "explain-image": "read a screenshot of an error: what failed, where, and why",
        "serve": "run the language server",
        "engine": "look at or end the engine process that editors share",
        "corpus": "score, deduplicate and select text and code",
        "doctor": "check this machine, the kernels and the model",
    },
    json_errors=True,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `midline` and return its exit status."""
    return run_program(PROGRAM, argv)


if __name__ == "__main__":
    raise SystemExit(main())
