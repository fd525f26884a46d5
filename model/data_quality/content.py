"""The content signals of RedPajama-V2, and those of its natural-language ones that need a list.

No list of words or domains is part of Midline but a short one of English function words; all are
read from files that the user names (`WordLists.read`).
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from midline.model.data_quality.views import Spans, Views
from midline.model.errors import UsageError

ENGLISH = Path(__file__).with_name("english_function_words.txt")
"""The words without content of English; a list of the user's takes their place."""


@dataclass(frozen=True)
class WordLists:
    """What the content signals look up: words, phrases and the categories of domains."""

    stop_words: frozenset[str] = field(default_factory=lambda: _lines(ENGLISH))
    blocked: frozenset[str] = frozenset()
    domain_categories: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(
        cls, stop_words: Path | None = None, blocked: Path | None = None,
        domain_categories: Path | None = None,
    ) -> "WordLists":  # fmt: skip
        """The lists in the files that are named.

        Words and phrases are one a line, as in the LDNOOBW lists; the categories are a JSON object
        of domain and number, as RedPajama makes of the UT1 lists. Raises UsageError.
        """
        return cls(
            _lines(ENGLISH if stop_words is None else stop_words),
            frozenset() if blocked is None else _lines(blocked),
            {} if domain_categories is None else _categories(domain_categories),
        )


def stop_word_fraction(views: Views, lists: WordLists) -> Spans:
    """Raw words that are stop words over raw words: 0 to 1 (Gopher)."""
    if not len(views.normalized):
        return views.document(0.0)
    distinct = views.raw.distinct
    stops = np.fromiter((w in lists.stop_words for w in distinct), np.bool_, len(distinct))
    return views.share(int(views.raw.counts[stops].sum()), len(views.raw), 0.0)


def blocked_words(views: Views, lists: WordLists) -> Spans:
    """How many word sequences of the normalized text are in the block list (C4)."""
    words, count = views.normalized, 0
    for size in {phrase.count(" ") + 1 for phrase in lists.blocked}:
        if size == 1:
            found = [w in lists.blocked for w in words.distinct]
            count += int(words.counts[np.array(found, np.bool_)].sum()) if found else 0
        else:
            count += _phrases(views, lists, size)
    return views.document(float(count))


def _phrases(views: Views, lists: WordLists, size: int) -> int:
    """Occurrences of the blocked phrases of `size` words, found from their first words."""
    words = views.normalized
    phrases = [phrase for phrase in lists.blocked if phrase.count(" ") + 1 == size]
    heads = {phrase.partition(" ")[0] for phrase in phrases}
    known = np.fromiter((w in heads for w in words.distinct), np.bool_, len(words.distinct))
    starts = np.flatnonzero(known[words.ids]) if len(words) else ()
    count = 0
    for at in starts:
        ids = words.ids[at : at + size]
        count += " ".join(words.distinct[i] for i in ids) in lists.blocked and len(ids) == size
    return count


def lorem_ipsum(views: Views, _: WordLists) -> Spans:
    """Occurrences of "lorem ipsum" over the characters of the normalized text: 0 to 1 (C4)."""
    if "lorem" not in views.folded:
        return views.document(0.0)
    text = views.normalized_text
    return views.share(text.count("lorem ipsum"), len(text), 0.0)


def curly_bracket(views: Views, _: WordLists) -> Spans:
    """Curly brackets over characters: 0 to 1 (C4)."""
    return views.share(views.text.count("{") + views.text.count("}"), len(views), 0.0)


def domain_category(views: Views, lists: WordLists) -> Spans:
    """The number of the category of the document's domain in the UT1 lists; None if in none."""
    found = lists.domain_categories.get(views.domain or "")
    return [(0, len(views), found)]


SIGNALS = {
    "rps_doc_stop_word_fraction": stop_word_fraction,
    "rps_doc_ldnoobw_words": blocked_words,
    "rps_doc_lorem_ipsum": lorem_ipsum,
    "rps_doc_curly_bracket": curly_bracket,
    "rps_doc_ut1_blacklist": domain_category,
}


def _lines(path: Path) -> frozenset[str]:
    try:
        return frozenset(line.strip() for line in path.read_text("utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is not a readable word list: {error}; name a text file"
        ) from error


def _categories(path: Path) -> dict[str, int]:
    try:
        found = json.loads(path.read_text("utf-8"))
        return {str(domain): int(number) for domain, number in found.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UsageError(
            f"{path} is not a JSON object of domains and numbers: {error}; name such a file"
        ) from error
