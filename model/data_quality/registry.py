"""All signals by name, and the one pass that computes them.

The names are those of RedPajama-V2 where it has the signal (`rps_...`, `ccnet_...`), `code_...` for
those of code, and `NAME_importance`, `ml_NAME_score` and `ccnet_perplexity` for trained models.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from midline.model.data_quality import (
    ccnet,
    code_syntax,
    code_text,
    content,
    natural_language,
    repetition,
)
from midline.model.data_quality.classifier import QualityClassifier
from midline.model.data_quality.content import WordLists
from midline.model.data_quality.importance import ImportanceModel
from midline.model.data_quality.ngram_model import BUCKET_NAMES, NgramModel
from midline.model.data_quality.views import Spans, Views
from midline.model.errors import UsageError

Signal = Callable[[Views], Spans]


@dataclass(frozen=True)
class Models:
    """What has been trained on the user's texts, by the name that the signals get."""

    importance: Mapping[str, ImportanceModel] = field(default_factory=dict)
    classifiers: Mapping[str, QualityClassifier] = field(default_factory=dict)
    ngrams: NgramModel | None = None


def text_signals(lists: WordLists | None = None) -> dict[str, Signal]:
    """The signals of RedPajama-V2 that need no trained model, in its order."""
    found = lists or WordLists()
    return {
        **ccnet.SIGNALS,
        **{name: _with_lists(signal, found) for name, signal in content.SIGNALS.items()},
        **natural_language.SIGNALS,
        **repetition.SIGNALS,
    }


def code_signals() -> dict[str, Signal]:
    """The signals of source code."""
    return {**code_text.SIGNALS, **code_syntax.SIGNALS}


def model_signals(models: Models) -> dict[str, Signal]:
    """The signals that trained models give."""
    found: dict[str, Signal] = {
        f"{name}_importance": model.signal for name, model in models.importance.items()
    }
    found |= {f"ml_{name}_score": model.signal for name, model in models.classifiers.items()}
    if models.ngrams is not None:
        found["ccnet_perplexity"] = models.ngrams.signal
        found["ccnet_bucket"] = _bucket(models.ngrams)
    return found


def all_signals(lists: WordLists | None = None, models: Models | None = None) -> dict[str, Signal]:
    """Every signal that can be computed with what is given."""
    return {**text_signals(lists), **code_signals(), **model_signals(models or Models())}


def chosen(signals: Mapping[str, Signal], names: Iterable[str]) -> dict[str, Signal]:
    """The signals `names`; UsageError for one that is unknown, with those that are alike."""
    wanted = list(names)
    for name in wanted:
        check_name(signals, name)
    return {name: signals[name] for name in wanted}


def check_name(signals: Iterable[str], name: str) -> None:
    """Raises UsageError if `name` is none of `signals`."""
    known = list(signals)
    if name not in known:
        import difflib

        near = difflib.get_close_matches(name, known, 3, 0.4) or known[:3]
        raise UsageError(
            f"there is no signal {name!r}; did you mean {', '.join(near)}? "
            "`midline corpus signals --list` lists all"
        )


def compute(views: Views, signals: Mapping[str, Signal]) -> dict[str, Spans]:
    """The spans of every signal for one document."""
    return {name: signal(views) for name, signal in signals.items()}


def _with_lists(signal: Callable[[Views, WordLists], Spans], lists: WordLists) -> Signal:
    def bound(views: Views) -> Spans:
        return signal(views, lists)

    bound.__doc__ = signal.__doc__
    return bound


def _bucket(model: NgramModel) -> Signal:
    def bucket(views: Views) -> Spans:
        """The bucket of the document's perplexity: 0 head, 1 middle, 2 tail."""
        score = model.signal(views)[0][2]
        name = None if score is None else float(BUCKET_NAMES.index(model.bucket(score)))
        return views.document(name)

    return bucket
