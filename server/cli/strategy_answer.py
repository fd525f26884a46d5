"""`generate` under a budget: the second model, the sandbox, progress, the answer, its ledger."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from midline.model.catalog.catalog import CATALOGUE
from midline.model.errors import MidlineError, UsageError
from midline.server.cli.generation_arguments import cancelled_by_ctrl_c, load_engine
from midline.server.cli.generation_output import write_text

if TYPE_CHECKING:
    from midline.model.sandbox import Sandbox
    from midline.model.strategies.ask import Question
    from midline.model.strategies.candidate import Answer
    from midline.model.strategies.run import Engines

_CACHE_TOKENS = 1 << 14
_CHAT_OPTIONS = {"samples": 1, "temperature": None, "greedy_first": None, "top_p": 1.0,
                 "min_p": 0.0, "seed": 0, "max_repeats": 0}  # fmt: skip


def add_strategy_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the budget, the strategy and what it may use."""
    add = parser.add_argument
    add(
        "--budget",
        metavar="B",
        help="think for this long, loading not counted: 5s, or 2000tok in and out",
    )
    add(
        "--strategy",
        metavar="NAME",
        help="how to think: auto (what was measured best within the budget), or one by name",
    )
    add("--second-model", metavar="NAME", help="a larger model for strategies with two")
    add(
        "--execute",
        action="store_true",
        help="run candidates in a sandbox on the examples of the prompt",
    )
    add("--language", choices=("python", "javascript"), help="language of the program (guessed)")


def is_asked_for(args: argparse.Namespace) -> bool:
    """Whether a strategy is asked for; UsageError for options that need one, or exclude it."""
    if args.budget is not None or args.strategy is not None:
        clash = [name for name, default in _CHAT_OPTIONS.items() if getattr(args, name) != default]
        if clash:
            flag = "--" + clash[0].replace("_", "-")
            raise UsageError(f"a strategy chooses its own samples; leave {flag} out")
        return True
    for name in ("execute", "second_model"):
        if getattr(args, name):
            raise UsageError(f"--{name.replace('_', '-')} is for strategies; give --budget, too")
    return False


def answer_with_strategy(args: argparse.Namespace, text: str) -> int:
    """Answer `text` within the budget and print what the strategy shows."""
    from midline.model.strategies.ask import ask, check_strategy

    name = args.strategy or "auto"
    check_strategy(name)
    question = _question(args, text, name)
    engines = _engines(args, name)
    progress = _Progress(args.verbose)
    with cancelled_by_ctrl_c() as cancel:
        answer = ask(question, engines, cancel, progress.step)
        progress.clear()
        _print(args, question, engines, answer)
    return 0


def _question(args: argparse.Namespace, text: str, name: str) -> "Question":
    from midline.model.strategies.ask import Question
    from midline.model.strategies.budget import UNLIMITED, parse_budget

    budget = UNLIMITED if args.budget is None else parse_budget(args.budget)
    sandbox: Sandbox | None = None
    if args.execute:
        from midline.model.sandbox import choose

        sandbox = choose()
        print(f"midline: candidates run in a sandbox ({sandbox.level})", file=sys.stderr)
    return Question(text, args.prompt, args.language or "", name, budget, sandbox)


def _engines(args: argparse.Namespace, name: str) -> "Engines":
    """The engines; a strategy for two models does without the second one where it is not pulled."""
    from midline.model.engines import load
    from midline.model.strategies.ask import wants_large
    from midline.model.strategies.run import Engines

    second = args.second_model
    if second is None and wants_large(name):
        print(
            f"midline: {name} goes without a second model; give one with --second-model",
            file=sys.stderr,
        )
    if second is not None and second in CATALOGUE and not CATALOGUE[second].is_here():
        raise MidlineError(
            f"the second model {second} is not here yet; `midline model pull {second}` fetches it, "
            "or leave out --second-model"
        )
    small = load_engine(args, cache_tokens=_CACHE_TOKENS)
    if second is None:
        return Engines(small)
    return Engines(
        small, load.load_engine(second, threads=args.threads, cache_tokens=_CACHE_TOKENS)
    )


class _Progress:
    """Steps on standard error: on one line of a terminal, or a line each with --verbose."""

    def __init__(self, verbose: bool) -> None:
        self._verbose, self._is_terminal = verbose, sys.stderr.isatty()
        self._shown = 0

    def step(self, phrase: str) -> None:
        """Show a step."""
        if self._verbose:
            print(f"midline: {phrase}", file=sys.stderr, flush=True)
        elif self._is_terminal:
            line = f"{phrase} ..."[:79]
            print(f"\r{line.ljust(self._shown)}", end="", file=sys.stderr, flush=True)
            self._shown = len(line)

    def clear(self) -> None:
        """Remove the line."""
        if self._shown:
            print(f"\r{' ' * self._shown}\r", end="", file=sys.stderr, flush=True)


def _print(
    args: argparse.Namespace, question: "Question", engines: "Engines", answer: "Answer"
) -> None:
    for sentence in answer.notes:
        print(f"midline: {sentence}", file=sys.stderr)
    if args.json:
        write_text(json.dumps(_fields(args, question, engines, answer)) + "\n")
    elif answer.shown is not None:
        write_text(answer.shown.text.rstrip("\n") + "\n")
    if answer.ended == "budget":
        print(f"midline: the budget of {question.budget} is spent", file=sys.stderr)
    if args.verbose:
        print(f"midline: {answer.strategy}", *answer.ledger.table(), sep="\n", file=sys.stderr)


def _fields(
    args: argparse.Namespace, question: "Question", engines: "Engines", answer: "Answer"
) -> dict[str, Any]:
    """The JSON object: the answer first among its candidates, each text once."""
    first = [] if answer.shown is None else [answer.shown]
    texts = {candidate.text: candidate for candidate in reversed([*first, *answer.candidates])}
    shown = [texts.pop(candidate.text) for candidate in first]
    return {
        "model": engines.small.name,
        "second_model": None if engines.large is None else engines.large.name,
        "prompt": args.prompt,
        "strategy": answer.strategy,
        "budget": str(question.budget),
        "ended": answer.ended or "done",
        "isolation": None if question.sandbox is None else question.sandbox.level,
        "notes": list(answer.notes),
        "completions": [
            {
                "text": candidate.text,
                "mean_logprob": candidate.mean_logprob,
                "tokens": candidate.tokens,
                "finish_reason": candidate.finish_reason,
                "model": candidate.model,
                "examples": [each.passed for each in answer.observed.get(candidate.text, ())],
            }
            for candidate in [*shown, *texts.values()]
        ],
        "ledger": answer.ledger.as_dict(),
    }
