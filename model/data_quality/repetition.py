"""The 9 repetition signals of RedPajama-V2, which are those of Gopher (arXiv 2112.11446, table A1).

All are shares of the characters of the normalized words, 0 to 1. Top n-grams may exceed 1, since an
n-gram that overlaps itself is counted as often as it occurs.
"""

from collections.abc import Callable

import numpy as np

from midline.model.data_quality.views import Spans, Views

TOP_SIZES = (2, 3, 4)
DUPLICATE_SIZES = (5, 6, 7, 8, 9, 10)


def frac_chars_top_ngram(views: Views, n: int) -> Spans:
    """Characters of the most frequent n-gram times its count; 0 if none occurs twice.

    Of equally frequent ones the first in the text counts.
    """
    if len(views.normalized) < n:
        return views.document(0.0)
    groups = views.repeated.groups(n)
    at = np.flatnonzero(groups >= 0)
    if not len(at):
        return views.document(0.0)
    counts = np.bincount(groups[at])
    most = int(counts.max())
    first = int(at[counts[groups[at]] == most][0])
    ids = views.normalized.ids[first : first + n]
    length = int(views.normalized.lengths[ids].sum())
    return views.document(length * most / views.normalized.characters)


def frac_chars_duplicate_ngrams(views: Views, n: int) -> Spans:
    """Characters in any n-gram that occurs twice or more, each character counted once."""
    words = views.normalized
    if len(words) < n:
        return views.document(0.0)
    at = np.flatnonzero(views.repeated.groups(n) >= 0)
    if not len(at):
        return views.document(0.0)
    steps = np.zeros(len(words) + 1, np.int64)
    steps[at] += 1
    steps[at + n] -= 1
    covered = np.cumsum(steps[:-1]) > 0
    return views.share(int(words.lengths[words.ids[covered]].sum()), words.characters, 0.0)


def _of_size(signal: Callable[[Views, int], Spans], n: int) -> Callable[[Views], Spans]:
    def of_size(views: Views) -> Spans:
        return signal(views, n)

    of_size.__doc__ = f"n = {n}: {signal.__doc__}"
    return of_size


SIGNALS = {
    **{f"rps_doc_frac_chars_top_{n}gram": _of_size(frac_chars_top_ngram, n) for n in TOP_SIZES},
    **{
        f"rps_doc_frac_chars_dupe_{n}grams": _of_size(frac_chars_duplicate_ngrams, n)
        for n in DUPLICATE_SIZES
    },
}
