"""The scorer, on screens made by hand."""

from dataclasses import replace
from typing import Any

import pytest

from midline.benchmarks.quality.typing.scores import (
    begins_right,
    compared,
    figures,
    found_of_oracle,
    has_nothing_in_common,
    is_exact,
    is_pause,
    is_wholly_wrong,
    judged,
    keystrokes,
    saved_keys,
)
from midline.benchmarks.quality.typing.session import Cost, Position

LINES = ["return total", "x = 1"]
TRUTH = "return total\n    x = 1"


def position(typed: int, line: int = 0, **changes: Any) -> Position:
    rest = LINES[line][typed:]
    truth = rest if line else f"{rest}\n    x = 1"
    states = changes.pop("states", [(0.0, "", "key")])
    one = Position("midline", "python", "a.py", 0, line, typed, "key", 0.2, truth, states)
    return replace(one, **changes)


def block(shown: dict[int, list[tuple[float, str, str]]], seconds: float = 0.2) -> list[Position]:
    """Positions of the whole block; `shown` are the states by the characters typed of line 0."""
    first = [
        position(n, states=shown.get(n, [(0.0, "", "key")]), seconds=seconds,
                 kind="key" if n else "enter")
        for n in range(len(LINES[0]) + 1)
    ]  # fmt: skip
    second = [position(n, 1, kind="key" if n else "enter") for n in range(len(LINES[1]) + 1)]
    return [*first, *second]


@pytest.mark.parametrize(
    ("text", "exact", "right", "wrong", "nothing"),
    [
        ("return total", True, True, False, False),
        ("return total\n    y = 2", True, True, False, False),
        ("return x", False, True, False, False),
        ("returns", False, False, False, True),
        ("total", False, False, True, False),
        ("pass", False, False, True, True),
        (" return total", False, False, True, False),
    ],
)
def test_texts_are_judged_by_their_first_line(
    text: str, exact: bool, right: bool, wrong: bool, nothing: bool
) -> None:
    assert is_exact(text, TRUTH) is exact
    assert begins_right(text, TRUTH) is right
    assert is_wholly_wrong(text, TRUTH) is wrong
    assert has_nothing_in_common(text, TRUTH) is nothing


def test_no_text_is_never_exact() -> None:
    assert not is_exact("", "\nx") and not is_exact("  ", "  \nx")


def test_a_pause_is_long_and_in_a_line_that_is_not_finished() -> None:
    assert is_pause(position(3, seconds=0.5))
    assert not is_pause(position(3, seconds=0.49))
    assert not is_pause(position(len(LINES[0]), seconds=2.0))
    assert not is_pause(position(3, seconds=2.0, kind="slip"))
    assert not is_pause(position(3, seconds=2.0, kind="erase"))


def test_the_screen_is_read_at_250_ms_and_at_the_end() -> None:
    states = [(0.0, "", "key"), (251.0, "eturn total", "appeared")]
    late = judged(position(1, seconds=1.0, states=states))
    assert (late["exact_in_time"], late["exact"], late["shown_after_ms"]) == (False, True, 251.0)
    states = [(0.0, "", "key"), (250.0, "eturn total", "appeared"), (900.0, "", "vanished")]
    gone = judged(position(1, seconds=1.0, states=states))
    assert (gone["exact_in_time"], gone["exact"], gone["shown_after_ms"]) == (True, False, None)


def test_keystrokes_leave_out_what_the_editor_indents() -> None:
    assert keystrokes("a\n    bc\n\n\td") == 7


def test_tab_saves_the_first_text_that_is_right() -> None:
    nothing, whole = saved_keys(block({}))
    assert (nothing, whole) == (0, 1 + len("return total") + 1 + len("x = 1"))
    wrong = [(0.0, "", "key"), (50.0, "eturn x", "appeared")]
    right = [(0.0, "", "key"), (50.0, "turn total", "appeared")]
    again = [(0.0, "", "key"), (50.0, "urn total", "appeared")]
    assert saved_keys(block({1: wrong}))[0] == 0
    # What comes behind the accepted text is counted, what lies in it is not.
    assert saved_keys(block({1: wrong, 2: right, 3: again}))[0] == len("turn total") - 1
    over_the_line = [(0.0, "", "key"), (50.0, "total\n    x = 1", "appeared")]
    assert saved_keys(block({7: over_the_line}))[0] == len("total\nx = 1") - 1


