"""Pictures that are to be read, and files that are none."""

from pathlib import Path

import pytest

from midline.server.routing.actions.screenshot import screenshot
from midline.server.routing.frame import Frame
from midline.server.routing.outcome import Ask, QuestionError
from midline.server.routing.targets import Resolver
from midline.server.routing.workspace import Workspace


def _frame(text: str, **slots: str) -> Frame:
    return Frame("screenshot", slots, text, 1.0)


def test_a_file_of_code_is_explained(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    frame = _frame("explain the error in a.py", path="a.py")
    outcome = screenshot(Resolver(Workspace(tmp_path), frame))
    assert isinstance(outcome, Ask)
    assert "x = 1" in outcome.prompt and "explain the error in a.py" in outcome.prompt


def test_without_a_picture_it_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="which picture is to be read"):
        screenshot(Resolver(Workspace(tmp_path), _frame("read the screenshot")))
