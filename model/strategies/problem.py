"""What a strategy knows of a problem: what the user wrote, and nothing else.

A problem holds the prompt and the examples in it. The tests of a benchmark have no place in it, so
that no strategy can select by them.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from midline.model.strategies.examples import Check, find_examples

Form = Literal["code", "chat", "raw"]
"""code: the prompt is a program that breaks off where the answer goes on. chat: the prompt asks for
something in words. raw: a text that the answer continues, of which nothing can be executed."""
EXECUTABLE = ("python", "javascript")
_DEFINITION = {
    "python": re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)[ \t]*\(", re.MULTILINE),
    "javascript": re.compile(r"^[ \t]*(?:async[ \t]+)?function[ \t]*\*?[ \t]*(\w+)[ \t]*\(", re.M),
}
_WORDS = {"python": r"\bpython\b|\bdef\b|>>> ", "javascript": r"\bjavascript\b|\bnode\b|\bJS\b"}


@dataclass(frozen=True)
class Problem:
    """A prompt, its form, and what can be executed of it.

    language: of the program, empty where it is unknown or Midline cannot execute it. entry_point:
    the function that is asked for, empty if the prompt does not name one. examples: calls and
    values that the prompt promises, in its order.
    """

    prompt: str
    form: Form
    language: str = ""
    entry_point: str = ""
    examples: tuple[Check, ...] = ()

    @property
    def can_be_executed(self) -> bool:
        """Whether a candidate is a program with a known function to call."""
        return bool(self.language and self.entry_point)

    def with_examples(self, count: int) -> "Problem":
        """The same problem, of which only the first `count` examples are executed."""
        return replace(self, examples=self.examples[:count])


def read_problem(prompt: str, form: Literal["chat", "raw"], language: str = "") -> Problem:
    """The problem of a prompt; a raw one that ends in an unfinished function has the form code."""
    language = language or _guess_language(prompt)
    if language not in EXECUTABLE:
        return Problem(prompt, form, language="")
    names = _DEFINITION[language].findall(prompt)
    name = names[-1] if names else ""
    examples = find_examples(prompt, language, name)
    if not name and examples:
        name = examples[0].call.partition("(")[0].strip()
    kind: Form = "code" if form == "raw" and names else form
    return Problem(prompt, kind, language, name, examples)


def _guess_language(prompt: str) -> str:
    for name, definition in _DEFINITION.items():
        if definition.search(prompt):
            return name
    for name, words in _WORDS.items():
        if re.search(words, prompt, re.IGNORECASE):
            return name
    return ""