def test_a_short_right_text_counts_once_it_is_there() -> None:
    word = [(0.0, "", "key"), (50.0, "return", "appeared")]
    rest = [(0.0, "", "key"), (50.0, " total", "appeared")]
    assert saved_keys(block({0: word, 6: rest}))[0] == 5 + 5


def test_somebody_who_has_to_read_saves_less() -> None:
    flash = [(0.0, "", "key"), (100.0, "turn total", "appeared")]
    assert saved_keys(block({2: flash}), reading=250)[0] == 0
    # Typed along, the same text is on the screen for long enough at the next key.
    along = [(0.0, "urn total", "key")]
    assert saved_keys(block({2: flash, 3: along}), reading=250)[0] == len("urn total") - 1
    other = [(0.0, "", "key"), (150.0, "urn total", "appeared")]
    assert saved_keys(block({2: flash, 3: other}), reading=250)[0] == 0


def test_figures_count_pauses_flicker_and_costs() -> None:
    states = [(0.0, "", "key"), (90.0, "eturn total", "appeared")]
    flicker = [(0.0, "x", "key"), (90.0, "y", "changed"), (95.0, "", "vanished")]
    positions = [
        position(0, kind="enter", seconds=1.2, states=[(0.0, "", "key"), (50.0, "pass", "grew")]),
        position(1, seconds=0.6, states=states),
        position(2, seconds=0.7),
        position(3, states=flicker),
        position(4, kind="rest"),
    ]
    costs = [Cost("midline", "python", "a.py", 0, 4.0, 1.0, 12)]
    found = figures(positions, costs)
    assert (found["pauses"], found["keys"]) == (3, 4)
    assert found["shown_count"] == found["shown_in_time_count"] == 2
    assert found["exact_in_time"] == pytest.approx(1 / 3, abs=1e-4)
    assert (found["begins_right"], found["wholly_wrong"], found["flicker"]) == (0.5, 0.5, 0.5)
    assert (found["cores"], found["tokens_read_a_key"]) == (0.25, 3.0)
    unknown = figures(positions, [replace(costs[0], cpu_seconds=None, tokens_read=None)])
    assert (unknown["cores"], unknown["tokens_read"]) == (None, None)
    assert figures([], [])["exact"] is None


def test_prompt_tokens_are_counted_by_key_and_after_enter() -> None:
    read = {"key": (1, 2, 90), "enter": (30, 50), "slip": (700,)}
    positions = [
        replace(position(at, kind=kind), tokens_read=tokens)
        for kind, counts in read.items()
        for at, tokens in enumerate(counts)
    ]
    found = figures(positions, [])
    assert (found["median_read_a_key"], found["median_read_after_enter"]) == (2, 40)
    assert figures([position(0)], [])["median_read_a_key"] is None


def test_engines_are_compared_at_the_same_places() -> None:
    right = [(0.0, "", "key"), (100.0, "return total", "appeared")]
    first = block({0: right}, seconds=1.0)
    second = [replace(one, engine="llama.vim") for one in block({}, seconds=1.0)]
    found = compared(first, second)
    assert (found["exact_in_time"]["only_first"], found["exact_in_time"]["only_second"]) == (1, 0)
    assert found["saved_keys_ratio"] == {"blocks": 1, "ratio": None, "interval": None}
    same = compared(first, first)["saved_keys_ratio"]
    assert (same["ratio"], same["interval"]) == (1.0, [1.0, 1.0])


def test_the_oracle_says_what_could_have_been_shown() -> None:
    right = [(0.0, "", "key"), (0.0, "return total", "appeared")]
    late = [(0.0, "", "key"), (300.0, "return total", "appeared")]
    oracle = block({0: right, 1: [(0.0, "eturn total", "key")]}, seconds=1.0)
    shown = block({0: late, 1: [(0.0, "eturn total", "key")]}, seconds=1.0)
    found = found_of_oracle(shown, oracle)
    assert (found["found_in_time_count"], found["found_count"], found["found_in_time"]) == (
        1,
        2,
        0.5,
    )
