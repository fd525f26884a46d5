"""How the tests of faults ask: the kinds of a text, and the two tests that every language has."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from midline.model.completion.faults import fault_kinds
from midline.model.completion.syntax import parser


def kinds(language: str, text: str) -> set[str]:
    found = parser(language)
    assert found is not None
    tree = found.parse(text.encode())
    assert not tree.root_node.has_error, f"the grammar refuses it by itself: {text!r}"
    return set(fault_kinds(tree, language))


def checks_of(
    language: str,
    faults: Mapping[str, Sequence[str]],
    accepted: Sequence[str],
    *,
    head: str = "",
    dialects: Sequence[str] = (),
) -> tuple[Callable[..., None], Callable[..., None]]:
    """Two tests: each text of `faults` has that kind, and none of `accepted` has any, in
    `language` and its `dialects`. `head` stands above every text.
    """
    pairs = [(kind, text) for kind, texts in faults.items() for text in texts]

    @pytest.mark.parametrize(("kind", "text"), pairs)
    def test_faults_are_found(kind: str, text: str) -> None:
        assert kind in kinds(language, f"{head}{text}\n")

    @pytest.mark.parametrize("text", accepted)
    @pytest.mark.parametrize("dialect", [language, *dialects])
    def test_what_the_language_takes_has_none(dialect: str, text: str) -> None:
        assert kinds(dialect, f"{head}{text}\n") == set()

    return test_faults_are_found, test_what_the_language_takes_has_none
