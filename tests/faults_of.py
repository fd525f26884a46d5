"""How the tests of faults ask: the kinds of a text, and whether it parses at all."""

from midline.model.completion.faults import fault_kinds
from midline.model.completion.syntax import parser


def kinds(language: str, text: str) -> set[str]:
    found = parser(language)
    assert found is not None
    tree = found.parse(text.encode())
    assert not tree.root_node.has_error, f"the grammar refuses it by itself: {text!r}"
    return set(fault_kinds(tree, language))
