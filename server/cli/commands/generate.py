"""Answer a prompt. The answer goes to standard output as it is written.

The prompt is rendered with the model's chat template; with --prompt raw the model continues the
text unchanged. A prompt of `-` is read from standard input.

With --budget several calls become one answer: a strategy draws candidates, chooses among them and
stops at the budget with the best so far. Nothing is executed without --execute.

examples:
  midline generate "reverse a list in Go"
  midline generate "what does this do?" --file app.py
  git diff | midline generate - --prompt raw
  midline generate - --prompt raw --budget 5s --execute < unfinished.py
"""

import argparse
import codecs
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from midline.model.decoding.request import Request
from midline.model.errors import MidlineError, UsageError
from midline.server.cli.generation_arguments import (
    add_generation_arguments,
    cancelled_by_ctrl_c,
    generate_options,
    load_engine,
)
from midline.server.cli.generation_output import json_line, plain_text, report_speed, write_text
from midline.server.cli.strategy_answer import (
    add_strategy_arguments,
    answer_with_strategy,
    is_asked_for,
)
from midline.server.cli.text_files import read_standard_input, read_text_file
from midline.server.documents import to_bytes

if TYPE_CHECKING:
    from midline.model.completion.task import CompletionResult
    from midline.model.engines.base import DrawnToken, Engine, Generation

_MAX_TOKENS = 512


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the prompt, the file and the options of generation."""
    parser.add_argument(
        "prompt_text", metavar="PROMPT", help="the prompt; - reads it from standard input"
    )
    parser.add_argument("--file", metavar="FILE", help="insert the text of FILE before the prompt")
    parser.add_argument(
        "--prompt",
        choices=("chat", "raw"),
        default="chat",
        help="use the chat template or the text as it is (chat)",
    )
    add_generation_arguments(parser, _MAX_TOKENS)
    add_strategy_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the answers to the prompt."""
    options = generate_options(args)
    with_strategy = is_asked_for(args)
    text = _prompt_text(args)
    if with_strategy:
        return answer_with_strategy(args, text)
    engine = load_engine(args)
    ids = _prompt_ids(engine, text, args.prompt)
    if len(ids) >= engine.context_length:
        raise MidlineError(
            f"the prompt has {len(ids)} tokens and {engine.name} reads at most "
            f"{engine.context_length}, its answer included; shorten it"
        )
    streams = not args.json and args.samples == 1
    writer = _Writer(engine) if streams else None
    with cancelled_by_ctrl_c() as cancel:
        generation = engine.generate(
            Request(ids), options, cancel=cancel, on_token=writer.write if writer else None
        )
        result = _result(engine, generation)
        if args.json:
            write_text(json_line(engine.name, engine.sparsity(options), result, prompt=args.prompt))
        else:
            write_text("\n" if streams else plain_text(result))
        if args.verbose:
            report_speed(engine, result)
    return 0


def _prompt_text(args: argparse.Namespace) -> str:
    """The prompt, preceded by the file of --file; bytes that are not UTF-8 are escaped."""
    text = args.prompt_text
    if text == "-":
        text = read_standard_input()
    if args.file is not None:
        text = _with_file(Path(args.file), text, args.prompt)
    if not text:
        raise UsageError("the prompt is empty; say what to answer")
    return str(text)


def _with_file(path: Path, text: str, form: str) -> str:
    content = read_text_file(path)
    if form == "raw":
        return content + text
    fence = "`" * max(3, 1 + max(map(len, _fences(content)), default=0))
    return f"{path.name}:\n{fence}\n{content.removesuffix(chr(10))}\n{fence}\n\n{text}"


def _fences(content: str) -> list[str]:
    """The code fences (runs of back quotes) at the beginning of lines of `content`."""
    lines = (line.lstrip() for line in content.splitlines())
    return [line[: len(line) - len(line.lstrip("`"))] for line in lines if line.startswith("`")]


def _prompt_ids(engine: "Engine", text: str, form: str) -> list[int]:
    tokenizer = engine.tokenizer
    if form == "chat":
        from midline.model.tokenizer.chat_template import render_chat

        content = to_bytes(text).decode("utf-8", "replace")
        return render_chat(tokenizer, [{"role": "user", "content": content}])
    return tokenizer.with_bos(tokenizer.encode(to_bytes(text)))


class _Writer:
    """Writes tokens to standard output as they come, whole characters at a time."""

    def __init__(self, engine: "Engine") -> None:
        self._tokenizer = engine.tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, token: "DrawnToken") -> None:
        if token.id not in self._tokenizer.end_tokens:
            write_text(self._decoder.decode(self._tokenizer.token_bytes(token.id)))


def _result(engine: "Engine", generation: "Generation") -> "CompletionResult":
    from midline.model.completion.ranking import Suggestion, ranked
    from midline.model.completion.task import CompletionResult

    answers = [
        Suggestion(c.text, c.score, c.mean_logprob, len(c.ids), c.finish_reason)
        for c in generation.completions
    ]
    return CompletionResult(
        suggestions=ranked(answers),
        prompt_tokens=generation.prompt_tokens,
        cached_tokens=generation.cached_tokens,
        timings=replace(generation.timings, load_ms=engine.load_ms),
    )
