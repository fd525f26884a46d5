"""What is opened: a file, a line, a definition, or the tests of one."""

from pathlib import Path

import pytest

from midline.server.routing.actions.open_place import open_place
from midline.server.routing.frame import Frame
from midline.server.routing.outcome import QuestionError
from midline.server.routing.targets import Resolver
from midline.server.routing.workspace import Workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with tests of one of its files."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "cart.py").write_text("class Cart:\n    pass\n")
    (tmp_path / "page.py").write_text("def page():\n    pass\n")
    (tmp_path / "tests" / "test_cart.py").write_text("def test_cart():\n    pass\n")
    (tmp_path / "order history.py").write_text("\n")
    return tmp_path


def opened(root: Path, text: str, **slots: str) -> str:
    places = open_place(Resolver(Workspace(root), Frame("open", slots, text, 1.0)))
    (place,) = places.places
    assert places.go
    return f"{place.path.relative_to(root).as_posix()}:{place.line}"


@pytest.mark.parametrize(
    ("text", "slots", "place"),
    [
        ("open cart.py", {"path": "cart.py"}, "cart.py:1"),
        ("open the tests of cart.py", {"path": "cart.py"}, "tests/test_cart.py:1"),
        ("go to the test for Cart", {"symbol": "Cart"}, "tests/test_cart.py:1"),
        ("open the tests of test_cart.py", {"path": "test_cart.py"}, "tests/test_cart.py:1"),
        ("open order history.py", {"path": "history.py"}, "order history.py:1"),
        ("open line 2 of cart.py", {"path": "cart.py", "line": "2"}, "cart.py:2"),
    ],
)
def test_places(root: Path, text: str, slots: dict[str, str], place: str) -> None:
    assert opened(root, text, **slots) == place


def test_tests_that_there_are_not_are_no_other_file(root: Path) -> None:
    with pytest.raises(QuestionError, match=r"no tests of page.py yet \(tests/test_page.py\)"):
        opened(root, "open the tests of page.py", path="page.py")
