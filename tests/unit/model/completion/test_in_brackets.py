"""Lines between brackets that are closed already: where they end."""

import pytest

from midline.model.completion.fim import Cursor
from midline.model.completion.in_brackets import InBrackets
from midline.model.completion.place import Place


@pytest.mark.parametrize(
    ("text", "written", "kept"),
    [
        ("f(|)", "a,\n  b", None),
        ("f(|)", "a, b)\ng()", "a, b)"),
        ("f(|) {", "a, b) {\n  c", "a, b) {"),
        ("f(|)", "a\ng()\n", "a"),
        ("f(|)", "\n  a,\n  g(b),\n)\nh()", "\n  a,\n  g(b),\n"),
        ("  f {|}", "\n    a\n  }\n  g {", "\n    a\n  "),
        ("switch {|}", "\ncase a:\n  b\ncase c:\n  d\n}\n", "\ncase a:\n  b\ncase c:\n  d\n"),
        ("f {|}", "\n  a\ng()\n", "\n  a"),
        ("f {|}", " x ->\n  a\n  b\n}\ng()\n", " x ->\n  a\n  b\n"),
        ("f(|)", "fn x ->\n  y\nend)\ng()\n", "fn x ->\n  y\nend)"),
        ("  [|]", "a\n  , b\n  ]\n", "a\n  , b\n  "),
    ],
)
def test_the_end(text: str, written: str, kept: str | None) -> None:
    before, after = text.split("|")
    place = Place.of(Cursor(before.encode(), after.encode(), 0))
    end = InBrackets(place).end(written, complete=False)
    assert (None if end is None else written[:end]) == kept
    if kept is not None:
        found = [InBrackets(place).end(written[:size], complete=False) for size in range(len(kept))]
        assert found == [None] * len(kept)  # it is never stopped before
