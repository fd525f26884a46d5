"""Baselines found by rows of ink: lines without letters, few lines, a single heading."""

import numpy as np
import pytest

from midline.model.vision.ink import Ink
from midline.model.vision.lines import find_lines, without_rules

X_HEIGHT, ASCENT, DESCENT = 8, 12, 3


def block(baselines: list[int], marks: list[int], rows: int) -> Ink:
    """Lines of letters that stand on rows, and lines of `^^^`, whose ink ends four rows above."""
    rng = np.random.default_rng(0)
    ink = np.zeros((rows, 400), np.float32)
    for y in baselines:
        for x in range(10, 300, 8):
            tall, deep = rng.random() < 0.25, rng.random() < 0.1
            top = y + 1 - (ASCENT if tall else X_HEIGHT)
            ink[top : y + 1 + (DESCENT if deep else 0), x : x + 2] = 1
            ink[y, x : x + 6] = ink[y + 1 - X_HEIGHT, x : x + 6] = 1
    for y in marks:
        for x in range(60, 200, 8):
            ink[y + 1 - ASCENT : y - 4, x : x + 4] = 1
    return ink


@pytest.mark.parametrize("leading", [16, 18, 22, 26])
def test_a_line_of_marks_stands_where_its_neighbours_say(leading: int) -> None:
    rows = [20 + leading * n for n in range(7)]
    ink = block([y for n, y in enumerate(rows) if n != 5], [rows[5]], rows[-1] + 30)
    found = find_lines(ink)
    assert [box.baseline for box in found] == pytest.approx([y + 1 for y in rows], abs=1.5)
    assert found[0].x_height == pytest.approx(X_HEIGHT, abs=1)


def test_marks_below_every_second_line_do_not_shift_lines() -> None:
    rows = [20 + 18 * n for n in range(13)]
    ink = block([y for y in rows if y not in rows[2::3]], rows[2::3], rows[-1] + 30)
    found = find_lines(ink)
    assert [box.baseline for box in found] == pytest.approx([y + 1 for y in rows], abs=1.5)


def test_a_single_heading_is_one_line() -> None:
    assert len(find_lines(block([30], [], 60))) == 1


def test_a_faint_frame_is_no_ink() -> None:
    ink = block([20, 40, 60, 80], [], 100)
    ink[:, -1] = 0.05
    ink[:, 0] = 0.5
    clean = without_rules(ink)
    assert not clean[:, 0].any() and not clean[:, -1].any()
    assert clean[20].any()
