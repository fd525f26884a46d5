"""Names that code binds and uses, in the grammars that differ most, and code that only reads so."""

import pytest

from midline.model.completion.identifiers import BUILT_IN, Names
from midline.model.completion.syntax import parser


def names(language: str, text: str, start: int = 0) -> Names:
    found = parser(language)
    assert found is not None
    return Names.within(found.parse(text.encode()), start, len(text.encode()))


PYTHON = """
import re, os.path as p
from x.y import z as w, q
for i, j in zip(a, b):
    g.h(k=1).m += i
with open(c) as fh: pass
d[e] = f'{hidden}'
try: pass
except E as e: pass
s = [u for u in v if (t := u)] + (lambda n, *o, r=1: n)(a)  # a remark
def function(first, *rest, key: int = 2): return key
"""


def test_python() -> None:
    found = names("python", PYTHON)
    bound = "re os p z w q i j fh e s u t n o r function first rest key"
    assert sorted(found.bound) == sorted(bound.split())
    assert found.used - BUILT_IN["python"] == {"a", "b", "c", "d", "g", "v", "E"}
    assert "remark" not in " ".join(found.tokens)
    assert "f'{hidden}'" in found.tokens


@pytest.mark.parametrize(
    ("language", "text", "bound", "used"),
    [
        (
            "javascript",
            "const [a, {b}] = f(x); for (const i of xs) { y.z(i => i + w); } function g(p) {}",
            {"a", "i", "g", "p"},
            {"f", "x", "xs", "y", "w"},
        ),
        (
            "typescript",
            "let n: Count = new Thing(); const h = (q: string): void => { use(q, n); };",
            {"n", "h", "q"},
            {"Count", "Thing", "use"},
        ),
        (
            "rust",
            "fn f(a: i32) -> i32 { let mut b = a + c; for d in e.iter() { b += d; } b }",
            {"f", "a", "b", "d"},
            {"c", "e"},
        ),
        ("go", "func f(a int) int { b, err := g(a); return b + c }", {"a", "b", "err"}, {"g", "c"}),
        ("java", "class A { int f(int a) { int b = a + c; return b; } }", {"a", "b"}, {"c"}),
        ("cpp", "int f(int a) { auto b = a + c; return g(b); }", {"a", "b"}, {"c", "g"}),
    ],
)
def test_other_languages(language: str, text: str, bound: set[str], used: set[str]) -> None:
    found = names(language, text)
    assert bound <= set(found.bound)
    assert used <= found.used
    assert not used & set(found.bound) and not bound & found.used


def test_only_what_begins_in_the_range_counts() -> None:
    text = "first = second\nthird = fourth\n"
    found = names("python", text, start=text.index("third"))
    assert found.tokens == ("third", "=", "fourth")
    assert (found.bound, found.used) == (("third",), {"fourth"})


def test_renamed_code_has_the_same_shape() -> None:
    one = names("python", "total = 0\nfor x in xs:\n    total += x  # add\nreturn total\n")
    same = names("python", "s = 0\nfor item in xs:\n  s += item\n\nreturn s\n")
    other = names("python", "total = 0\nfor x in ys:\n    total += x\nreturn total\n")
    assert one.shape == same.shape != other.shape
    assert one.tokens != same.tokens


def test_text_without_a_grammar_is_words_and_signs() -> None:
    assert Names.of_text("let ü1 = f(x)\n").tokens == ("let", "ü1", "=", "f", "(", "x", ")")


def test_code_that_does_not_parse_has_names_all_the_same() -> None:
    found = names("python", "def f(a:\n  return (b +\n")
    assert "b" in found.used
