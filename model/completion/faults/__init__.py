"""Faults that grammars let pass and languages do not: a file with one is refused as a whole.

Each language has a module with a query, `QUERY`, which finds the nodes in question, and a test,
`is_fault`, that tells which of them are faults; the names of the query's captures are the kinds.
Whether a kind counts is decided by the file: one that has it already lives by other rules.

What depends on the node itself, on what it holds and on the types of the nodes around it can only
change where the tree does. The other kinds, those of `QUERY_OF_SURROUNDINGS`, are looked for in the
whole text.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from midline.model.completion.faults import bash, go, javascript, lua, php, reserved, ruby

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Query, Tree

_MODULES = {
    "bash": bash,
    "go": go,
    "javascript": javascript,
    "lua": lua,
    "php": php,
    "ruby": ruby,
    "tsx": javascript,
    "typescript": javascript,
}


Range = tuple[int, int]
"""Two offsets in bytes."""


@dataclass(frozen=True)
class _Rules:
    near: "Query | None"
    far: "Query | None"
    is_fault: "Callable[[str, Node], bool]"


def fault_kinds(
    tree: "Tree",
    language: str,
    but: Collection[str] = (),
    within: Sequence[Range] | None = None,
) -> frozenset[str]:
    """The kinds of faults in a tree, those in `but` left out.

    With `within`, those that a change of the text may have brought: it is where the tree is another
    one since then, and the text itself.
    """
    rules = _rules(language, tree.language)
    if rules is None:
        return frozenset()
    return frozenset(
        kind
        for kind, nodes in _captured(rules, tree.root_node, within)
        if kind not in but and any(rules.is_fault(kind, node) for node in nodes)
    )


def _captured(
    rules: _Rules, root: "Node", within: Sequence[Range] | None
) -> "Iterator[tuple[str, list[Node]]]":
    """The nodes in question by kind."""
    from tree_sitter import QueryCursor

    if rules.far is not None:
        yield from QueryCursor(rules.far).captures(root).items()
    if rules.near is not None:
        for start, end in within if within is not None else [(0, root.end_byte)]:
            cursor = QueryCursor(rules.near)
            cursor.set_byte_range(start, end)
            yield from cursor.captures(root).items()


@cache
def _rules(language: str, grammar: "Language") -> _Rules | None:
    """The rules of a language; None where there are none, or for a grammar with other nodes."""
    from tree_sitter import Query, QueryError

    own = _MODULES.get(language)
    near = (own.QUERY if own else "") + reserved.query_of(language)
    far = getattr(own, "QUERY_OF_SURROUNDINGS", "")

    def is_fault(kind: str, node: "Node") -> bool:
        if kind == "reserved" or own is None:
            return reserved.is_reserved(node)
        return own.is_fault(kind, node)

    try:
        one, other = (Query(grammar, query) if query else None for query in (near, far))
    except QueryError:
        return None
    return _Rules(one, other, is_fault) if one or other else None
