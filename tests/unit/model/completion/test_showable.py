"""What of an answer that is being written may be shown: never half of anything."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from perfect_model import cursor_at, tokens

from midline.model.completion.showable import Showable, showable

FUNCTION = "def f(values):\n    ‸\n"
BODY = "total = 0\n    for value in values:\n        total += value\n    return total"


@pytest.mark.parametrize(
    ("name", "marked", "text", "shown", "grows"),
    [
        ("a.py", FUNCTION, "total = 0", "", True),  # `total = 0.5`?
        ("a.py", FUNCTION, "total = 0\n", "total = 0", True),
        ("a.py", FUNCTION, "total = 0\n    for value in val", "total = 0", True),
        ("a.py", FUNCTION, "total = 0\n    for value in values:\n", "total = 0", True),
        ("a.py", FUNCTION, BODY[:-13] + "\n    ret", BODY[:-17], True),
        ("a.py", "x = ‸\n", "first_of_the_val", "", True),
        ("a.py", "x = ‸\n", "first(1)\n", "first(1)", False),
        ("a.py", "f(‸)\n", "first(a, b), sec", "first(a, b)", True),
        ("a.py", "f(‸)\n", "first(a, b", "", True),
        ("a.js", "function f() {\n  ‸\n}\n", "a = 1; b = ", "a = 1;", True),
        ("a.js", "function f() {\n  ‸\n}\n", "if (a) {\n    b();\n", "", True),
        (
            "a.js",
            "function f() {\n  ‸\n}\n",
            "if (a) {\n    b();\n  }\n",
            "if (a) {\n    b();\n  }",
            True,
        ),
        ("a.js", "function f() {\n  ‸\n    b();\n  }\n}\n", "if (a) {\n    b", "if (a) {", True),
        ("a.js", "function f() {\n  ‸\n    b();\n  }\n}\n", "if (a) {", "", True),
        ("a.py", "def f():\n    ‸\n        b()\n", "if a:\n        c", "if a:", True),
        ("a.py", "f(\n    ‸\n        b,\n    ),\n)\n", "g(\n        c", "g(", True),
        ("a.js", "on('a', ‸);\n", "() => {\n  b();\n", "", True),
        ("a.js", "on('a', ‸);\n", "() => {\n  b();\n}\n", "() => {\n  b();\n}", False),
        ("a.py", "def f():\n    ‸\n    return 1\n", "return 1\n", "", True),
        ("a.unknown", "{\n  ‸\n}\n", "a = (1,\n  b", "", True),
        ("a.unknown", "{\n  ‸\n}\n", "a = (1)\n  b", "a = (1)", True),
    ],
)
def test_a_beginning_is_shown_as_far_as_it_is_whole(
    name: str, marked: str, text: str, shown: str, grows: bool
) -> None:
    assert showable(cursor_at(marked, name), text, final=False) == Showable(shown, grows)


def test_the_final_text_is_shown_whole() -> None:
    cursor = cursor_at(FUNCTION, "a.py")
    assert showable(cursor, "total = 0", final=True) == Showable("total = 0", False)
    assert showable(cursor, BODY, final=True) == Showable(BODY, False)
    cut = showable(cursor, BODY[:-4], final=True, complete=False)
    assert cut == Showable(BODY[:-17], False)


def test_above_a_line_its_beginning_comes_along() -> None:
    cursor = cursor_at("def f():\n    ‸return x\n", "a.py")
    assert showable(cursor, "x = 1\n", final=False, above=True) == Showable("x = 1\n    ", True)


PLACES = [
    ("a.py", FUNCTION, BODY),
    ("a.py", "x = call(‸)\n", "first(1, [2, 3]), 'a, b', second=2"),
    (
        "a.py",
        "class A:\n    ‸\n",
        "def f(self):\n        return 1\n\n    def g(self):\n        pass",
    ),
    ("a.js", "on('a', ‸);\n", "(a, b) => {\n  const c = [a, b];\n  return c.map((d) => d + 1);\n}"),
    (
        "a.go",
        "func f() error {\n\t‸\n}\n",
        "if err := g(); err != nil {\n\t\treturn err\n\t}\n\treturn nil",
    ),
    (
        "a.rs",
        "fn f(x: &str) -> u8 {\n    ‸\n}\n",
        'match x {\n        "a" => 1,\n        _ => 2,\n    }',
    ),
    ("a.html", "<ul>‸\n", "\n  <li>It's one</li>\n  <li>Two</li>\n</ul>"),
    ("a.sql", "SELECT *‸\n", "\nFROM a\nWHERE b = 'c';"),
]


@pytest.mark.parametrize(("name", "marked", "answer"), PLACES)
def test_what_is_shown_never_changes_while_more_comes(name: str, marked: str, answer: str) -> None:
    """Of a right answer every showing is a beginning of the next one, and the last is all of it."""
    cursor, shown, text = cursor_at(marked, name), "", ""
    for piece in tokens(answer):
        text += piece
        found = showable(cursor, text, final=False).text
        assert found.startswith(shown)
        shown = found
    final = showable(cursor, answer, final=True).text
    assert final == answer
    assert final.startswith(shown)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    place=st.sampled_from(PLACES),
    cut=st.floats(0, 1),
    garbage=st.text("ab(){}[]:;,'\n ", max_size=12),
)
def test_no_showing_breaks_a_file_that_parsed(
    place: tuple[str, str, str], cut: float, garbage: str
) -> None:
    name, marked, answer = place
    cursor = cursor_at(marked, name)
    text = answer[: round(cut * len(answer))] + garbage
    for final in (False, True):
        shown = showable(cursor, text, final=final).text
        around = showable(cursor, "", final=False)
        assert around == Showable("", True)
        assert not shown or is_still_whole(marked, name, shown)


def is_still_whole(marked: str, name: str, shown: str) -> bool:
    """Whether a file that was whole is so with `shown` in it; True if it was not."""
    from midline.model.completion.insertion_point import InsertionPoint

    validity = InsertionPoint.of(cursor_at(marked, name)).validity
    return validity is None or not validity.was_accepted or validity.does_no_harm(shown.encode())
