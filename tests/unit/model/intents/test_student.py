"""The student: it is made from the templates that are here, and holds for whatever it is given."""

from importlib import resources

import pytest

from midline.model.intents.student import (
    learn,
    load_student,
    sources_sha256,
    student_bytes,
    student_from_bytes,
    template_utterances,
)
from midline.model.intents.utterance import read_augmented


def test_the_shipped_weights_are_of_the_templates_that_are_here() -> None:
    path = resources.files("midline.model.intents") / "data" / "student.npz"
    sources = student_from_bytes(path.read_bytes())[1]
    assert sources == sources_sha256(), "`midline-bench quality intents --write-student` is due"


@pytest.mark.parametrize(
    ("text", "intent", "slots"),
    [
        ("rename foo to bar in utils.py", "rename",
         (("symbol", "foo"), ("new_name", "bar"), ("path", "utils.py"))),
        ("explain parse_header", "explain", (("symbol", "parse_header"),)),
        ("pause for 10 minutes", "pause", (("duration", "10 minutes"),)),
        ("wie wird das Wetter in Berlin", "out_of_scope", ()),
        ("order a pizza", "out_of_scope", ()),
    ],
)  # fmt: skip
def test_it_understands_plain_commands(
    text: str, intent: str, slots: tuple[tuple[str, str], ...]
) -> None:
    prediction = load_student().predict(text)
    assert prediction.utterance.intent == intent
    assert prediction.utterance.values() == slots


@pytest.mark.parametrize("text", ["", " ", "?", "a" * 10_000, "x " * 5_000, "\0\ud800 \u202e"])
def test_any_text_has_a_prediction(text: str) -> None:
    prediction = load_student().predict(text)
    assert 0 <= prediction.outside <= 1
    assert prediction.utterance.text == text


def test_a_student_is_what_it_was_after_a_file() -> None:
    lines = [
        "((open)) open [a.py|path]", "((open)) open [b.py|path]", "((status)) status",
        "((status)) what is your status", "((rename)) rename [a|symbol] to [b|new_name]",
    ]  # fmt: skip
    student = learn(read_augmented(lines), epochs=(20, 10))
    again, _ = student_from_bytes(student_bytes(student))
    for text in ("open a.py", "status", "rename a to b"):
        before, after = student.predict(text), again.predict(text)
        assert before.utterance == after.utterance
        assert before.confidence == pytest.approx(after.confidence, abs=0.02)


def test_the_templates_give_the_same_utterances_each_time_and_every_label() -> None:
    utterances = template_utterances()
    assert utterances == template_utterances()
    student = load_student()
    assert {u.intent for u in utterances} == set(student.intents)
    named = {slot.name for u in utterances for slot in u.slots}
    assert named == {tag[2:] for tag in student.tags if tag != "O"}


@pytest.mark.parametrize(
    "text", ["find mean", "where is mean defined", "where is mean defined?", "find mean in a.py"]
)
def test_a_plain_word_may_be_a_name(text: str) -> None:
    found = load_student().predict(text).utterance
    assert found.intent == "search"
    assert "mean" in dict(found.values()).values()


@pytest.mark.parametrize("text", ["find me a song", "what is the meaning of life"])
def test_what_is_no_name_stays_outside(text: str) -> None:
    assert load_student().predict(text).utterance.intent == "out_of_scope"


@pytest.mark.parametrize(
    "text",
    ["explain shot.png", "read shot.png", "shot.png", "look at ~/Desktop/bug-42.webp", "see A.JPG"],
)
def test_an_image_is_read(text: str) -> None:
    found = load_student().predict(text).utterance
    assert found.intent == "screenshot"
    assert dict(found.values())["path"] == text.split()[-1]
