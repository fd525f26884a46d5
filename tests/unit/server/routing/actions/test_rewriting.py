"""Code of the model in place of a file's: as small an edit as it can be."""

from pathlib import Path

import pytest

from midline.model.errors import MidlineError
from midline.server.routing.actions.rewriting import rewritten
from midline.server.routing.definitions import definition_at
from midline.server.routing.edits import Edit, changed_texts
from midline.server.routing.targets import Target
from midline.server.routing.workspace import Workspace

CODE = "class A:\n    def f(self):\n        # keep\n        low = 1\n        return lw\n"


def _rewritten(tmp_path: Path, code: str, line: str = "") -> str:
    path = tmp_path / "a.py"
    path.write_bytes(CODE.encode())
    workspace = Workspace(tmp_path)
    source = workspace.source(path)
    assert source is not None
    definition = definition_at(source, 3, 3)
    assert definition is not None
    target = Target(path, definition.node.start_byte, definition.node.end_byte, definition)
    edits = rewritten(target, code, workspace, line)
    return changed_texts(Edit("", edits), workspace)[path][1].decode()


def test_only_the_lines_near_the_problem_change(tmp_path: Path) -> None:
    answer = "def f(self):\n    low = 1\n    return low\n"
    assert _rewritten(tmp_path, answer, "5") == CODE.replace("lw", "low")
    assert "# keep" not in _rewritten(tmp_path, answer)


def test_other_indentation_is_the_files(tmp_path: Path) -> None:
    answer = (
        "        def f(self):\n            # keep\n            low = 1\n            return low\n"
    )
    assert _rewritten(tmp_path, answer) == CODE.replace("lw", "low")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("I cannot f(", "not valid python"),
        ("def g(self):\n    return 1\n", "does not define f"),
        ("def f(self):\n    # keep\n    low = 1\n    return lw\n", "nothing to change"),
        ("def f(self):\n    low = 1  # one\n\n    return lw\n", "nothing to change"),
    ],
)
def test_what_is_no_repair_is_refused(tmp_path: Path, answer: str, words: str) -> None:
    with pytest.raises(MidlineError, match=words):
        _rewritten(tmp_path, answer)
