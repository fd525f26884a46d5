"""Further inputs for agreement and for telling candidates apart: the examples' calls, altered.

No model is asked. Literals in a call are replaced one at a time by others of their type: numbers by
their neighbours, 0 and the negative, texts and lists by empty, reversed and shortened ones. A call
whose values do not depend on chance gives the same inputs every time.
"""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, zip_longest

from midline.model.strategies.examples import Check

_NUMBER = re.compile(r"(?<![\w.\"'])-?\d+(?![\w.\"'])")


@lru_cache(maxsize=1024)
def altered_calls(examples: tuple[Check, ...], language: str, count: int) -> tuple[Check, ...]:
    """Up to `count` calls without an expected value, taken from all examples in turn."""
    alter = _altered_python if language == "python" else _altered_text
    each = [alter(example.call) for example in examples]
    mixed = (text for texts in zip_longest(*each) for text in texts if text is not None)
    known = {example.call for example in examples}
    found: dict[str, None] = {}
    while len(found) < count and (text := next(mixed, None)) is not None:
        if text not in known:
            found[text] = None
    return tuple(Check(text, "") for text in found)


def _altered_python(call: str) -> Iterator[str]:
    tree = ast.parse(call, mode="eval")
    nodes = [node for node in ast.walk(tree) if _others(node)]
    variants = [[(number, at) for at in range(len(_others(n)))] for number, n in enumerate(nodes)]
    for number, at in chain.from_iterable(map(_present, zip_longest(*variants))):
        node = nodes[number]
        before = _replace(node, _others(node)[at])
        yield ast.unparse(tree)
        _replace(node, before)


def _present(row: tuple[tuple[int, int] | None, ...]) -> list[tuple[int, int]]:
    return [entry for entry in row if entry is not None]


def _others(node: ast.AST) -> list[object]:
    """Values, or lists of elements, that may stand in the place of a literal."""
    if isinstance(node, ast.Constant) and not isinstance(node.value, bool):
        value = node.value
        if isinstance(value, int | float):
            return [value + 1, 0, -value, value * 2 + 1]
        if isinstance(value, str):
            return [value[::-1], "", value[1:], value + value]
    if isinstance(node, ast.List | ast.Tuple) and node.elts:
        elements = node.elts
        return [elements[::-1], elements[1:], [], [*elements, *elements[:1]]]
    return []


def _replace(node: ast.AST, value: object) -> object:
    """Give a literal another value or other elements; what it had before."""
    field = "value" if isinstance(node, ast.Constant) else "elts"
    before = getattr(node, field)
    setattr(node, field, value)
    return before


def _altered_text(call: str) -> Iterator[str]:
    """For languages without a parser here: numbers alone, one at a time."""
    for change in (lambda n: n + 1, lambda n: 0, lambda n: -n):
        for found in _NUMBER.finditer(call):
            yield call[: found.start()] + str(change(int(found[0]))) + call[found.end() :]
