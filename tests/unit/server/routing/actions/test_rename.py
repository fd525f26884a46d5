"""Rename on syntax: what changes, what stays, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from midline.model.errors import MidlineError
from midline.server.routing.edits import Edit, changed_texts
from midline.server.routing.frame import Frame
from midline.server.routing.outcome import Outcome, QuestionError
from midline.server.routing.targets import Cursor
from midline.server.routing.workspace import Workspace

Act = Callable[..., Outcome]


def renamed(root: Path, outcome: Outcome) -> dict[str, str]:
    assert isinstance(outcome, Edit)
    changed = changed_texts(outcome, Workspace(root))
    return {
        path.relative_to(root).as_posix(): after.decode() for path, (_, after) in changed.items()
    }


def to(symbol: str, new: str, **slots: str) -> Frame:
    return Frame("rename", {"symbol": symbol, "new_name": new, **slots}, "rename", 1.0)


def test_a_function_is_renamed_where_it_is_used_and_not_in_strings(project: Path, act: Act) -> None:
    texts = renamed(project, act("rename foo to bar in utils.py"))
    assert set(texts) == {"utils.py", "src/main.py"}
    assert "def bar(values" in texts["utils.py"] and "append(bar([item]))" in texts["utils.py"]
    main = texts["src/main.py"]
    assert "import Cart, bar\n" in main
    assert "# foo is called" in main
    assert 'print(bar([1, 2]), utils.bar([3]), "foo")' in main


def test_a_local_is_renamed_in_its_function(project: Path, act: Act) -> None:
    (text,) = renamed(project, act(to("total", "amount"))).values()
    assert "amount = 0" in text and "amount += value * 2" in text and "total" not in text


def test_a_method_is_renamed_behind_dots(project: Path, act: Act) -> None:
    texts = renamed(project, act(to("Cart.add", "push")))
    assert "def push(self" in texts["utils.py"]
    assert "Cart().push(1)" in texts["src/main.py"]


def test_a_method_that_two_classes_have_is_renamed_in_its_own(project: Path, act: Act) -> None:
    (project / "bag.py").write_text("class Bag:\n    def add(self):\n        self.add()\n")
    texts = renamed(project, act(to("Bag.add", "push")))
    assert texts == {"bag.py": "class Bag:\n    def push(self):\n        self.push()\n"}


@pytest.mark.parametrize(
    ("suffix", "before", "after"),
    [
        ("js", "const foo = 1;\nconst o = { foo };\no.foo = foo;\n",
         "const bar = 1;\nconst o = { foo: bar };\no.foo = bar;\n"),
        ("go", "package p\n\nfunc foo() int { return 1 }\n\nvar x = foo()\n",
         "package p\n\nfunc bar() int { return 1 }\n\nvar x = bar()\n"),
        ("rs", "fn foo() {}\nfn main() { foo(); }\n", "fn bar() {}\nfn main() { bar(); }\n"),
        ("java", "class A { int foo() { return foo(); } }\n",
         "class A { int bar() { return bar(); } }\n"),
    ],
)  # fmt: skip
def test_other_languages(project: Path, act: Act, suffix: str, before: str, after: str) -> None:
    path = project / f"code.{suffix}"
    path.write_text(before)
    assert renamed(project, act(to("foo", "bar", path=path.name)))[path.name] == after


def test_the_cursor_says_which_function_is_meant(project: Path, act: Act) -> None:
    frame = Frame("rename", {"new_name": "clear"}, "rename this to clear", 1.0)
    texts = renamed(project, act(frame, Cursor(project / "utils.py", 19, 19)))
    assert "def clear(self)" in texts["utils.py"]


@pytest.mark.parametrize(
    ("symbol", "new", "words"),
    [
        ("foo", "Cart", "is there already"),
        ("foo", "run", "is there already"),
        ("total", "limit", "is there already"),
        ("foo", "class", "no name that code can have"),
        ("foo", "3x", "no name that code can have"),
        ("foo", "a b", "no name that code can have"),
        ("foo", "foo", "is called so already"),
    ],
)
def test_a_new_name_that_does_not_do_is_refused(
    act: Act, symbol: str, new: str, words: str
) -> None:
    with pytest.raises(MidlineError, match=words):
        act(to(symbol, new))


def test_a_symbol_that_is_nowhere_is_asked_for(act: Act) -> None:
    with pytest.raises(QuestionError, match=r"nothing is called fooo .*, but there is foo"):
        act(to("fooo", "x"))


def test_a_symbol_in_twenty_files_is_asked_for(project: Path, act: Act) -> None:
    for number in range(20):
        (project / f"part{number}.py").write_text("def twice():\n    return 2\n")
    with pytest.raises(QuestionError, match=r"twice is defined at 20 places .*\.\.\.\); which one"):
        act(to("twice", "double"))
    texts = renamed(project, act(to("twice", "double", path="part7.py")))
    assert list(texts) == ["part7.py"]


def test_without_a_new_name_it_is_asked_for(act: Act) -> None:
    with pytest.raises(QuestionError, match="what is the new name"):
        act(Frame("rename", {"symbol": "foo"}, "rename foo", 1.0))
