"""Targets: what a sentence is about."""

from pathlib import Path

import pytest

from midline.server.routing.frame import Frame
from midline.server.routing.outcome import QuestionError
from midline.server.routing.targets import Cursor, Resolver
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


SHOP = """class Cart:
    def add(self, item):
        count = 1
        return count


class Bag:
    def add(self, item):
        pass


def count(values):
    return len(values)
"""


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    """A project with methods of one name in two classes."""
    (tmp_path / "shop.py").write_text(SHOP)
    return Workspace(tmp_path)


def line_of(workspace: Workspace, intent: str, text: str, **slots: str) -> int:
    definition = Resolver(workspace, Frame(intent, slots, text, 1.0)).definition()
    return definition.line if definition is not None else 0


@pytest.mark.parametrize(
    ("text", "slots", "line"),
    [
        ("rename add to put in Bag", {"symbol": "add"}, 8),
        ("rename add of Cart to put", {"symbol": "add"}, 2),
        ("rename the variable count in add to n", {"symbol": "count"}, 3),
        ("rename count to size", {"symbol": "count"}, 12),
        ("explain the count function in shop.py", {"path": "shop.py"}, 12),
    ],
)
def test_words_of_the_sentence_choose(
    shop: Workspace, text: str, slots: dict[str, str], line: int
) -> None:
    assert line_of(shop, "rename" if "rename" in text else "explain", text, **slots) == line


def test_an_error_says_what_is_wrong_and_not_where(shop: Workspace) -> None:
    text = "fix this error: ZeroDivisionError: division by zero"
    frame = Frame("fix", {"symbol": "ZeroDivisionError"}, text, 1.0)
    with pytest.raises(QuestionError, match="which function or file is to be fixed"):
        Resolver(shop, frame).target("fixed")
    cursor = Cursor(shop.root / "shop.py", 13, 13)
    found = Resolver(shop, frame, cursor).target("fixed").definition
    assert found is not None and found.name == "count"


def test_what_an_error_is_in_is_the_place(shop: Workspace) -> None:
    assert line_of(shop, "explain", "explain ValueError in count", symbol="ValueError") == 12


def test_an_error_of_the_project_is_a_name(shop: Workspace) -> None:
    (shop.root / "errors.py").write_text("class ShopError(Exception):\n    pass\n")
    assert line_of(shop, "explain", "explain ShopError", symbol="ShopError") == 1
