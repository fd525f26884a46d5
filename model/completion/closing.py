"""Closing of brackets and blocks that a completion leaves open."""

import re

from midline.model.completion.code_lines import indentation, masked
from midline.model.completion.place import Place

_CLOSER_OF = {"(": ")", "[": "]", "{": "}"}
_SEMICOLONS = {"c", "cpp", "csharp", "css", "java", "perl", "php", "rust"}
"""Languages whose statements end with a semicolon, which models sometimes omit."""
_MACRO = re.compile(r"[A-Z][A-Z0-9_]{2,}(\(.*\))?")
_ENDS = {
    "bash": {"for": "done", "while": "done", "until": "done", "if": "fi", "case": "esac"},
    "lua": dict.fromkeys(("for", "while", "if", "function", "local"), "end"),
    "ruby": dict.fromkeys(
        ("def", "class", "module", "if", "unless", "while", "until", "case", "begin"), "end"
    ),
}
"""The words that end a block, by the words that begin its first line."""


def closed_line(text: str, place: Place) -> list[str]:
    """`text` with the round and square brackets and the semicolon that it may lack."""
    if place.rest.strip():
        return []
    openers = [opener for opener, _ in _open(place.fragment + text, place.language)]
    closers = "".join(_CLOSER_OF[opener] for opener in reversed(openers))
    lacks_end = place.language in _SEMICOLONS and not text.endswith((";", "}"))
    lacks_end = lacks_end and not _MACRO.fullmatch(text.strip())
    closed = text.rstrip().removesuffix(",") + closers if closers else text.rstrip()
    if "{" in openers:
        return []
    found = [closed] if closers else []
    if place.language == "go" and not text.endswith(","):
        found.append(text.rstrip() + ",")  # the last one of a list in lines
    return [*found, closed + ";"] if lacks_end else found


def closed_blocks(text: str, place: Place, line_end: str = "\n") -> list[str]:
    """Whole lines of code `text` with the ends of the blocks that they leave open.

    First only of those that `text` opens itself, then also of those of the cursor's line. None
    where an expression is open or a block has no line yet: what belongs there is not known.
    """
    if (place.fragment + text).rstrip().endswith(tuple(_CLOSER_OF)):
        return []
    opened = _open(place.fragment + text, place.language)
    if opened and opened[-1][0] != "{":
        return []
    if place.language in _ENDS:
        ends = _word_ends((place.fragment + text).split("\n"), _ENDS[place.language])
        counts = list(range(1, len(ends) + 1))
    else:
        ends = _bracket_ends(opened)
        counts = [len(opened) - len(_open(place.fragment, place.language)), len(ends)]
    ends = [end.replace("\n", line_end) for end in ends]
    found = [text + "".join(ends[:count]) for count in dict.fromkeys(counts) if count > 0]
    return [end for one in found for end in ((one, one + ";") if one[-1] == ")" else (one,))]


def _bracket_ends(opened: list[tuple[str, str]]) -> list[str]:
    """What closes each bracket, innermost first: braces in lines of their own."""
    found: list[str] = []
    for number in range(len(opened) - 1, -1, -1):
        opener, space = opened[number]
        stands_alone = opener == "{" or space != opened[number + 1][1]
        found.append((f"\n{space}" if stands_alone else "") + _CLOSER_OF[opener])
    return found


def _word_ends(lines: list[str], ends: dict[str, str]) -> list[str]:
    """The words that end the blocks around the last line, innermost first, each in its line."""
    found: list[str] = []
    written = [line for line in lines if line.strip()]
    level = indentation(written[-1]) if written else 0
    for line in reversed(written[:-1]):
        if indentation(line) < level:
            level = indentation(line)
            words = line.split()
            end = ends.get(words[0]) or ("end" if words[-1] == "do" or "|" in words[-1] else None)
            if end is None:
                return []
            found.append("\n" + line[: len(line) - len(line.lstrip())] + end)
    return found


def _open(text: str, language: str | None) -> list[tuple[str, str]]:
    """Brackets that `text` opens and does not close, in order, each with its line's indentation."""
    found: list[tuple[str, str]] = []
    for line in masked(text, language).split("\n"):
        space = line[: len(line) - len(line.lstrip())]
        for character in line:
            if character in _CLOSER_OF:
                found.append((character, space))
            elif found and character == _CLOSER_OF[found[-1][0]]:
                found.pop()
    return found
