"""What `midline-bench speed` refuses before it measures: nothing given is ignored."""

from pathlib import Path
from typing import Any

import pytest

from midline.benchmarks.main import PROGRAM, SPEED
from midline.benchmarks.speed import flags, keystroke
from midline.model.engines.native.policy import Policy
from midline.model.errors import UsageError
from midline.server.cli.command_line import parse

USED = {
    "prefill": "peer engine isa tokens sparsity exact runs plot",
    "decode": "peer engine isa tokens context samples sparsity exact runs plot",
    "samples": "peer isa tokens context samples sparsity exact runs plot",
    "keystroke": "peer tokens context lines sparsity exact runs plot",
    "memory": "tokens context",
    "start": "runs",
    "drafting": "tokens context",
    "sparse": "tokens sparsity runs",
    "selfdraft": "tokens context sparsity",
    "samples-curve": "tokens context runs plot",
    "versions": "runs",
    "editor": "lines",
    "http": "tokens context runs",
    "recovery": "runs",
    "windows": "",
}
REQUIRED = {"versions": ["midline"], "editor": ["--editor", "neovim"]}
GIVEN = {
    "peer": ["--peer", "llama.cpp"],
    "engine": ["--engine", "onnx"],
    "isa": ["--isa", "avx2"],
    "tokens": ["--tokens", "4"],
    "context": ["--context", "64"],
    "samples": ["--samples", "2"],
    "lines": ["--lines", "3"],
    "sparsity": ["--sparsity", "0.5"],
    "exact": ["--exact"],
    "runs": ["--runs", "2"],
    "plot": ["--plot", "speed.png"],
}


def parsed(*words: str) -> Any:
    return parse(PROGRAM, ["speed", *words, *REQUIRED.get(words[0], [])])[1]


def test_every_measurement_is_known_here() -> None:
    assert USED.keys() == SPEED.commands.keys() and GIVEN.keys() == flags.CHOSEN.keys()


@pytest.mark.parametrize(("what", "flag"), [(what, flag) for what in USED for flag in GIVEN])
def test_a_measurement_takes_what_it_uses_and_nothing_else(what: str, flag: str) -> None:
    if flag in USED[what].split():
        flags.check(parsed(what, *GIVEN[flag]))
    else:
        with pytest.raises(UsageError, match=f"unrecognized arguments: --{flag}"):
            parsed(what, *GIVEN[flag])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["samples", "--samples", "10000"], "--samples is 10000; it can be at most 64"),
        (["samples", "--samples", "0"], "--samples is 0; it has to be at least 1"),
        (["decode", "--context", "0"], "--context is 0; it has to be at least 1"),
        (["start", "--runs", "0"], "--runs is 0; it has to be at least 1"),
        (["decode", "--sparsity", "0.95"], "between 0 and 0.9"),
    ],
)
def test_values_out_of_range_are_refused(words: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        flags.check(parsed(*words))


@pytest.mark.parametrize("what", ["sparse", "selfdraft"])
def test_measurements_of_skipping_skip_something(what: str) -> None:
    flags.check_something_to_skip(parsed(what))
    with pytest.raises(UsageError, match="nothing to skip"):
        flags.check_something_to_skip(parsed(what, "--sparsity", "0"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--runs", "2"], "keystroke without --peer does not use --runs; leave it out"),
        (["--lines", "2", "--peer", "llama.cpp"], "keystroke with --peer does not use --lines"),
        (["--context", "-1"], "--context is -1; it has to be at least 0"),
        (["--context", "0", "--peer", "llama.cpp"], "has to be at least 1"),
        (["--lines", "0"], "--lines is 0"),
    ],
)
def test_a_typist_and_a_peer_have_flags_of_their_own(words: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        keystroke.check(parsed("keystroke", *words))


def test_a_typist_has_the_models_own_sparsity_and_may_have_no_other_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def settings(*words: str) -> tuple[int, float]:
        args = parsed("keystroke", *words)
        keystroke.check(args)
        found = keystroke.typing_settings(args, Path("model.gguf"))
        return found.context_tokens, found.sparsity

    monkeypatch.setattr(keystroke, "policy_of", lambda path: Policy(sparsity=0.4))
    assert settings() == (1024, 0.4)
    assert settings("--context", "0", "--sparsity", "0") == (0, 0.0)
