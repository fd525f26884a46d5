"""Where a completion may be cut for want of confidence: at words and expressions, by syntax."""

import random

import pytest

from midline.model.completion.fim import Cursor
from midline.model.completion.insertion_point import InsertionPoint
from midline.model.completion.whole_ends import last_whole_end, whole_ends


def point(name: str, before: str, after: str = "\n") -> InsertionPoint:
    line = before.count("\n")
    return InsertionPoint.of(Cursor(before.encode(), after.encode(), line, name))


def cut(name: str, before: str, text: str, likely: str, after: str = "\n") -> str:
    """What is shown of `text` where only its beginning `likely` is likely enough."""
    assert text.startswith(likely)
    ends = whole_ends(text, point(name, before, after))
    return text[: last_whole_end(text, ends, 0, len(likely))]


@pytest.mark.parametrize(
    ("name", "before", "text", "likely", "shown"),
    [
        # in a word
        ("a.py", "x = ", "settings.level", "set", ""),
        ("a.py", "x = ", "settings.level", "settings.le", "settings"),
        ("a.js", "let x = ", "readFile(path)", "readF", ""),
        ("a.go", "package a\nvar x = ", "readFile(path)", "readFile", "readFile"),
        # in an open string
        ("a.py", "def f(a):\n    return ", 'f"{a}: {1}"', "f", ""),
        ("a.py", "def f(a):\n    return ", 'f"{a}: {1}"', 'f"{a', ""),
        ("a.py", "f(\n    ", '">", "PDB quit', '">", "PDB', '">"'),
        # in a bracket that was not open before
        ("a.py", "x = ", "f(a, b)", "f(a", "f"),
        ("a.py", "x = f(", "a, g(b) + c)", "a, g(b) +", "a, g(b)"),
        ("a.go", "package a\n", "func f(h http.Header) {\n}", "func f(h http", "func f"),
        ("a.js", "", "if (a) {\n  b()\n}", "if (a) {", "if (a) {"),
        ("a.py", "print(", 'name, "PDB quit (IO-capturing)")', 'name, "PDB quit (IO', "name"),
        ("a.js", "let x = ", "`a ${b} c` + d", "`a ${b} c", ""),
        ("a.js", "let x = ", "`a ${b} c` + d", "`a ${b} c` +", "`a ${b} c`"),
        ("a.cpp", "auto x = ", 'f("a b", c);', 'f("a b"', "f"),
        ("a.rb", "x = ", "'a b' + c", "'a", ""),
        # behind an operator or a keyword
        ("a.py", "x = ", "a + b", "a +", "a"),
        ("a.py", "x = ", "a if b else c", "a if", "a"),
        ("a.py", "def f(a):\n    ", "return a", "return", ""),
        ("a.py", "def f(a):\n    ", "if a in b:\n        pass", "if a in", "if a"),
        ("a.py", "x = f(", "a, b=c)", "a, b=", "a, b"),
        ("a.go", "package a\nfunc f() {\n\t", "x := g(y)\n", "x :=", "x"),
        ("a.js", "x = ", "a && b", "a &&", "a"),
        ("a.cpp", "int f() {\n  ", "return a->b;", "return a->", "return a"),
        # where the line or the statement is over
        ("a.py", "def f(a):\n    ", "for a in b:\n        g(a)", "for a in b:", "for a in b:"),
        ("a.py", "def f(a):\n    ", "pass\n    g(a)", "pass", "pass"),
        ("a.js", "function f() {\n  ", "x++\n  g()", "x++", "x++"),
        ("a.cpp", "int f() {\n  ", "a = 1;\n  b = 2;", "a = 1;", "a = 1;"),
        # several lines are whole ones
        ("a.py", "def f(a):\n    ", "g(a)\n    h(a)\n    i(a)", "g(a)\n    h(", "g(a)"),
        ("a.py", "def f(a):\n    ", "g(a)\n    if a:\n        h()", "g(a)\n    if a:\n   ", "g(a)"),
        # comments and texts that were begun before
        ("a.py", "x = 1  # ", "the number of lines", "the number of l", "the number of"),
        ("a.py", "", "# the number of lines\nx = 1", "# the number of l", "# the number of"),
        ("a.py", 'x = "the ', 'number of lines"', "number of l", "number of"),
        # without a grammar
        ("a.unknown", "x = ", "settings.level + other", "settings.level +", "settings.level"),
        ("a.unknown", "x = ", 'f("a b")', 'f("a', "f"),
        ("a.unknown", "", "return value", "return", ""),
    ],
)  # fmt: skip
def test_kinds(name: str, before: str, text: str, likely: str, shown: str) -> None:
    assert cut(name, before, text, likely) == shown


