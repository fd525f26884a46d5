"""The script of keys: what it writes, how its times are spread, and that it is repeatable."""

import statistics

from midline.benchmarks.quality.typing.rhythm import RHYTHMS, Kind, Rhythm

LINES = ("def f(value):", "    return value.total() + 1", "", "    # the end")


def written(strokes) -> str:
    text = ""
    for stroke in strokes:
        text = text[:-1] if stroke.kind is Kind.ERASE else text + stroke.text
    return text


def test_the_keys_write_the_lines_whatever_slips_there_are() -> None:
    slippery = Rhythm(slips=0.5)
    strokes = list(slippery.strokes(LINES, "seed"))
    assert sum(stroke.kind is Kind.SLIP for stroke in strokes) > 5
    assert written(strokes) == "\n" + "\n".join(LINES)


def test_the_rest_of_a_line_arrives_at_once() -> None:
    strokes = list(RHYTHMS["steady"].strokes(LINES, "seed", keys=3))
    assert written(strokes) == "\n" + "\n".join(LINES)
    assert next(s.text for s in strokes if s.kind is Kind.REST) == " f(value):"
    assert sum(stroke.kind is Kind.KEY for stroke in strokes) == 9


def test_a_seed_is_a_script_and_another_seed_another() -> None:
    human = RHYTHMS["human"]
    assert list(human.strokes(LINES, "a")) == list(human.strokes(LINES, "a"))
    assert list(human.strokes(LINES, "a")) != list(human.strokes(LINES, "b"))


def test_times_are_log_normal_about_their_medians() -> None:
    text = ["a" * 2000, *["b"] * 400]
    strokes = list(Rhythm(slips=0.0).strokes(text, "times"))
    keys = [stroke.seconds for stroke in strokes if stroke.kind is Kind.KEY]
    thinking = [stroke.seconds for stroke in strokes if stroke.kind is Kind.ENTER]
    assert 0.175 < statistics.median(keys) < 0.185
    assert 0.185 < statistics.mean(keys) < 0.195  # exp(0.3**2 / 2) times the median
    assert 1.12 < statistics.median(thinking) < 1.28
    assert strokes[0].kind is Kind.JUMP and strokes[0].seconds == 2.0


def test_pauses_come_behind_what_is_no_letter() -> None:
    strokes = list(Rhythm(slips=0.0).strokes(["a b" * 1000], "pauses"))
    keys = [stroke for stroke in strokes if stroke.kind is Kind.KEY]
    pauses = [stroke for stroke in keys if stroke.seconds > 0.6]
    assert 30 < len(pauses) < 90
    assert sum(stroke.text == " " for stroke in pauses) > 0.95 * len(pauses)


def test_a_steady_rhythm_has_nothing_but_its_medians() -> None:
    strokes = list(RHYTHMS["steady"].strokes(LINES, "seed"))
    assert {s.seconds for s in strokes if s.kind is Kind.KEY} == {0.18}
    assert not [stroke for stroke in strokes if stroke.kind is Kind.SLIP]
