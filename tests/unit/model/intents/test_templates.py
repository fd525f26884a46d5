"""Templates: rules, choices and places become sentences of the augmented language."""

import random

import pytest

from midline.model.intents.fillers import fill
from midline.model.intents.templates import expand, parse_templates, sentences_of
from midline.model.intents.utterance import parse_augmented

TEXT = """# a comment
thing: file | folder
((open)) {open|show} the <thing> [path] {now|}
((rename)) name it [new_name=foo] not [symbol!]
"""


def test_a_template_becomes_utterances() -> None:
    templates = parse_templates(TEXT)
    utterances = list(sentences_of(templates, 40, 0, fill))
    assert len({u.text for u in utterances}) == 40
    assert {u.intent for u in utterances} == {"open", "rename"}
    names = {u.values() for u in utterances if u.intent == "rename"}
    assert names == {(("new_name", "foo"),)}


def test_the_same_seed_gives_the_same_sentence() -> None:
    templates = parse_templates(TEXT)
    first, again = (
        expand(templates.sentences[0], templates, random.Random(7), fill) for _ in range(2)
    )
    assert first == again
    assert parse_augmented(first).slots[0].name == "path"


@pytest.mark.parametrize("text", ["neither rule nor template", "((open)) <nothing>"])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither|no rule"):
        parse_templates(text)
