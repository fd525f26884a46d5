"""Examples in prompts and self-written tests: calls, and the values they should have.

Three forms are read: doctest's `>>> f(1)` with the value on the next lines, a JavaScript console's
`> f(1)` likewise, and comparisons such as `f(1) == 2`, `assert f(1) == 2`, `f(1) returns 2` and
`f(1) // => 2`.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 2000
"""Characters of a call or value; longer ones are left out."""
_MOST = 32
_LEADER = r"[ \t]*(?:[*#]|//)?[ \t]*"
_CONSOLE = {
    "python": re.compile(rf"^{_LEADER}>>>[ \t]*(?P<call>.+)$"),
    "javascript": re.compile(rf"^{_LEADER}>{{1,3}}[ \t]+(?P<call>.+)$"),
}
_STRIP = {
    "python": re.compile(r"^[ \t]*#?[ \t]?"),
    "javascript": re.compile(r"^[ \t]*(?:\*|//)?[ \t]?"),
}
_RELATION = re.compile(r"[ \t]*(?:===?|\breturns\b|(?://|#)?[ \t]*=>|(?:->|➞|→))[ \t]*")
_CLOSING = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, order=True)
class Check:
    """Two expressions of the problem's language that should have equal values."""

    call: str
    expected: str


def find_examples(text: str, language: str, entry_point: str) -> tuple[Check, ...]:
    """The examples of calls of `entry_point`, or of any function if it is empty; each once."""
    found = [*_console_examples(text, language), *find_comparisons(text, entry_point)]
    if entry_point:
        found = [check for check in found if _calls(check.call, entry_point)]
    usable = (check for check in found if _is_usable(check, language))
    return tuple(dict.fromkeys(usable))[:_MOST]


def find_comparisons(text: str, entry_point: str) -> Iterator[Check]:
    """Comparisons of a call with a value, one a line, whatever stands before them."""
    name = re.escape(entry_point) if entry_point else r"[A-Za-z_]\w*"
    start = re.compile(rf"(?<![\w.]){name}[ \t]*\(")
    for line in text.splitlines():
        begin = start.search(line)
        if begin is None or "def " in line[: begin.start()] or "function" in line[: begin.start()]:
            continue
        end = end_of_brackets(line, begin.end() - 1)
        relation = _RELATION.match(line, end) if end else None
        if relation and (value := _value(line[relation.end() :])):
            yield Check(line[begin.start() : end], value)


def end_of_brackets(text: str, start: int) -> int:
    """Index after the bracket that closes the one at `start`; 0 if none does."""
    open_brackets: list[str] = []
    quote = ""
    at = start
    while at < len(text):
        sign = text[at]
        if quote:
            at += sign == "\\"
            quote = "" if sign == quote else quote
        elif sign in "\"'`":
            quote = sign
        elif sign in "([{":
            open_brackets.append(sign)
        elif sign in ")]}":
            if not open_brackets or open_brackets.pop() != _CLOSING[sign]:
                return 0
            if not open_brackets:
                return at + 1
        at += 1
    return 0


def _value(rest: str) -> str:
    """The expression that a line goes on with: up to a comment, or a word of prose."""
    rest = rest.strip().removesuffix("`").strip()
    if rest[:1] in ("(", "[", "{"):
        end = end_of_brackets(rest, 0)
        return rest[:end] if end else ""
    word = re.match(r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[-+\w.]+)(?=[\s,;.)]|$)""", rest)
    return word[0].rstrip(".") if word else ""


def _console_examples(text: str, language: str) -> Iterator[Check]:
    lines = text.splitlines()
    for number, line in enumerate(lines):
        prompt = _CONSOLE[language].match(line)
        if prompt is None:
            continue
        value = []
        for following in lines[number + 1 :]:
            bare = _STRIP[language].sub("", following)
            if not bare.strip() or bare.startswith((">", '"""', "'''", "/")):
                break
            value.append(bare)
        if value:
            yield Check(prompt["call"].strip().rstrip(";"), "\n".join(value).strip())


def _calls(text: str, entry_point: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(entry_point)}[ \t]*\(", text) is not None


def _is_usable(check: Check, language: str) -> bool:
    if max(len(check.call), len(check.expected)) > LONGEST:
        return False
    if language == "python":
        return _is_expression(check.call) and _is_expression(check.expected)
    return "(" in check.call and "\n\n" not in check.expected


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
