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


STOCK = """package main

type Stock struct {
	Items map[string]int
}

func New() *Stock { return &Stock{Items: map[string]int{}} }

func (s *Stock) Take(name string) int { return s.Items[name] }
"""
GO_MAIN = 'package main\n\nfunc main() { New().Take("tea") }\n'


@pytest.mark.parametrize(
    ("symbol", "new", "places"), [("Stock", "Store", 4), ("Take", "Grab", 2), ("Items", "All", 3)]
)
def test_types_methods_and_fields_of_go(
    project: Path, act: Act, symbol: str, new: str, places: int
) -> None:
    (project / "stock.go").write_text(STOCK)
    (project / "main.go").write_text(GO_MAIN)
    whole = "".join(renamed(project, act(to(symbol, new))).values())
    assert whole.count(new) == places and symbol not in whole


def test_a_package_of_go_is_named_in_front_of_the_dot(project: Path, act: Act) -> None:
    for folder, text in {
        "store": "package store\n\nfunc Open() {}\n",
        "app": 'package app\n\nimport "x/store"\n\nfunc a(f File) { store.Open(); f.Open() }\n',
        "other": "package other\n\nfunc b() { Open() }\n",
    }.items():
        (project / folder).mkdir()
        (project / folder / "code.go").write_text(text)
    texts = renamed(project, act(to("Open", "Start", path="store/code.go")))
    assert set(texts) == {"store/code.go", "app/code.go"}
    assert "store.Start(); f.Open()" in texts["app/code.go"]


def test_methods_called_like_a_function_of_another_script_stay(project: Path, act: Act) -> None:
    (project / "math.ts").write_text("export function add() {}\n")
    (project / "page.ts").write_text(
        'import * as math from "./math";\nimport { add } from "./math";\n'
        "basket.add(add(), math.add());\n"
    )
    texts = renamed(project, act(to("add", "plus", path="math.ts")))
    assert "{ plus }" in texts["page.ts"]
    assert "basket.add(plus(), math.plus());" in texts["page.ts"]


def test_a_method_of_another_language_is_no_other_method(project: Path, act: Act) -> None:
    (project / "bag.ts").write_text("class Bag { add() {} }\n")
    (project / "use.ts").write_text("new Bag().add();\n")
    assert set(renamed(project, act(to("Bag.add", "push")))) == {"bag.ts", "use.ts"}


def test_places_that_are_left_are_told(project: Path, act: Act) -> None:
    (project / "bag.py").write_text("class Bag:\n    def add(self):\n        pass\n")
    outcome = act(to("Bag.add", "push"))
    assert isinstance(outcome, Edit)
    assert outcome.summary.endswith("; 1 place where another class's add may be meant stay")


def test_the_class_may_stand_before_the_new_name(project: Path, act: Act) -> None:
    assert "def push(self" in renamed(project, act(to("Cart.add", "Cart.push")))["utils.py"]
    with pytest.raises(MidlineError, match="no name that code can have"):
        act(to("Cart.add", "Bag.push"))


def test_a_name_that_all_lists_is_renamed_there(project: Path, act: Act) -> None:
    (project / "__init__.py").write_text(
        'from utils import foo\n\n__all__ = [\n    "foo",\n    "food",\n]\nTEXT = "foo"\n'
    )
    text = renamed(project, act(to("foo", "bar")))["__init__.py"]
    assert '"bar",\n    "food",\n]\nTEXT = "foo"\n' in text


def test_what_is_changed_in_parts_keeps_its_meaning(project: Path, act: Act) -> None:
    (project / "state.py").write_text("CACHE = {}\n\n\ndef put(key):\n    CACHE[key] = 1\n")
    text = renamed(project, act(to("CACHE", "STORE")))["state.py"]
    assert text == "STORE = {}\n\n\ndef put(key):\n    STORE[key] = 1\n"


def test_names_that_cannot_be_seen_do_not_collide(project: Path, act: Act) -> None:
    assert "def result(values" in renamed(project, act(to("foo", "result")))["utils.py"]
    assert "def reset(values" in renamed(project, act(to("foo", "reset")))["utils.py"]
    (project / "more.py").write_text("from utils import foo\n\n\ndef f(bar):\n    foo(bar)\n")
    with pytest.raises(MidlineError, match=r"bar is there already \(more.py:4\)"):
        act(to("foo", "bar"))


def test_a_method_called_like_a_function_stays(project: Path, act: Act) -> None:
    (project / "more.py").write_text("def go(): pass\n\n\nclass A:\n    def go(self): go()\n")
    text = renamed(project, act(to("go", "run", path="more.py")))["more.py"]
    assert text == "def run(): pass\n\n\nclass A:\n    def go(self): run()\n"
