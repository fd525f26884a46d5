"""What `midline-bench speed` refuses before it measures: nothing given is ignored."""

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from midline.benchmarks.commands import speed
from midline.benchmarks.speed.flags import USED, check
from midline.model.engines.native.policy import Policy
from midline.model.errors import UsageError
from midline.server.cli.command_line import Parser

GIVEN = {
    "peer": ["--peer", "llama.cpp"],
    "tokens": ["--tokens", "4"],
    "context": ["--context", "64"],
    "samples": ["--samples", "2"],
    "lines": ["--lines", "3"],
    "sparsity": ["--sparsity", "0.5"],
    "exact": ["--exact"],
    "runs": ["--runs", "2"],
    "plot": ["--plot", "speed.png"],
}


def parsed(*words: str) -> argparse.Namespace:
    parser = Parser()
    speed.add_arguments(parser)
    return parser.parse_args(words)


def call(what: str) -> list[str]:
    """The shortest call of a measurement as `USED` names it."""
    return [what, *GIVEN["peer"]] if what == "keystroke" else [what.split()[0]]


def test_every_measurement_says_what_it_uses() -> None:
    assert {what.split()[0] for what in USED} == {*speed.COMPARED, *speed.ALONE}
    assert {flag for used in USED.values() for flag in used.split()} == GIVEN.keys()


@pytest.mark.parametrize("what", USED)
def test_what_a_measurement_uses_is_taken(what: str) -> None:
    check(parsed(*call(what)))
    for flag in USED[what].split():
        check(parsed(*call(what), *GIVEN[flag]))


@pytest.mark.parametrize(
    ("what", "flag"), [(what, flag) for what in USED for flag in GIVEN if flag != "peer"]
)
def test_what_would_be_ignored_is_refused(what: str, flag: str) -> None:
    args = parsed(*call(what), *GIVEN[flag])
    if flag in USED[what].split():
        return check(args)
    with pytest.raises(UsageError, match=f"^speed {what} does not use --{flag}; leave it out$"):
        check(args)


@pytest.mark.parametrize("what", [what for what in USED if what in speed.ALONE])
def test_what_runs_alone_has_no_peer(what: str) -> None:
    with pytest.raises(UsageError, match="does not use --peer or --exact; leave them out"):
        check(parsed(what, *GIVEN["peer"], "--exact"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["samples", "--samples", "10000"], "--samples is 10000; it can be at most 64"),
        (["samples", "--samples", "0"], "--samples is 0; it has to be at least 1"),
        (["decode", "--context", "0"], "--context is 0; it has to be at least 1"),
        (["keystroke", "--context", "-1"], "--context is -1; it has to be at least 0"),
        (["keystroke", "--context", "0", "--peer", "llama.cpp"], "has to be at least 1"),
        (["sparse", "--sparsity", "0"], "nothing to skip"),
        (["selfdraft", "--sparsity", "0"], "nothing to skip"),
        (["memory", "--sparsity", "0"], "does not use --sparsity"),
    ],
)
def test_values_out_of_range_are_refused(words: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check(parsed(*words))


def test_a_typist_has_the_models_own_sparsity_and_may_have_no_other_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def measure(settings: Any, lines: int) -> dict[str, Any]:
        return {"context": settings.context_tokens, "sparsity": settings.sparsity}

    def measured(*words: str) -> dict[str, Any]:
        args = parsed("keystroke", *words)
        check(args)
        return speed.measure_typing(args, module, Path("model.gguf"))

    module: Any = SimpleNamespace(measure=measure, DEFAULT_CONTEXT=1024, DEFAULT_LINES=1)
    monkeypatch.setattr(speed, "policy_of", lambda path: Policy(sparsity=0.4))
    assert measured() == {"context": 1024, "sparsity": 0.4}
    assert measured("--context", "0", "--sparsity", "0") == {"context": 0, "sparsity": 0.0}
