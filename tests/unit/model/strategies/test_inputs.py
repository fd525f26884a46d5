"""Calls that tell candidates apart."""

import pytest

from midline.model.strategies.examples import Check
from midline.model.strategies.inputs import altered_calls


def test_literals_are_altered_one_at_a_time_and_nothing_is_expected() -> None:
    found = altered_calls((Check("f(3, 'ab')", "1"),), "python", 50)
    calls = [check.call for check in found]
    assert {"f(4, 'ab')", "f(0, 'ab')", "f(-3, 'ab')", "f(3, 'ba')", "f(3, '')"} <= set(calls)
    assert "f(3, 'ab')" not in calls
    assert all(check.expected == "" for check in found)
    assert found == altered_calls((Check("f(3, 'ab')", "1"),), "python", 50)


def test_lists_and_what_has_no_literals() -> None:
    calls = [c.call for c in altered_calls((Check("f([1, 2])", "3"),), "python", 50)]
    assert {"f([2, 1])", "f([])", "f([2])"} <= set(calls)
    assert altered_calls((Check("f(x)", "1"),), "python", 5) == ()
    assert altered_calls((), "python", 5) == ()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_no_more_than_asked_for(count: int) -> None:
    assert len(altered_calls((Check("f(1, 2, 3)", "6"),), "python", count)) == count


def test_javascript_has_numbers_altered() -> None:
    calls = [c.call for c in altered_calls((Check('f([1, 20], "3")', "6"),), "javascript", 9)]
    assert calls[:2] == ['f([2, 20], "3")', 'f([1, 21], "3")']
