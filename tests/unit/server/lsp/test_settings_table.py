"""The documented settings are those there are."""

from pathlib import Path

import pytest

from midline.model.errors import UsageError
from midline.server.lsp.settings_table import BEGIN, END, table, with_table

ROOT = Path(__file__).resolve().parents[4]


def test_the_documented_table_is_current() -> None:
    document = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert with_table(document) == document, "run `make settings`"


def test_a_table_is_replaced_and_nothing_else() -> None:
    old = f"before\n{BEGIN}\nold rows\n{END}\nbehind\n"
    assert with_table(old) == f"before\n{BEGIN}\n{table()}\n{END}\nbehind\n"
    assert table().count("\n| `midline.") == table().count("\n") - 1 > 15


def test_a_document_without_marks_is_refused() -> None:
    with pytest.raises(UsageError, match="has no"):
        with_table("nothing here")