LOOP = "s := 0\n\tfor _, v := range a {\n\t\ts += v\n\t}\n\treturn s"
IN_GO = ("a.go", "package a\n\nfunc f(a []int) int {\n\t", "\n}\n")


@pytest.mark.parametrize(
    ("likely", "shown"),
    [
        ("s := 0\n\tfor _, v := range a {", "s := 0"),
        ("s := 0\n\tfor _, v := range a {\n\t\ts += v", "s := 0"),
        ("s := 0\n\tfor _, v := range a {\n\t\ts += v\n\t}", None),
    ],
)
def test_several_lines_do_not_end_in_a_block_that_they_open(likely: str, shown: str | None) -> None:
    name, before, after = IN_GO
    assert cut(name, before, LOOP, likely, after) == (likely if shown is None else shown)
    assert cut("a.unknown", before, LOOP, likely, after) == (likely if shown is None else shown)


def test_a_line_that_is_typed_in_a_block_is_shown_to_its_end() -> None:
    name, before, after = IN_GO
    ends = whole_ends(LOOP, point(name, before, after))
    begin, end = LOOP.index("+="), LOOP.index("\n\t}")
    assert last_whole_end(LOOP, ends, begin, end) == end
    header = LOOP.index("_, v")
    assert last_whole_end(LOOP, ends, header, LOOP.index("s += v")) == LOOP.index("\n\t\ts += v")


def test_what_is_likely_to_its_end_is_not_cut() -> None:
    for text in ("a +", "return", "f(", 'x = "a'):
        assert cut("a.py", "", text, text) == text


def test_what_has_to_bring_the_next_line_along_is_not_cut() -> None:
    cursor = Cursor(b"def f():\n    ", b"return x\n", 1, "a.py")
    around = InsertionPoint.of(cursor, above=True)
    assert around.tail
    text = "x = 1" + around.tail
    assert whole_ends(text, around) == ((len(text), True),)


TEXTS = [
    ("a.py", "def f(a):\n    ", "value = {k: f'{v!r}' for k, v in a.items() if 'é' not in k}\n"),
    ("a.js", "function f(a) {\n  ", "return a.map(x => `${x} é`).filter(Boolean)\n"),
    ("a.cpp", "int f() {\n  ", "std::cout << \"é\" << (a ? b->c : *d) << '\\n';\n"),
    ("a.go", "package a\nfunc f() {\n\t", 'if err := g("é", b[1:]); err != nil {\n\t}\n'),
    ("a.unknown", "x = ", "a.b(\"é c\") + 'd e' * (f - 1)\n"),
]


@pytest.mark.parametrize(("name", "before", "text"), TEXTS)
def test_nowhere_is_a_word_or_a_string_cut(name: str, before: str, text: str) -> None:
    ends = whole_ends(text, point(name, before))
    assert ends[-1] == (len(text), True) and list(ends) == sorted(set(ends))
    for end in range(len(text)):
        at = last_whole_end(text, ends, 0, end)
        shown, left = text[:at], text[at:]
        assert at <= end
        if shown:
            assert not (shown[-1].isalnum() and left[:1].isalnum())
            assert shown[-1].isalnum() or shown[-1] in ")]}\"'`" or left[:1] == "\n"
            assert shown.count('"') % 2 == shown.count("`") % 2 == 0


@pytest.mark.parametrize("seed", range(20))
def test_any_text_has_ends_within_it(seed: int) -> None:
    dice = random.Random(seed)
    text = "".join(dice.choices("abé😀 \n\t(){}[]\"'`+-=.,;:#/$", k=dice.randint(1, 40)))
    for name in ("a.py", "a.js", "a.unknown"):
        ends = whole_ends(text, point(name, "x = "))
        assert all(0 <= end.at <= len(text) for end in ends)
        begin = dice.randint(0, len(text))
        assert begin <= last_whole_end(text, ends, begin, len(text)) <= len(text)
