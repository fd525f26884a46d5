r"""Signals of source code that need no syntax.

Rules and thresholds of the kind are those of RedPajama-V1 (arXiv 2411.12372, appendix C.1) and of
OpenCoder (arXiv 2411.04905, appendix A); the definitions are stated here. Shares are 0 to 1 and 0
for an empty file.
"""

import re
from itertools import groupby

import numpy as np

from midline.model.data_quality.views import Spans, Views, has_property

LONG_WORD = 30
"""Characters from which a word is long."""
ENCODED_RUN = 64
"""Characters from which a run of an encoding's alphabet counts as encoded data."""
_HEADER_LINES = 20
_GENERATED = re.compile(
    r"@generated\b|\bauto-?generated\b|\bautomatically generated\b"
    r"|\bgenerated (?:by|from|with|using)\b|\bgenerated code\b"
    r"|\bthis file (?:was|is) generated\b|\bdo not (?:edit|modify)\b",
    re.IGNORECASE,
)
_COMMENT_MARK = re.compile(r"^\s*(?:#|//|/\*|\*|--|;|%|<!--|\"\"\"|''')")
_TODO = re.compile(r"\b(?:TODO|FIXME|XXX|HACK|BUG|TBD)\b")
_HEX = re.compile(r"(?:0x)?(?=[0-9a-f]*\d)[0-9a-f]{4,}", re.IGNORECASE)
_XML = re.compile(r"\s*<\?xml\b")
_BASE64 = re.compile(rf"[A-Za-z0-9+/]{{{ENCODED_RUN},}}={{0,2}}")
_ESCAPES = re.compile(r"(?:\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|0x[0-9a-fA-F]{2}[,\s]{1,2}){8,}")
_MIXED = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z0-9]*[A-Z0-9])")
_MAX_SHARE_OF_ONE = 0.5


def replacement_char_share(views: Views) -> Spans:
    """Characters that stand for undecodable bytes (U+FFFD or surrogates) over all."""
    if views.text.isascii():
        return views.document(0.0)
    points = views.points
    bad = (points == 0xFFFD) | ((points >= 0xD800) & (points < 0xE000))
    return views.share(int(bad.sum()), len(views), 0.0)


def max_line_length(views: Views) -> Spans:
    """Characters of the longest line, without line feeds (RedPajama-V1: at most 1000)."""
    return views.document(float(max(map(len, views.lines), default=0)))


def mean_line_length(views: Views) -> Spans:
    """Characters a line, without line feeds (RedPajama-V1: at most 100)."""
    return views.share(sum(map(len, views.lines)), len(views.lines), 0.0)


def line_count(views: Views) -> Spans:
    """Lines of the file."""
    return views.document(float(len(views.lines)))


def alphanumeric_share(views: Views) -> Spans:
    """Letters and digits of any script over characters (RedPajama-V1: at least 0.25)."""
    return _share_of(views, "isalnum")


def alphabetic_share(views: Views) -> Spans:
    """Letters of any script over characters (OpenCoder: at least 0.5)."""
    return _share_of(views, "isalpha")


def alphabetic_per_token(views: Views) -> Spans:
    """Letters over raw words (RedPajama-V1: at least 1.5, where tokens are GPT-NeoX's)."""
    letters = int(has_property(views.points, "isalpha").sum())
    return views.share(letters, len(views.raw), 0.0)


def digit_share(views: Views) -> Spans:
    """Digits over characters (OpenCoder: at most 0.2)."""
    return _share_of(views, "isdigit")


def whitespace_share(views: Views) -> Spans:
    """Blanks, tabs and line feeds over characters (OpenCoder: at most 0.5)."""
    return _share_of(views, "isspace")


def hex_word_share(views: Views) -> Spans:
    """Raw words that are hexadecimal numbers of 4 digits and more, at least one a decimal digit."""
    distinct = views.raw.distinct
    found = np.fromiter((_HEX.fullmatch(w) is not None for w in distinct), np.bool_, len(distinct))
    return views.share(int(views.raw.counts[found].sum()), len(views.raw), 0.0)


