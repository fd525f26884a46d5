"""Ghost text: what keys leave of it, and what answers make of it."""

import pytest

from midline.benchmarks.quality.typing.screen import FLICKER, Cause, Screen


def test_keys_that_agree_leave_the_rest_and_others_nothing() -> None:
    screen = Screen()
    screen.answered("return x", 1.0)
    screen.typed("r", 1.2)
    assert screen.text == "eturn x"
    screen.typed("et", 1.4)
    assert screen.text == "urn x"
    screen.typed("X", 1.6)
    assert screen.text == ""
    assert [(state.text, state.cause) for state in screen.states] == [("", Cause.KEY)]


def test_moving_and_erasing_hide_it() -> None:
    screen = Screen()
    screen.answered("x", 1.0)
    screen.moved(1.5)
    assert (screen.text, screen.states[0].at) == ("", 1.5)


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        ("", "x", Cause.APPEARED),
        ("", "", Cause.KEPT),
        ("x", "x", Cause.KEPT),
        ("x", "xy", Cause.GREW),
        ("xy", "x", Cause.CHANGED),
        ("x", "y", Cause.CHANGED),
        ("x", "", Cause.VANISHED),
    ],
)
def test_an_answer_replaces_what_is_shown(before: str, after: str, cause: Cause) -> None:
    screen = Screen(before)
    screen.answered(after, 2.0)
    assert screen.text == after
    assert screen.states[-1].cause is cause
    assert (cause in FLICKER) == (cause in (Cause.CHANGED, Cause.VANISHED))
