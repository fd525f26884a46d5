"""Targets: what a sentence is about."""

from pathlib import Path

import pytest

from midline.server.routing.frame import Frame
from midline.server.routing.targets import Resolver
from midline.server.routing.workspace import Workspace

MEAN = "def mean(values):\n    return sum(values)\n\n\ndef add(a, b):\n    return a + b\n"


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("add a docstring to mean in stats.py", "mean"),
        ("document the function mean of stats.py", "mean"),
        ("write a docstring for mean() in stats.py", "mean"),
        ("add a docstring to stats.py", ""),
        ("add documentation to nothing in stats.py", ""),
        ("document mean and add in stats.py", ""),
        ("add docstrings to mean and to add in stats.py", ""),
    ],
)
def test_a_plain_word_is_the_name_that_the_file_has(
    tmp_path: Path, sentence: str, name: str
) -> None:
    (tmp_path / "stats.py").write_text(MEAN)
    frame = Frame("docstring", {"path": "stats.py"}, sentence, 1.0)
    resolver = Resolver(Workspace(tmp_path), frame)
    assert resolver.symbol() == name
    found = resolver.target("documented").definition
    assert (found.name if found else "") == name


def test_the_symbol_of_a_frame_goes_before_words_of_the_sentence(tmp_path: Path) -> None:
    (tmp_path / "stats.py").write_text(MEAN)
    slots = {"path": "stats.py", "symbol": "add"}
    frame = Frame("docstring", slots, "add a docstring to mean in stats.py", 1.0)
    assert Resolver(Workspace(tmp_path), frame).symbol() == "add"
