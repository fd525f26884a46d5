"""Blocks of code in prompts and answers."""

import re
import textwrap

from midline.model.completion.languages import SUFFIXES
from midline.model.completion.syntax import count_errors, language_of, parser
from midline.model.errors import MidlineError

_FENCED = re.compile(r"^(`{3,}|~{3,})[^\n]*\n(.*?)^\1[`~]*[ \t]*$", re.DOTALL | re.MULTILINE)
_OPENED_TWICE = re.compile(r"\A(?:`{3,}|~{3,})[^\n]*\n(?=(?:`{3,}|~{3,})\w)")
_LONGEST_TOKEN = 64
_REPEATED, _PERIOD = 120, 12
"""Characters, and of how many at most they consist again and again; rules are shorter."""
_OPEN_FENCE = re.compile(r"^(?:`{3,}|~{3,})[^\n]*\n", re.MULTILINE)


def code_of(text: str) -> str:
    """The first block of code in an answer, or all of it if it has none; one line end at its end.

    Raises MidlineError if there is none.
    """
    text = _OPENED_TWICE.sub("", text)
    match = _FENCED.search(text)
    if match:
        code = match[2]
    else:
        opened = _OPEN_FENCE.search(text)
        code = text[opened.end() :] if opened else text
    if not code.strip():
        raise MidlineError("the model wrote no code; say it in other words")
    return textwrap.dedent(code).strip("\n") + "\n"


def block_is_over(text: str) -> bool:
    """Whether the fence is closed of a block that an answer began with, or it will never be."""
    return "\n```" in text[-_LONGEST_TOKEN:] or is_endless(text)


def is_endless(text: str) -> bool:
    """Whether the end of an answer only repeats a few characters, as small models fall into."""
    end = text[-_REPEATED:]
    return len(end) == _REPEATED and any(end[n:] == end[:-n] for n in range(1, _PERIOD + 1))


def parses(code: str, language: str | None) -> bool:
    """Whether a text is code of a language, None or one without grammar being content with any."""
    found = parser(language) if language else None
    return found is None or not count_errors(found.parse(code.encode()))


def check_code(code: str, language: str | None) -> None:
    """Raises MidlineError for a text that is no code of the language."""
    if not parses(code, language):
        raise not_valid(language or "code")


def not_valid(language: str) -> MidlineError:
    """The refusal of an answer that is no code."""
    return MidlineError(
        f"the model's answer is not valid {language}, and nothing was changed; try again, with a "
        "smaller part of the code or a larger model"
    )


def quoted(text: str, name: str) -> str:
    """The text in a fence that nothing in it can close."""
    runs = re.findall(r"`+", text)
    fence = "`" * max(3, 1 + max(map(len, runs), default=0))
    language = language_of(name) or ""
    known = language if language in SUFFIXES else ""
    return f"{fence}{known}\n{text.rstrip()}\n{fence}"
