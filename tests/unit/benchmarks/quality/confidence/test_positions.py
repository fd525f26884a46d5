"""Which places are held out, and what is missing there."""

from pathlib import Path

import pytest

from midline.benchmarks.quality.confidence.positions import Text, positions, texts
from midline.benchmarks.quality.typing.files import candidates
from midline.model.errors import UsageError

LINES = [f"value_{number} = other({number})" for number in range(40)]


def test_a_place_lacks_the_rest_of_its_line_and_of_some_more() -> None:
    found = positions([Text("a.py", "\n".join(LINES))], 60, 1)
    assert len(found) == 60
    for held in found:
        line = held.cursor.line
        fragment = held.cursor.fragment.decode()
        assert LINES[line].startswith(fragment)
        assert held.truth == "\n".join([LINES[line][len(fragment) :], *LINES[line + 1 : line + 5]])
        assert held.cursor.after.decode() == "\n" + "\n".join(LINES[line + 5 :])
    assert 15 < sum(not held.cursor.fragment for held in found) < 55
    assert found == positions([Text("a.py", "\n".join(LINES))], 60, 1)
    assert found != positions([Text("a.py", "\n".join(LINES))], 60, 2)


def test_languages_take_turns() -> None:
    found = positions([Text("a.py", "x = 1"), Text("b.go", "package b")], 10, 0)
    assert {held.cursor.name for held in found[:2]} == {"a.py", "b.go"}


def test_the_default_texts_are_not_those_that_are_typed_in() -> None:
    typed = {path.name for paths in candidates().values() for path in paths}
    whole = {path.read_text("utf-8", "replace") for ps in candidates().values() for path in ps}
    found = texts([])
    assert {"python", "cpp", "java", "typescript"} <= {t.name.partition("-")[0] for t in found}
    assert typed and not whole & {text.text for text in found}


def test_a_folder_without_sources_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("no source")
    with pytest.raises(UsageError, match="no source file"):
        texts([tmp_path])
