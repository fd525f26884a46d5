"""Midline's own state in words: languages, values, and how long a pause is."""

import pytest

from midline.server.routing.actions.control import configure, pause, resume
from midline.server.routing.frame import Frame
from midline.server.routing.outcome import QuestionError

NAMES = ("temperature", "maxTokens", "enabled", "disabledLanguages", "threads")


def frame(intent: str, text: str, **slots: str) -> Frame:
    return Frame(intent, slots, text, 1.0)


@pytest.mark.parametrize(
    ("text", "setting", "change"),
    [
        ("turn off completions in markdown files", "completions in markdown", {"add": "markdown"}),
        ("turn off completions for C++", "completions for C++", {"add": "cpp"}),
        ("turn on suggestions in ts files", "suggestions in ts files", {"remove": "typescript"}),
        (
            "enable completions for python again",
            "completions for python again",
            {"remove": "python"},
        ),
        ("disable completions in dart", "completions in dart", {"add": "dart"}),
    ],
)
def test_a_language_is_known_by_its_names(text: str, setting: str, change: dict[str, str]) -> None:
    control = configure(frame("configure", text, setting=setting), NAMES)
    assert control.settings == {"disabledLanguages": change}


def test_what_is_no_language_is_asked_for() -> None:
    text = "turn off completions in comments"
    with pytest.raises(QuestionError, match="no language is called comments; in which one"):
        configure(frame("configure", text, setting="completions in comments"), NAMES)


@pytest.mark.parametrize("value", ["-5", "minus 5", "- 5"])
def test_a_value_keeps_its_sign(value: str) -> None:
    asked = frame("configure", f"set max tokens to {value}", setting="max tokens", value=value)
    assert configure(asked, NAMES).settings == {"maxTokens": -5}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("2k", 2000),
        ("64 tokens", 64),
        ("20%", 0.2),
        ("2 gb", 2048),
        ("two", 2),
        ("3 bananas", "3 bananas"),
    ],
)
def test_a_unit_is_understood_or_kept(value: str, kept: object) -> None:
    asked = frame("configure", f"set threads to {value}", setting="threads", value=value)
    assert configure(asked, NAMES).settings == {"threads": kept}


def test_a_pause_that_names_a_language_is_of_that_language() -> None:
    off = pause(frame("pause", "disable completions for python"))
    on = resume(frame("resume", "enable completions for python again"))
    assert off.settings == {"disabledLanguages": {"add": "python"}}
    assert on.settings == {"disabledLanguages": {"remove": "python"}}
    with pytest.raises(QuestionError, match="completions in python are off for good"):
        pause(frame("pause", "pause completions in python for an hour", duration="an hour"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("pause", None),
        ("pause for a while", None),
        ("pause until i say so", None),
        ("pause for 10 minutes", 600),
        ("stop suggestions for half an hour", 1800),
    ],
)
def test_how_long_a_pause_is(text: str, seconds: float | None) -> None:
    control = pause(frame("pause", text))
    assert (control.settings, control.seconds) == ({"enabled": False}, seconds)


@pytest.mark.parametrize("text", ["snooze until tomorrow", "pause until 5pm", "pause for 5"])
def test_an_end_that_is_not_understood_is_asked_for(text: str) -> None:
    with pytest.raises(QuestionError, match="for how long is it to be"):
        pause(frame("pause", text))
