"""Frames: what is understood, and what is refused in one sentence."""

import pytest

from midline.model.errors import UsageError
from midline.model.intents.prediction import Prediction
from midline.model.intents.student import load_student
from midline.model.intents.utterance import Slot, Utterance
from midline.server.routing.frame import read_frame


def test_a_frame_says_what_was_understood() -> None:
    frame = read_frame("rename foo to bar in utils.py", load_student())
    assert frame.sentence() == "rename: symbol foo, new name bar, path utils.py"
    assert frame.as_json()["slots"] == {"symbol": "foo", "new_name": "bar", "path": "utils.py"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("   \n", "is empty"),
        ("rename " * 2000, "has 13999 characters"),
        ("benutze bitte ein anderes Wort", "not in English"),
        ("请帮我打开文件", "not in English"),
        ("how is the weather in rome", "nothing that Midline does"),
        ("rename foo to bar and then open main.py", "these are 2 commands"),
        ("rename load_a to load_b and run the tests", r"2 commands \(rename, run_tests\)"),
        ("rename load_a to load_b, then rename save_a to save_b", r"2 commands \(rename, rename\)"),
        ("rename load_a to load_b; rename save_a to save_b", r"2 commands \(rename, rename\)"),
        ("explain parse_row, then write tests for it", r"2 commands \(explain, tests\)"),
        ("rename load_a to load_b and save_a to save_b", "load_b and save_b are named at once"),
        ("write tests for parse_row and load_rows", "parse_row and load_rows are named at once"),
        ("set temperature to 0.2 and max tokens to 64", "temperature and max tokens are named"),
    ],
)
def test_what_is_no_command_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_frame(text, load_student())


@pytest.mark.parametrize(
    "text",
    [
        "write a function that sorts and prints a list",
        'search for "open and close"',
        "find the bug in parse_row and fix it",
        "explain this error and tell me how to fix it",
        "find parse_row in src and tests",
        "generate a script that builds the project and runs the tests",
        "write a function that plays and pauses a song",
    ],
)
def test_one_command_with_an_and_in_it_is_one(text: str) -> None:
    assert read_frame(text, load_student()).text == text


def test_two_settings_that_nothing_joins_are_one_reading() -> None:
    frame = read_frame("change completion length with 4 samples", _Reader())
    assert frame.slots == {"setting": "completion length"}


class _Reader:
    """A model that takes two pieces of every sentence for settings."""

    def predict(self, text: str) -> Prediction:
        places = (text.index("completion length"), text.index("samples"))
        slots = (Slot("setting", places[0], places[0] + 17), Slot("setting", places[1], len(text)))
        return Prediction(Utterance(text, "configure", slots), 0.9, 0.1)


def test_quotes_and_a_path_with_spaces() -> None:
    frame = read_frame('open "my notes/big plan.md"', load_student())
    assert frame.slots == {"path": "my notes/big plan.md"}
