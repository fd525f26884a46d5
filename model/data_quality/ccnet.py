"""The CCNet signals of RedPajama-V2 that follow from the text or come with its record.

`original_length` and `original_nlines` are those before CCNet's deduplication of lines, and
`language_score` is its language identifier's: they are passed on from the record's metadata where
it has them, since the text alone does not tell.
"""

from midline.model.data_quality.views import Spans, Views


def length(views: Views) -> Spans:
    """Characters of the document."""
    return views.document(float(len(views)))


def line_count(views: Views) -> Spans:
    """Lines of the document."""
    return views.document(float(len(views.lines)))


SIGNALS = {"ccnet_length": length, "ccnet_nlines": line_count}
PASSED_ON = ("original_length", "original_nlines", "language_score")
"""Fields of a record's metadata that become the signals `ccnet_FIELD`."""
