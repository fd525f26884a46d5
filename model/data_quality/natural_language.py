"""The 15 natural-language signals of RedPajama-V2 that need no word list.

Definitions are those of arXiv 2411.12372, appendix D; normalized words are those of
`Views.normalized`, raw words those of `Views.raw`. A score is None where a document has no words.
The stop words, the brackets and the filler text are in `content.py`.
"""

import numpy as np

from midline.model.data_quality.views import (
    Spans,
    Views,
    code_points,
    count_by_line,
    has_property,
)

SYMBOLS = ("#", "...", "…")
ELLIPSES = ("...", "…")
TERMINAL_MARKS = frozenset(".!?”")
BULLETS = frozenset("•‣▶◀◦■□▪▫–")


def num_sentences(views: Views) -> Spans:
    r"""Matches of `\b[^.!?]+[.!?]*`: 0 and more.

    Equal to the number of runs without `.!?` that have a word character: of the stretches between
    those marks, the ones in which words begin are counted.
    """
    points = views.points
    marks = np.flatnonzero((points == ord(".")) | (points == ord("!")) | (points == ord("?")))
    stretches = np.searchsorted(marks, views.word_starts)
    changes = int((stretches[1:] != stretches[:-1]).sum())
    return views.document(float(changes + bool(len(stretches))))


def word_count(views: Views) -> Spans:
    """Normalized words: 0 and more (Gopher, arXiv 2112.11446)."""
    return views.document(float(len(views.normalized)))


def mean_word_length(views: Views) -> Spans:
    """Characters a normalized word (Gopher)."""
    return views.share(views.normalized.characters, len(views.normalized))


def symbol_to_word_ratio(views: Views) -> Spans:
    """Occurrences of `#`, `...` and `…` over raw words: 0 and more (Gopher)."""
    return views.share(sum(map(views.text.count, SYMBOLS)), len(views.raw))


def frac_lines_end_with_ellipsis(views: Views) -> Spans:
    """Share of the lines that end with `...` or `…`: 0 to 1 (Gopher)."""
    ending = 0
    if any(mark in views.text for mark in ELLIPSES):
        ending = sum(line.endswith(ELLIPSES) for line in views.stripped_lines)
    return views.share(ending, len(views.lines))


def frac_no_alph_words(views: Views) -> Spans:
    """Share of the raw words without an ASCII letter: 0 to 1 (Gopher)."""
    if not len(views.raw):
        return views.document(None)
    lower = views.points | 0x20
    is_letter = (lower >= ord("a")) & (lower <= ord("z"))
    with_letter = int(np.logical_or.reduceat(is_letter, views.raw_starts).sum())
    return views.share(len(views.raw) - with_letter, len(views.raw))


def frac_unique_words(views: Views) -> Spans:
    """Distinct over all normalized words: above 0, at most 1."""
    return views.share(len(views.normalized.distinct), len(views.normalized))


def unigram_entropy(views: Views) -> Spans:
    """Entropy of the distribution of normalized words, -Σ p ln p, in nats."""
    if not len(views.normalized):
        return views.document(None)
    p = views.normalized.counts / len(views.normalized)
    return views.document(float(-(p * np.log(p)).sum()) + 0.0)


def frac_all_caps_words(views: Views) -> Spans:
    """Share of the raw words in capitals: 0 to 1."""
    distinct = views.raw.distinct
    upper = np.fromiter(map(str.isupper, distinct), np.bool_, len(distinct))
    return views.share(int(views.raw.counts[upper].sum()), len(views.raw))


def lines_ending_with_terminal_mark(views: Views) -> Spans:
    """For each line 1 if it ends with one of `.!?”`, else 0 (C4, arXiv 1910.10683)."""
    ends = [line[-1:] in TERMINAL_MARKS for line in views.stripped_lines]
    return views.by_line(np.array(ends, np.float64))


def lines_javascript_counts(views: Views) -> Spans:
    """For each line, how many of its normalized words are "javascript" (C4)."""
    counts = np.zeros(len(views.lines))
    if "javascript" in views.folded and "javascript" in views.normalized.distinct:
        which = views.normalized.distinct.index("javascript")
        lines = np.repeat(np.arange(len(counts)), views.words_per_line)
        counts += np.bincount(lines[views.normalized.ids == which], minlength=len(counts))
    return views.by_line(counts)


def lines_num_words(views: Views) -> Spans:
    """For each line, how many normalized words it has (C4)."""
    return views.by_line(views.words_per_line.astype(np.float64))


def lines_numerical_chars_fraction(views: Views) -> Spans:
    """For each line, numeric characters over characters, after normalization: 0 to 1."""
    points = code_points(views.folded)
    numeric = has_property(points, "isnumeric")
    feeds = np.flatnonzero(points == ord("\n")) + 1
    starts = np.concatenate((np.zeros(1, np.int64), feeds))[: len(views.lines)]
    counts = count_by_line(numeric, starts)
    return views.by_line(counts / np.maximum(views.normalized_line_lengths(), 1))


def lines_start_with_bullet(views: Views) -> Spans:
    """For each line 1 if it begins with a bullet point, else 0 (Gopher).

    A document without lines has one span, without a score.
    """
    if not views.lines:
        return views.document(None)
    if views.text.isascii():  # no bullet point is
        return views.by_line(np.zeros(len(views.lines)))
    begins = [line[:1] in BULLETS for line in views.stripped_lines]
    return views.by_line(np.array(begins, np.float64))


def lines_uppercase_letter_fraction(views: Views) -> Spans:
    """For each line, capitals over characters, the line feed counted: 0 to 1."""
    upper = has_property(views.points, "isupper")
    counts = count_by_line(upper, views.line_starts)
    return views.by_line(counts / (views.line_ends - views.line_starts))


SIGNALS = {
    "rps_doc_num_sentences": num_sentences,
    "rps_doc_word_count": word_count,
    "rps_doc_mean_word_length": mean_word_length,
    "rps_doc_symbol_to_word_ratio": symbol_to_word_ratio,
    "rps_doc_frac_lines_end_with_ellipsis": frac_lines_end_with_ellipsis,
    "rps_doc_frac_no_alph_words": frac_no_alph_words,
    "rps_doc_frac_unique_words": frac_unique_words,
    "rps_doc_unigram_entropy": unigram_entropy,
    "rps_doc_frac_all_caps_words": frac_all_caps_words,
    "rps_lines_ending_with_terminal_punctution_mark": lines_ending_with_terminal_mark,
    "rps_lines_javascript_counts": lines_javascript_counts,
    "rps_lines_num_words": lines_num_words,
    "rps_lines_numerical_chars_fraction": lines_numerical_chars_fraction,
    "rps_lines_start_with_bulletpoint": lines_start_with_bullet,
    "rps_lines_uppercase_letter_fraction": lines_uppercase_letter_fraction,
}
"""By the names of RedPajama-V2, its spelling kept."""
