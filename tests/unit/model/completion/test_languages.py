"""Languages by the editor's identifier and by file name, and the name that a model reads."""

import pytest

from midline.model.completion.languages import SUFFIXES, language_of_text, title
from midline.model.completion.syntax import GRAMMARS


@pytest.mark.parametrize(
    ("name", "identifier", "language", "read_as"),
    [
        ("a.py", "", "python", "a.py"),
        ("a.py", "python", "python", "a.py"),
        ("", "go", "go", "untitled.go"),
        ("", "shellscript", "bash", "untitled.sh"),
        ("", "plaintext", "", ""),
        ("trip.ipynb", "python", "python", "trip.py"),
        ("notes.txt", "rust", "rust", "notes.rs"),
        ("a.h", "c", "c", "a.h"),
        ("a.h", "cpp", "cpp", "a.h"),
        ("View.tsx", "typescript", "tsx", "View.tsx"),
        ("View.tsx", "typescriptreact", "tsx", "View.tsx"),
        ("app.jsx", "javascriptreact", "javascript", "app.jsx"),
        ("a.py", "unheard-of", "python", "a.py"),
        ("src/Makefile", "", "makefile", "src/Makefile"),
        ("CMakeLists.txt", "plaintext", "cmake", "CMakeLists.txt"),
        ("", "", "", ""),
    ],
)
def test_the_identifier_counts_for_more_than_the_name(
    name: str, identifier: str, language: str, read_as: str
) -> None:
    assert language_of_text(name, identifier) == language
    assert title(name, identifier) == read_as


def test_every_grammar_has_files() -> None:
    assert set(GRAMMARS) <= set(SUFFIXES)
