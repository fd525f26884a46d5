"""Speeds are measured once and kept."""

from collections.abc import Callable
from pathlib import Path

from fake_engine import FakeEngine

from midline.model.strategies.speed import Speed, known_speed, measure_speed, speeds_file


def test_a_kept_speed_is_not_measured_again(
    home: Path, engine_of: Callable[..., FakeEngine]
) -> None:
    engine = engine_of("x" * 40)
    first = known_speed(engine)
    asked = len(engine.asked)
    assert asked > 0
    assert known_speed(engine) == first
    assert len(engine.asked) == asked
    other = engine_of("x" * 40, name="other")
    known_speed(other)
    assert len(other.asked) == asked


def test_a_damaged_file_is_replaced(home: Path, engine_of: Callable[..., FakeEngine]) -> None:
    speeds_file().parent.mkdir(parents=True)
    speeds_file().write_text("[1")
    speed = known_speed(engine_of("x" * 40))
    assert Speed.from_dict(speed.as_dict()) == speed
    assert known_speed(engine_of("x" * 40)) == speed


def test_rows_are_measured_with_as_many_samples(engine_of: Callable[..., FakeEngine]) -> None:
    engine = engine_of("x" * 40)
    speed = measure_speed(engine, rows=(1, 3))
    assert [options.samples for options in engine.options] == [1, 1, 3]
    assert [rows for rows, _ in speed.steps] == [1, 3]
