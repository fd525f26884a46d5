"""What is read in two small screens, and in pictures that have nothing to read."""

from pathlib import Path

import numpy as np
import pytest

from midline.model.cancellation import Cancellation
from midline.model.vision.failure import find_failure
from midline.model.vision.ink import Ink
from midline.model.vision.opening import Picture, PictureError, open_picture
from midline.model.vision.reader import find_panes, pane_of, read_closely, read_screen
from midline.model.vision.recognizer import Mark, load_recognizer

SCREENS = Path(__file__).parents[3] / "data" / "screens"
TRACEBACK = """\
Traceback (most recent call last):
  File "/home/anna/shop/app.py", line 12, in <module>
    main()
  File "/home/anna/shop/billing/invoice.py", line 7, in total_of
    return sum(row["price"] * row["count"] for row in rows)
               ~~~^^^^^^^^^
KeyError: 'price'"""
CODE = """\
def rate_of(country):
    table = {"de": 0.19, "fr": 0.2}
    return table.get(country, 0.0)


class Cart:
    def add(self, item, count=1):
        self.items[item] = count"""


@pytest.fixture(scope="module")
def editor() -> Picture:
    return open_picture(SCREENS / "editor.png")


def test_the_pane_with_the_error_is_selected_and_read(editor: Picture) -> None:
    screen = read_screen(editor, load_recognizer(1))
    assert screen.text == TRACEBACK
    failure = find_failure(screen.text)
    assert failure is not None and failure.exception == "KeyError"


def test_no_line_is_recognized_twice(editor: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a glance has read of the selected pane is not read again."""
    recognizer, counts = load_recognizer(1), list[int]()
    read = recognizer.read

    def counted(images: list[Ink], cancel: Cancellation | None = None) -> list[list[Mark]]:
        counts.append(len(images))
        return read(images, cancel)

    monkeypatch.setattr(recognizer, "read", counted)
    read_screen(editor, recognizer)
    glanced, closely = counts
    assert closely == 0
    assert glanced == sum(len(pane.boxes) for pane in find_panes(editor))


def test_panes_are_kept_apart_and_line_numbers_removed(editor: Picture) -> None:
    screen = read_screen(editor, load_recognizer(1), everything=True)
    texts = {pane.text.text for pane in screen.panes}
    assert len(screen.panes) == 3
    assert {TRACEBACK, CODE} <= texts
    numbers = next(pane.text.numbers for pane in screen.panes if pane.text.text == CODE)
    assert numbers == list(range(41, 49))


def test_what_was_asked_about_is_selected_too(editor: Picture) -> None:
    screen = read_screen(editor, load_recognizer(1), asked="what is in the table of rate_of?")
    assert CODE in [pane.text.text for pane in screen.panes]


def test_code_keeps_its_indentation_and_empty_lines() -> None:
    picture = open_picture(SCREENS / "code.png")
    assert read_screen(picture, load_recognizer(1)).text == CODE


def test_dark_on_light_and_light_on_dark_read_the_same() -> None:
    picture = open_picture(SCREENS / "code.png")
    assert read_screen(255 - picture, load_recognizer(1)).text == CODE


def test_what_is_outside_a_region_does_not_change_its_reading(editor: Picture) -> None:
    """True containment: neither lines nor crops of a region take a pixel from beside it."""
    region = find_panes(editor)[-1].region
    altered = np.random.default_rng(0).integers(0, 255, editor.shape, dtype=np.uint8)
    altered[region.top : region.bottom, region.left : region.right] = region.of(editor)
    read = read_closely([pane_of(altered, region)], load_recognizer(1))
    assert read[0].text.text == TRACEBACK


def test_letters_of_another_script_leave_the_rest_as_it_is() -> None:
    """Cyrillic in a comment and in the message; what looks like Latin letters is read as such."""
    text = read_screen(open_picture(SCREENS / "two_scripts.png"), load_recognizer(1)).text
    failure = find_failure(text)
    assert failure is not None and failure.exception == "ValueError"
    assert [(each.file, each.line, each.function) for each in failure.frames] == [
        ("/home/anna/shop/app.py", 12, "<module>"),
        ("/home/anna/shop/billing/invoice.py", 7, "total_of"),
    ]
    assert "\ufffd" in text


@pytest.mark.parametrize("kind", ["plain", "gradient", "noise", "shapes", "photograph"])
def test_a_picture_without_text_is_one_sentence(kind: str) -> None:
    with pytest.raises(PictureError, match="no text"):
        read_screen(textless(kind), load_recognizer(1))


def textless(kind: str) -> Picture:
    rng = np.random.default_rng(0)
    picture = np.full((300, 400, 3), 200, np.uint8)
    if kind == "gradient":
        picture[:] = np.linspace(0, 255, 400, dtype=np.uint8)[None, :, None]
    if kind == "noise":
        picture = rng.integers(0, 255, picture.shape, dtype=np.uint8)
    if kind == "photograph":
        colours = rng.integers(0, 255, (7, 9, 3))
        rows, columns = np.mgrid[:300, :400]
        soft = colours[rows // 50, columns // 50] * 0.5
        for shift in (12, 25, 37):
            soft += colours[(rows + shift) // 50, (columns + shift) // 50] / 6
        picture = np.clip(soft + rng.normal(0, 4, soft.shape), 0, 255).astype(np.uint8)
    if kind == "shapes":
        rows, columns = np.mgrid[:300, :400]
        for _ in range(12):
            y, x, r = rng.integers(0, 300), rng.integers(0, 400), rng.integers(20, 90)
            inside = (rows - y) ** 2 + (columns - x) ** 2 < r * r
            picture[inside] = rng.integers(0, 255, 3)
    return picture
