"""A failure that was read, found in a project, and the question about it."""

from pathlib import Path

import pytest

from midline.model.vision.failure import find_failure
from midline.server.routing.outcome import Answer, Ask
from midline.server.routing.screen_failure import ScreenReading, located, question
from midline.server.routing.workspace import Workspace

TRUE = """\
Traceback (most recent call last):
  File "/home/anna/shop/app.py", line 4, in <module>
    main()
  File "/home/anna/shop/billing/invoice.py", line 3, in total_of
    return sum(row["price"] for row in rows)
KeyError: 'price'
"""
MISREAD = (
    TRUE.replace("invoice.py", "inv0ice.py")
    .replace("total_of", "tota1_of")
    .replace("line 3", "line 8")
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "billing").mkdir()
    (tmp_path / "app.py").write_text("from billing import invoice\n\n\nmain()\n")
    (tmp_path / "billing" / "invoice.py").write_text(
        'def total_of(rows):\n    """Sum."""\n    return sum(row["price"] for row in rows)\n'
    )
    return Workspace.around(tmp_path)


def reading(text: str, workspace: Workspace) -> ScreenReading:
    failure = find_failure(text)
    assert failure is not None
    return located(failure, text, workspace)


def test_the_frame_that_failed_is_found_in_the_project(workspace: Workspace) -> None:
    found = reading(TRUE, workspace)
    assert [(workspace.name_of(p.path), p.line) for p in found.places] == [
        ("billing/invoice.py", 3),
        ("app.py", 4),
    ]
    assert found.headline(workspace) == "KeyError: 'price' at billing/invoice.py:3"


def test_a_file_of_the_same_name_in_another_folder_needs_the_source_too(
    workspace: Workspace,
) -> None:
    other = TRUE.replace("shop/billing/invoice.py", "other/orders/invoice.py")
    assert [p.path.name for p in reading(other, workspace).places] == ["invoice.py", "app.py"]
    strange = other.replace('sum(row["price"] for row in rows)', "invoices[number]")
    assert [p.path.name for p in reading(strange, workspace).places] == ["app.py"]


def test_names_and_lines_that_were_misread_are_corrected_by_the_project(
    workspace: Workspace,
) -> None:
    asked = [question(reading(text, workspace), workspace) for text in (TRUE, MISREAD)]
    assert all(isinstance(ask, Ask) for ask in asked)
    assert asked[0].prompt == asked[1].prompt  # type: ignore[union-attr]


def test_the_question_has_the_code_of_the_place(workspace: Workspace) -> None:
    ask = question(reading(TRUE, workspace), workspace)
    assert isinstance(ask, Ask)
    assert "def total_of(rows):" in ask.prompt and "KeyError: 'price'" in ask.prompt
    answer = ask.finish("A row has no price.")
    assert isinstance(answer, Answer)
    assert answer.text.startswith("KeyError: 'price' at billing/invoice.py:3\n")


def test_text_without_a_failure_is_the_answer(workspace: Workspace) -> None:
    outcome = question(ScreenReading("hello", None, ()), workspace)
    assert isinstance(outcome, Answer) and "hello" in outcome.text
