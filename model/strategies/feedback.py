"""What a failed attempt did, in words for the model: the examples' calls, values and errors."""

from collections.abc import Sequence

from midline.model.strategies.examples import Check
from midline.model.strategies.programs import Observation

MOST_FAILURES = 3
_LONGEST = 160


def failures(checks: Sequence[Check], observed: Sequence[Observation]) -> list[str]:
    """A sentence for each check that failed, the first few."""
    failed = [(c, o) for c, o in zip(checks, observed, strict=True) if not o.passed]
    return [_sentence(check, found) for check, found in failed[:MOST_FAILURES]]


def _sentence(check: Check, found: Observation) -> str:
    call, expected = _short(check.call), _short(check.expected)
    if found.error:
        return f"`{call}` should give `{expected}`, but it ended with: {_short(found.error)}"
    return f"`{call}` should give `{expected}`, but it gave `{_short(found.value)}`"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
