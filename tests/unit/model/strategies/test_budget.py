"""Budgets as they are written, and the watch."""

import threading
import time

import pytest

from midline.model.errors import UsageError
from midline.model.strategies.budget import UNLIMITED, Budget, Watch, parse_budget


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("5s", Budget(seconds=5)),
        (" 1.5 s", Budget(seconds=1.5)),
        ("500ms", Budget(seconds=0.5)),
        ("2m", Budget(seconds=120)),
        ("2000tok", Budget(tokens=2000)),
        ("10 tokens", Budget(tokens=10)),
    ],
)
def test_units(text: str, budget: Budget) -> None:
    assert parse_budget(text) == budget


@pytest.mark.parametrize("text", ["0s", "0tok", "0.0s", "00 tokens"])
def test_a_budget_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="leaves nothing to answer with; give more"):
        parse_budget(text)


@pytest.mark.parametrize("text", ["", "5", "-5s", "5h", "inf s", "1e9s", "tok", "5 s x", "９s x"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no budget; write seconds as 5s"):
        parse_budget(text)


@pytest.mark.parametrize("text", ["1.5tok", "99999999tok", "3601s"])
def test_numbers_out_of_range(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not a whole number|give less"):
        parse_budget(text)


def test_the_time_ends() -> None:
    with Watch(Budget(seconds=0.01)) as watch:
        assert watch.event.wait(10)
        assert watch.drawing.is_set()
        assert watch.reason == "budget"


def test_a_cancellation_is_passed_on() -> None:
    cancel = threading.Event()
    with Watch(Budget(seconds=1000), cancel) as watch:
        assert not watch.is_over
        cancel.set()
        assert watch.event.wait(10)
        assert watch.reason == "cancelled"


def test_without_a_limit_nothing_ends() -> None:
    with Watch(UNLIMITED) as watch:
        watch.end("budget")
        watch.end("cancelled")
    assert watch.reason == "budget"


def test_drawing_ends_before_the_time_so_that_candidates_can_be_executed() -> None:
    with Watch(Budget(seconds=1000), reserve=1000.0) as watch:
        deadline = time.monotonic() + 10
        while not watch.drawing.is_set() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert watch.drawing.is_set()
        assert not watch.is_over
        assert watch.reason == "budget"
