"""What Lua refuses and its grammar lets pass."""

import pytest
from faults_of import kinds

FAULTS = {
    "break": ["break", "while a do f(function() break end) end"],
    "variadic": ["function f(a) return ... end"],
    "reserved": ["function f() end\nend = 1"],
}
NONE = [
    "while a do if b then break end end\nrepeat break until c\nfor i = 1, 2 do break end",
    "local a = ...\nfunction f(b, ...) return b, ... end",
    "if a then return else return 1 end\nreturn a -- b",
]


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, texts in FAULTS.items() for t in texts])
def test_faults_are_found(kind: str, text: str) -> None:
    assert kind in kinds("lua", f"{text}\n")


@pytest.mark.parametrize("text", NONE)
def test_what_the_language_takes_has_none(text: str) -> None:
    assert kinds("lua", f"{text}\n") == set()
