"""Filter files: which documents and lines are kept, by bounds of signals.

A filter is a TOML or JSON file:

    description = "What it is for"

    [[rule]]
    signal = "rps_doc_word_count"     # any signal of `midline corpus signals --list`
    min = 50                          # the document is dropped below
    max = 100000                      # or above
    reduce = "mean"                   # of the lines of a line signal: mean, max, min, sum, share
    above = 0.5                       # for share: the lines whose score is above this

    [[line_rule]]
    signal = "rps_lines_num_words"    # a line signal; the lines out of bounds are dropped
    min = 3

Rules apply in their order to the text that the line rules have left. A document without a score, of
a language without a grammar for instance, passes the rule.
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midline.model.data_quality.registry import Signal, check_name
from midline.model.data_quality.views import Spans, Views
from midline.model.errors import UsageError

FOLDER = Path(__file__).with_name("rules")
_REDUCTIONS: dict[str, Callable[[list[float]], float]] = {
    "mean": lambda scores: sum(scores) / len(scores),
    "sum": sum,
    "max": max,
    "min": min,
}
_RULE_KEYS = frozenset(("signal", "min", "max", "reduce", "above"))


@dataclass(frozen=True)
class Rule:
    """Bounds of one signal, both of them included."""

    signal: str
    least: float | None
    most: float | None
    reduce: str = "mean"
    above: float | None = None

    @property
    def name(self) -> str:
        """How the rule is reported: `signal >= 50`, for instance."""
        bounds = [f"{sign} {bound:g}" for sign, bound in ((">=", self.least), ("<=", self.most))
                  if bound is not None]  # fmt: skip
        how = f"share of {self.signal} > {self.above:g}" if self.above is not None else self.signal
        return f"{how} {' and '.join(bounds)}"

    def accepts(self, spans: Spans) -> bool:
        """Whether a document with these scores is kept."""
        scores = [score for _, _, score in spans if score is not None]
        if not scores:
            return True
        if self.above is not None:
            return self.holds(sum(score > self.above for score in scores) / len(scores))
        return self.holds(scores[0] if len(spans) == 1 else _REDUCTIONS[self.reduce](scores))

    def holds(self, score: float | None) -> bool:
        """Whether `score` is within the bounds, or none."""
        if score is None:
            return True
        return (self.least is None or score >= self.least) and (
            self.most is None or score <= self.most
        )


@dataclass(frozen=True)
class Filter:
    """Rules on documents and on lines."""

    name: str
    description: str
    rules: tuple[Rule, ...]
    line_rules: tuple[Rule, ...] = ()

    def verdict(self, views: Views, signals: Mapping[str, Signal]) -> "Verdict":
        """What is kept of a document, or the first rule that drops it."""
        kept = self._without_lines(views, signals) if self.line_rules else views
        if self.line_rules and views.text.strip() and not kept.text.strip():
            return Verdict(None, "no line is left", len(views.lines))
        dropped = len(views.lines) - len(kept.lines)
        for rule in self.rules:
            if not rule.accepts(signals[rule.signal](kept)):
                return Verdict(None, rule.name, dropped)
        return Verdict(kept.text, None, dropped)

    def _without_lines(self, views: Views, signals: Mapping[str, Signal]) -> Views:
        keep = [True] * len(views.lines)
        for rule in self.line_rules:
            spans = signals[rule.signal](views)
            if len(spans) == len(keep):
                keep = [k and rule.holds(s[2]) for k, s in zip(keep, spans, strict=True)]
        starts, ends = views.line_starts.tolist(), views.line_ends.tolist()
        pieces = [views.text[s:e] for s, e, k in zip(starts, ends, keep, strict=True) if k]
        return Views("".join(pieces), views.name, views.domain)


@dataclass(frozen=True)
class Verdict:
    """The text that is kept, or None and the rule that dropped it; and the lines dropped."""

    text: str | None
    rule: str | None
    lines: int = 0


def built_in() -> list[str]:
    """The names of the filters that come with Midline."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_filter(name: str, signals: Iterable[str]) -> Filter:
    """A filter that comes with Midline, or the one in a file.

    UsageError for a file that is none, and for a rule with an unknown signal or without bounds.
    """
    path = FOLDER / f"{name}.toml" if name in built_in() else Path(name)
    if not path.is_file():
        known = ", ".join(built_in())
        raise UsageError(f"there is no filter {name!r}; name a file or one of {known}")
    try:
        text = path.read_text("utf-8")
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not a filter file: {error}; see {FOLDER}") from error
    return parse_filter(path.stem, data, list(signals))


def parse_filter(name: str, data: Any, signals: list[str]) -> Filter:
    """A filter of the content of its file; UsageError as `load_filter` raises it."""
    if not isinstance(data, dict) or not (data.get("rule") or data.get("line_rule")):
        raise UsageError(f"filter {name} has no [[rule]] and no [[line_rule]]; give it one")
    found = {
        kind: tuple(_rule(name, entry, signals) for entry in _entries(name, data, kind))
        for kind in ("rule", "line_rule")
    }
    for rule in found["line_rule"]:
        if not rule.signal.startswith("rps_lines_"):
            raise UsageError(
                f"filter {name} has a [[line_rule]] with {rule.signal}, which scores documents; "
                "make it a [[rule]]"
            )
    return Filter(name, str(data.get("description", "")), found["rule"], found["line_rule"])


def _entries(name: str, data: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    entries = data.get(kind, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError(f"filter {name} has a {kind} that is no table; write [[{kind}]]")
    return entries


def _rule(name: str, entry: dict[str, Any], signals: list[str]) -> Rule:
    signal = entry.get("signal")
    if not isinstance(signal, str):
        raise UsageError(f"filter {name} has a rule without a signal; give it one")
    check_name(signals, signal)
    unknown = sorted(set(entry) - _RULE_KEYS)
    if unknown:
        raise UsageError(f"the rule of {signal} in filter {name} has {unknown[0]!r}, which is "
                         f"unknown; a rule has {', '.join(sorted(_RULE_KEYS))}")  # fmt: skip
    numbers = {key: _number(name, signal, entry, key) for key in ("min", "max", "above")}
    reduce = entry.get("reduce", "mean")
    if reduce not in (*_REDUCTIONS, "share") or (reduce == "share") != ("above" in entry):
        raise UsageError(f"the rule of {signal} in filter {name} reduces by {reduce!r}; it is one "
                         f"of {', '.join(_REDUCTIONS)}, or share with `above`")  # fmt: skip
    if numbers["min"] is None and numbers["max"] is None:
        raise UsageError(f"the rule of {signal} in filter {name} has no min and no max")
    return Rule(signal, numbers["min"], numbers["max"], reduce, numbers["above"])


def _number(name: str, signal: str, entry: dict[str, Any], key: str) -> float | None:
    value = entry.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise UsageError(f"{key} of {signal} in filter {name} is {value!r}; give a number")
    return float(value)
