"""Characters from logits, and capitals told by their height."""

import numpy as np
import pytest

from midline.model.vision.alphabet import CHARACTERS, CLASSES, class_of
from midline.model.vision.line_image import HEIGHT
from midline.model.vision.recognizer import Mark, load_recognizer, marks, settle_case


def logits(text: str, step: int = 5) -> np.ndarray:  # type: ignore[type-arg]
    found = np.zeros((step * len(text), CLASSES), np.float32)
    found[:, 0] = 8
    for n, character in enumerate(text):
        found[step * n + 2, class_of(character)] = 16
    return found


def test_characters_are_named_in_the_middle_of_their_frames() -> None:
    read = marks(logits("ab_"))
    assert [m.character for m in read] == ["a", "b", "_"]
    assert [m.at for m in read] == [5.0, 15.0, 25.0]
    assert all(m.probability > 0.99 for m in read)


def test_every_character_has_its_class_and_others_share_one() -> None:
    assert [CHARACTERS[class_of(c) - 1] for c in "aZ~…"] == list("aZ~…")
    assert class_of("я") == class_of("字") == CLASSES - 1


@pytest.mark.parametrize(("top", "letter"), [(5, "U"), (9, "u")])
@pytest.mark.parametrize("read", ["U", "u"])
def test_a_letter_of_the_same_form_is_told_by_its_height(top: int, letter: str, read: str) -> None:
    image = np.zeros((HEIGHT, 30), np.float32)
    image[top:17, 12:18] = 1
    word = [Mark(5, "q", 0.9), Mark(15, read, 0.6), Mark(25, "e", 0.9)]
    assert settle_case(word, image)[1].character == letter


def test_a_word_in_capitals_stays() -> None:
    word = [Mark(5, "A", 0.9), Mark(15, "U", 0.6), Mark(25, "E", 0.9)]
    assert settle_case(word, np.zeros((HEIGHT, 30), np.float32)) == word


def test_little_of_a_batch_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer, shapes = load_recognizer(1), list[tuple[int, ...]]()
    session = recognizer._session

    class Watched:
        def run(self, names: None, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:  # type: ignore[type-arg]
            shapes.append(feeds["lines"].shape)
            return session.run(names, feeds)

    monkeypatch.setattr(recognizer, "_session", Watched())
    widths = [30, 34, 700, 36, 800, 300, 310]
    recognizer.read([np.zeros((HEIGHT, width), np.float32) for width in widths])
    assert sum(count for count, _, _ in shapes) == len(widths)
    assert sum(count * width for count, _, width in shapes) <= 1.25 * sum(widths)
