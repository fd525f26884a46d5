"""Faults that grammars let pass and languages do not: a file with one is refused as a whole.

Each language has a module with a query, `QUERY`, which finds the nodes in question, and a test,
`is_fault`, that tells which of them are faults; the names of the query's captures are the kinds.
Whether a kind counts is decided by the file: one that has it already lives by other rules.
"""

from collections.abc import Callable, Collection
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


@dataclass(frozen=True)
class _Rules:
    query: "Query"
    is_fault: "Callable[[str, Node], bool]"


def fault_kinds(tree: "Tree", language: str, but: Collection[str] = ()) -> frozenset[str]:
    """The kinds of faults in a tree, those in `but` left out."""
    rules = _rules(language, tree.language)
    if rules is None:
        return frozenset()
    from tree_sitter import QueryCursor

    found = QueryCursor(rules.query).captures(tree.root_node)
    return frozenset(
        kind
        for kind, nodes in found.items()
        if kind not in but and any(rules.is_fault(kind, node) for node in nodes)
    )


@cache
def _rules(language: str, grammar: "Language") -> _Rules | None:
    """The rules of a language; None where there are none, or for a grammar with other nodes."""
    from tree_sitter import Query, QueryError

    own = _MODULES.get(language)
    query = (own.QUERY if own else "") + reserved.query_of(language)

    def is_fault(kind: str, node: "Node") -> bool:
        if kind == "reserved" or own is None:
            return reserved.is_reserved(node)
        return own.is_fault(kind, node)

    try:
        return _Rules(Query(grammar, query), is_fault) if query else None
    except QueryError:
        return None
