"""What is learned of the rhythm of typing, and when it has paused."""

import itertools

from midline.server.lsp.typing_rhythm import TypingRhythm


def typed(rhythm: TypingRhythm, *intervals: float, begin: float = 0.0) -> float:
    """Keys at these intervals; the time of the last one."""
    times = list(itertools.accumulate(intervals, initial=begin))
    for time in times:
        rhythm.key(time)
    return times[-1]


def test_the_interval_follows_the_keys_and_not_the_pauses() -> None:
    rhythm = TypingRhythm()
    typed(rhythm, *[0.1] * 50, 30.0, *[0.1] * 3)
    assert abs(rhythm.interval - 0.1) < 0.01


def test_a_pause_is_longer_than_the_intervals_of_the_person() -> None:
    for interval in (0.08, 0.2, 0.4):
        rhythm = TypingRhythm()
        last = typed(rhythm, *[interval] * 50)
        assert last + interval < rhythm.pause_at < last + 4 * interval


def test_who_thinks_at_line_starts_has_paused_there_at_once() -> None:
    rhythm, now = TypingRhythm(), 0.0
    for _ in range(5):
        now = typed(rhythm, *[0.2] * 10, begin=now + 1.5) + 0.2
        rhythm.key(now, ends_line=True)
    assert rhythm.pause_at == now
    rhythm.key(now + 1.5)
    assert rhythm.pause_at > now + 1.5


def test_who_types_on_at_line_starts_has_not_paused_there() -> None:
    rhythm, now = TypingRhythm(), 0.0
    for _ in range(5):
        now = typed(rhythm, *[0.2] * 10, begin=now + 0.2) + 0.2
        rhythm.key(now, ends_line=True)
    assert rhythm.pause_at > now + 0.2


def test_a_clock_that_jumps_changes_nothing() -> None:
    rhythm = TypingRhythm()
    typed(rhythm, *[0.2] * 20)
    before = rhythm.interval
    rhythm.key(-1e9)
    rhythm.key(1e9, ends_line=True)
    rhythm.key(-1e9)
    assert rhythm.interval == before
    assert rhythm.pause_at < 0
