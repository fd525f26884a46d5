"""RedPajama-V2's own signals, from a checkout of togethercomputer/RedPajama-Data.

Nothing of the checkout is changed but one function: within `Reference.stable_hash` the hash of
importance weights, which is Python's and salted in each process, is Midline's, without which no two
runs agree. Times are taken with its own.
"""

import importlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from midline.benchmarks.quality.signals.documents import Document
from midline.model.data_quality.content import WordLists
from midline.model.data_quality.importance import BUCKETS
from midline.model.data_quality.views import Ints, Spans, pair_hash, word_hash
from midline.model.errors import UsageError

LANGUAGE = "en"
_MODULES = (
    "content", "natural_language", "repetitions", "lines", "importance_weights",
    "utils.dsir",
)  # fmt: skip
PACKAGES = ("nltk==3.8.1", "msgspec", "scipy")
"""What RedPajama's modules import besides NumPy; nltk as of the data set."""


class Reference:
    """The signal functions of a checkout, with word lists and importance counts of ours."""

    def __init__(self, checkout: Path, lists: WordLists, target: Ints, source: Ints) -> None:
        """UsageError if `checkout` is none or what it imports is missing."""
        self._modules = _load(checkout)
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        (folder / f"{LANGUAGE}.txt").write_text("\n".join(sorted(lists.blocked)), "utf-8")
        (folder / "domain_to_category_id.json").write_text(json.dumps({}))
        counts = [_save_counts(folder, "wikipedia", target), _save_counts(folder, "ccnet", source)]
        self._signals = self._callables(folder, *counts)
        for signal in self._signals:
            if hasattr(signal, "_stop_words"):
                signal._stop_words = lists.stop_words

    def _callables(self, folder: Path, target: Any, source: Any) -> list[Callable[[Any], Spans]]:
        modules = self._modules
        found = modules["content"].register_content_callables(LANGUAGE, str(folder), str(folder))
        found += modules["repetitions"].register_repetitions_callables()
        found += modules["natural_language"].register_natural_language_callables()
        found += modules["lines"].register_lines_callables()
        weights = modules["importance_weights"]
        kind = weights.RPS_Doc_Wikipedia_Importance
        return [*found, kind(wiki_fps=target, source_fps=source, language=LANGUAGE)]

    @contextmanager
    def stable_hash(self) -> Iterator[None]:
        """While it lasts, features are hashed as Midline does it."""
        dsir = self._modules["utils.dsir"]
        own = dsir.compute_hash
        dsir.compute_hash = stable_bucket
        try:
            yield
        finally:
            dsir.compute_hash = own

    def compute(self, document: Document) -> dict[str, Spans]:
        """Every signal of the document, as RedPajama's worker computes it."""
        views = self._modules["document"].Document(
            document.text, domain=None, precompute_ngrams=True, precompute_hash_features=True,
            dsir_buckets=BUCKETS,
        )  # fmt: skip
        return {signal.field_name: signal(views) for signal in self._signals}  # type: ignore[attr-defined]


def stable_bucket(ngram: str | tuple[str, str], buckets: int) -> int:
    """The bucket of a feature in Midline's importance weights."""
    if isinstance(ngram, str):
        return word_hash(ngram) % buckets
    first, second = (np.array([word_hash(word)], np.uint64) for word in ngram)
    return int(pair_hash(first, second)[0] % np.uint64(buckets))


def _load(checkout: Path) -> dict[str, Any]:
    source = checkout / "app" / "src"
    if not (source / "core" / "quality_signals").is_dir():
        raise UsageError(
            f"{checkout} is no checkout of togethercomputer/RedPajama-Data; clone it and name its "
            "folder"
        )
    sys.path.insert(0, str(source))
    try:
        loaded = {
            name: importlib.import_module(f"core.quality_signals.{name}") for name in _MODULES
        }
        loaded["document"] = importlib.import_module("core.document")
    except ImportError as error:
        raise UsageError(
            f"RedPajama's code cannot be imported ({error}); pip install {' '.join(PACKAGES)}"
        ) from error
    finally:
        sys.path.remove(str(source))
    return loaded


def _save_counts(folder: Path, name: str, counts: Ints) -> tuple[str, None]:
    path = folder / f"{name}.{LANGUAGE}.{BUCKETS}.counts.npy"
    np.save(path, counts)
    return str(path), None