def long_word_char_share(views: Views) -> Spans:
    """Characters in raw words of 30 and more over the characters of all raw words."""
    lengths, counts = views.raw.lengths, views.raw.counts
    long = lengths >= LONG_WORD
    return views.share(int(lengths[long] @ counts[long]), views.raw.characters, 0.0)


def encoded_share(views: Views) -> Spans:
    """Characters in runs of base64, hexadecimal bytes or escapes over characters."""
    return views.share(sum(_encoded_runs(views.text)), len(views), 0.0)


def longest_encoded_run(views: Views) -> Spans:
    """Characters of the longest such run (OpenCoder: at most 1024)."""
    return views.document(float(max(_encoded_runs(views.text), default=0)))


def duplicate_line_share(views: Views) -> Spans:
    """Lines with a word that stand in the file before already, over all of them."""
    lines = [line for line in views.stripped_lines if any(map(str.isalnum, line))]
    return views.share(len(lines) - len(set(lines)), len(lines), 0.0)


def repeated_line_run(views: Views) -> Spans:
    """The longest run of equal lines that are not blank."""
    runs = (sum(1 for _ in run) for line, run in groupby(views.stripped_lines) if line)
    return views.document(float(max(runs, default=0)))


def todo_line_share(views: Views) -> Spans:
    """Lines with TODO, FIXME, XXX, HACK, BUG or TBD over lines (OpenCoder: at most 0.01)."""
    found = sum(_TODO.search(line) is not None for line in views.lines) if _TODO.search(
        views.text
    ) else 0  # fmt: skip
    return views.share(found, len(views.lines), 0.0)


def generated_header(views: Views) -> Spans:
    """1 if a comment in the first 20 lines says that the file is generated or not to be edited.

    The bare word "generate" is not enough, nor is one outside of a comment.
    """
    head = views.lines[:_HEADER_LINES]
    found = any(_COMMENT_MARK.match(line) and _GENERATED.search(line) for line in head)
    return views.document(float(found))


def xml_header(views: Views) -> Spans:
    """1 if the file begins with an XML declaration, whatever its name says."""
    return views.document(float(_XML.match(views.text[:256]) is not None))


SIGNALS = {
    "code_replacement_char_share": replacement_char_share,
    "code_max_line_length": max_line_length,
    "code_mean_line_length": mean_line_length,
    "code_line_count": line_count,
    "code_alphanumeric_share": alphanumeric_share,
    "code_alphabetic_share": alphabetic_share,
    "code_alphabetic_per_token": alphabetic_per_token,
    "code_digit_share": digit_share,
    "code_whitespace_share": whitespace_share,
    "code_hex_word_share": hex_word_share,
    "code_long_word_char_share": long_word_char_share,
    "code_encoded_share": encoded_share,
    "code_longest_encoded_run": longest_encoded_run,
    "code_duplicate_line_share": duplicate_line_share,
    "code_repeated_line_run": repeated_line_run,
    "code_todo_line_share": todo_line_share,
    "code_generated_header": generated_header,
    "code_xml_header": xml_header,
}


def _share_of(views: Views, method: str) -> Spans:
    return views.share(int(has_property(views.points, method).sum()), len(views), 0.0)


def _encoded_runs(text: str) -> list[int]:
    """Lengths of the runs of encoded data.

    A run of letters is base64 if both cases or digits mix in it and no character is half of it: a
    line of equal characters, a path or a long word are none.
    """
    runs = [len(m[0]) for m in _ESCAPES.finditer(text)]
    for match in _BASE64.finditer(text):
        run = match[0]
        if _MIXED.match(run) and run.count("/") < len(run) / 16 and _is_varied(run):
            runs.append(len(run))
    return runs


def _is_varied(run: str) -> bool:
    start = run[:256]
    return max(map(start.count, set(start))) <= len(start) * _MAX_SHARE_OF_ONE
