"""The time of datatrove's Gopher filters, which compute the like of the Gopher signals.

Their thresholds are put where no document is dropped, so that every rule is computed as every
signal is. Words are those of its default tokenizer for English, spaCy's.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from midline.benchmarks.quality.signals.documents import Document
from midline.model.errors import UsageError

NEVER = 1e9


def gopher_filters() -> Callable[[Document], None]:
    """A function that runs both filters on a document; UsageError without datatrove and spaCy."""
    try:
        from datatrove.data import Document as Theirs
        from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter

        quality = GopherQualityFilter(
            min_doc_words=1, max_doc_words=10**9, min_avg_word_length=1e-9,
            max_avg_word_length=NEVER, max_symbol_word_ratio=NEVER, max_bullet_lines_ratio=NEVER,
            max_ellipsis_lines_ratio=NEVER, max_non_alpha_words_ratio=1e-9, min_stop_words=0,
        )  # fmt: skip
        repetition = GopherRepetitionFilter(
            NEVER, NEVER, NEVER, NEVER, tuple((n, NEVER) for n in (2, 3, 4)),
            tuple((n, NEVER) for n in range(5, 11)),
        )  # fmt: skip
        quality.filter(Theirs("a first document", "0"))
    except ImportError as error:
        raise UsageError(f"{error}: pip install 'midline[pipeline]' spacy") from error

    def both(document: Document) -> None:
        theirs = Theirs(document.text, document.name)
        quality.filter(theirs)
        repetition.filter(theirs)

    return both


def paired_seconds(
    documents: Sequence[Document],
    theirs: Callable[[Document], None],
    own: Callable[[Document], Any],
) -> list[tuple[float, float]]:
    """CPU seconds of `own` and of `theirs` for each document, in turns."""
    pairs = []
    for number, document in enumerate(documents):
        seconds: dict[str, float] = {}
        sides: list[tuple[str, Callable[[Document], Any]]] = [("theirs", theirs), ("own", own)]
        for side, function in sides if number % 2 else sides[::-1]:
            start = time.thread_time()
            function(document)
            seconds[side] = time.thread_time() - start
        pairs.append((seconds["own"], seconds["theirs"]))
    return pairs
