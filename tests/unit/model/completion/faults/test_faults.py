"""Faults that a change brings are found where the tree has changed, and nowhere is one missed."""

import runpy
from pathlib import Path

import pytest

from midline.model.completion.faults import fault_kinds
from midline.model.completion.fim import Cursor
from midline.model.completion.languages import SUFFIXES
from midline.model.completion.syntax import SyntaxAround

HEADS = {"go": "package main\n\n", "php": "<?php\n"}
LANGUAGES = ("bash", "go", "javascript", "lua", "php", "ruby")


def samples(language: str) -> tuple[dict[str, list[str]], list[str]]:
    tests = runpy.run_path(str(Path(__file__).with_name(f"test_{language}.py")))
    return tests["FAULTS"], tests["NONE"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_text_brings_is_found_around_it(language: str) -> None:
    """Each faulty text is written at every line of the accepted ones, and its pieces at its own."""
    faults, accepted = samples(language)
    name = "a" + SUFFIXES[language].split()[0]
    seen = 0
    for text in accepted:
        whole = HEADS.get(language, "") + text + "\n"
        ends = [at + 1 for at, character in enumerate(whole) if character == "\n"]
        for at in ends:
            for written in [each for texts in faults.values() for each in texts]:
                seen += compare(name, language, whole[:at], f"{written}\n", whole[at:])
    for texts in faults.values():
        for text in texts:
            whole = HEADS.get(language, "") + text + "\n"
            for at in range(len(whole) - len(text) - 1, len(whole), 3):
                seen += compare(name, language, whole[:at], whole[at : at + 4], whole[at + 4 :])
    assert seen > 10


def compare(name: str, language: str, before: str, written: str, after: str) -> int:
    """How many kinds the text brings; they are the same by a search of the whole text."""
    cursor = Cursor(before.encode(), after.encode(), before.count("\n"), name)
    syntax = SyntaxAround.of(cursor)
    assert syntax is not None
    had = fault_kinds(syntax.tree_with(b""), language)
    tree, data = syntax.tree_with(written.encode()), written.encode()
    everywhere = fault_kinds(tree, language, but=had)
    assert fault_kinds(tree, language, but=had, within=syntax.changed_with(data)) == everywhere
    return len(everywhere)
