"""Notebooks: cells in their order, and one text of those of a language."""

from midline.server.documents import Document
from midline.server.notebooks import Cell, Notebook


def _documents(**texts: str) -> dict[str, Document]:
    languages = {"m": "markdown", "s": "sql"}
    return {
        uri: Document(uri, text, languages.get(uri[0], "python"), 1) for uri, text in texts.items()
    }


def test_a_cell_is_read_with_the_code_of_its_language_around_it() -> None:
    documents = _documents(p1="import os", m1="# Title", p2="x = os.", s1="select 1", p3="print(x)")
    cells = [Cell("p1"), Cell("m1", False), Cell("p2"), Cell("s1"), Cell("p3")]
    book = Notebook("book", cells=tuple(cells))
    whole, start = book.joined(documents["p2"], documents)
    assert whole.text == "import os\n\nx = os.\n\nprint(x)"
    assert whole.text[start:].startswith("x = os.")
    assert (whole.uri, whole.language, whole.version) == ("p2", "python", 1)
    sql, start = book.joined(documents["s1"], documents)
    assert (sql.text, start) == ("select 1", 0)


def test_cells_come_go_and_change_their_kind() -> None:
    book = Notebook("book", cells=(Cell("a"), Cell("b"), Cell("c")))
    moved = book.spliced(1, 1, [Cell("x"), Cell("y")])
    assert [cell.uri for cell in moved.cells] == ["a", "x", "y", "c"]
    assert moved.has("x")
    assert not moved.has("b")
    assert [c.is_code for c in book.with_kinds([Cell("b", False)]).cells] == [True, False, True]
    assert book.spliced(99, 99, [Cell("z")]).cells[-1] == Cell("z")
    assert book.spliced(-5, -1, []) == book


def test_empty_cells_and_unknown_documents_are_left_out() -> None:
    documents = _documents(p1=" \n", p2="x")
    book = Notebook("book", cells=(Cell("p1"), Cell("gone"), Cell("p2")))
    assert book.joined(documents["p2"], documents) == (documents["p2"], 0)
