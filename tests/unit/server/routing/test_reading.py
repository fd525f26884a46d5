"""Sentences with names that look like plain words."""

from pathlib import Path

import pytest

from midline.server.routing import reading
from midline.server.routing.frame import read_frame
from midline.server.routing.reading import ProjectReader
from midline.server.routing.workspace import Workspace

STATS = """def spread(values):
    gap = max(values) - min(values)
    return gap


def mean(values):
    return sum(values) / len(values)


class Heap:
    def greet(self):
        return "hello"
"""


@pytest.fixture
def reader(tmp_path: Path) -> ProjectReader:
    """Of a project with one file."""
    (tmp_path / "stats.py").write_text(STATS)
    return ProjectReader(Workspace(tmp_path))


@pytest.mark.parametrize(
    ("text", "intent", "symbol"),
    [
        ("explain spread", "explain", "spread"),
        ("explain mean", "explain", "mean"),
        ("explain mean in stats.py", "explain", "mean"),
        ("describe greet", "explain", "greet"),
        ("how does spread work?", "explain", "spread"),
        ("document mean", "docstring", "mean"),
        ("write tests for spread", "tests", "spread"),
        ("translate spread to rust", "translate", "spread"),
        ("make spread faster", "optimise", "spread"),
    ],
)
def test_a_word_that_the_project_defines_is_a_name(
    reader: ProjectReader, text: str, intent: str, symbol: str
) -> None:
    frame = read_frame(text, reader)
    assert (frame.intent, frame["symbol"]) == (intent, symbol)


@pytest.mark.parametrize(
    ("text", "intent"),
    [("run the tests", "run_tests"), ("explain this", "explain"), ("status", "status")],
)
def test_words_of_sentences_stay_what_they_are(tmp_path: Path, text: str, intent: str) -> None:
    names = ("run", "tests", "the", "this", "status", "explain")
    (tmp_path / "a.py").write_text("".join(f"def {name}(): pass\n" for name in names))
    frame = read_frame(text, ProjectReader(Workspace(tmp_path)))
    assert (frame.intent, frame.slots) == (intent, {})


def test_names_within_a_function_are_not_asked_for(reader: ProjectReader) -> None:
    asked = reader.student.predict("explain gap")
    assert reader.predict("explain gap") == asked


def test_a_project_is_not_searched_for_usual_words(tmp_path: Path) -> None:
    asked: list[str] = []

    def defines(word: str) -> bool:
        asked.append(word)
        return False

    ProjectReader(Workspace(tmp_path)).student.predict(
        "please write some unit tests for heapify in this file", defines
    )
    assert asked == ["heapify"]


def test_a_project_is_searched_once_for_a_word(
    reader: ProjectReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[str] = []
    search = reading.is_defined

    def is_defined(workspace: Workspace, word: str) -> bool:
        searched.append(word)
        return search(workspace, word)

    monkeypatch.setattr(reading, "is_defined", is_defined)
    for text in ("explain heapify and quicksort", "explain heapify"):
        reader.predict(text)
    assert sorted(searched) == ["heapify", "quicksort"]
