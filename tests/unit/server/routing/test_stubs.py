"""Functions whose body is still to be written, and where it goes."""

from pathlib import Path

import pytest

from midline.model.errors import MidlineError
from midline.server.routing.bodies import body_place
from midline.server.routing.definitions import definition_at
from midline.server.routing.edits import changed_texts
from midline.server.routing.stubs import stub_of
from midline.server.routing.workspace import Workspace

STUBS = {
    "a.py": ["def f(x):\n    pass\n", 'def f(x):\n    """Doc."""\n', "def f(x): ...\n",
             'def f(x):\n    """Doc."""\n    raise NotImplementedError("later")\n'],
    "a.js": ["function f(x) {\n}\n", "const f = (x) => {\n  // TODO: write\n};\n",
             'class A {\n  f(x) {\n    throw new Error("not implemented");\n  }\n}\n'],
    "a.go": ["package a\n\nfunc F(x int) int {\n\tpanic(\"not implemented\")\n}\n"],
    "a.cpp": ["int f(int x) {}\n"],
    "a.rs": ["fn f(x: i32) -> i32 {\n    todo!()\n}\n"],
}  # fmt: skip
CASES = [(name, text) for name, texts in STUBS.items() for text in texts]


def _around(tmp_path: Path, name: str, text: str) -> tuple[Workspace, Path]:
    path = tmp_path / name
    path.write_text(text)
    return Workspace(tmp_path), path


@pytest.mark.parametrize(("name", "text"), CASES)
def test_a_body_takes_the_place_of_a_stub(tmp_path: Path, name: str, text: str) -> None:
    workspace, path = _around(tmp_path, name, text)
    source = workspace.source(path)
    assert source is not None
    line = next(
        n for n, row in enumerate(text.splitlines(), 1) if "f(" in row.lower() or "(x)" in row
    )
    definition = definition_at(source, line, line)
    assert definition is not None
    place = body_place(definition)
    after = changed_texts(place.edit("return x"), workspace)[path][1].decode()
    body = [row for row in after.splitlines() if row.strip() == "return x"]
    assert len(body) == 1, after
    header = after.splitlines()[line - 1]
    indent = len(header) - len(header.lstrip())
    assert len(body[0]) - len(body[0].lstrip()) > indent, after
    for stub in ("pass", "...", "NotImplemented", "not implemented", "todo!"):
        assert stub not in after
    assert ("Doc." in after) == ("Doc." in text)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.py", "def f(x):\n    return x\n"), ("a.js", "function f(x) { return x; }\n")],
)
def test_a_written_body_is_none(tmp_path: Path, name: str, text: str) -> None:
    workspace, path = _around(tmp_path, name, text)
    source = workspace.source(path)
    assert source is not None
    definition = definition_at(source, 1, 1)
    assert definition is not None
    assert stub_of(definition) is None
    with pytest.raises(MidlineError, match="has a body already"):
        body_place(definition)
