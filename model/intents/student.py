"""The student: hashed n-grams, logistic regression and an averaged perceptron, NumPy only.

It needs no download and takes less than a millisecond a sentence. Its weights are in
`data/student.npz`; `train_student` makes them again from the templates, and the file says of which
templates it was made.
"""

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midline.model.intents.features import (
    form,
    normal_words,
    sentence_features,
    word_features,
    word_number,
)
from midline.model.intents.fillers import fill
from midline.model.intents.intent_classifier import IntentClassifier, learn_intents
from midline.model.intents.prediction import Prediction
from midline.model.intents.schema import INTENTS, OUT_OF_SCOPE, OUTSIDE, SLOTS, tags_of
from midline.model.intents.slot_tagger import SlotTagger, learn_tags
from midline.model.intents.templates import read_templates, sentences_of
from midline.model.intents.utterance import Utterance
from midline.model.intents.words import Word, slots_of_tags, tags_of_slots, whole_quotes, words_of

SENTENCE_FEATURES, WORD_FEATURES = 1 << 15, 1 << 16
SOURCES = ("templates.txt", "out_of_scope.txt", "descriptions.txt", "names.toml")
STUDENT_FILE = "student.npz"
_PER_INTENT, _OUT_OF_SCOPE = 1200, 8000
_INTENT_EPOCHS, _TAG_EPOCHS = 6, 5
_LEVELS = 127
_OFTEN = 20
_MAX_NAMES = 4
_BEHIND_OBJECTS = frozenset({"", "in", "from", "of", "to", "into", "on", "at"})


@dataclass(frozen=True)
class Student:
    """An intent classifier, and a tagger that knows the intent.

    allowed: bool [intents, tags], the tags that were seen with each intent. known: the words that
    sentences are made of, as `word_number` has them.
    """

    intents: tuple[str, ...]
    tags: tuple[str, ...]
    classifier: IntentClassifier
    tagger: SlotTagger
    allowed: NDArray[np.bool_]
    known: frozenset[int]

    def predict(self, text: str, defines: Callable[[str], bool] | None = None) -> Prediction:
        """The labels of a sentence; its first words only, if it is very long.

        `defines` says whether a project defines a word; it is asked about few words, those that
        sentences are seldom made of.
        """
        words = words_of(text)
        symbols = frozenset(filter(defines, self._possible_names(words)) if defines else ())
        features = sentence_features(words, len(self.classifier.weights), self.known, symbols)
        probabilities = self.classifier.probabilities(features)
        number = int(probabilities.argmax())
        intent = self.intents[number]
        rows = word_features(words, intent, len(self.tagger.emissions), self.known, symbols)
        tagged = self.tagger.tag(rows, self.allowed[number])
        slots = whole_quotes(words, slots_of_tags(words, [self.tags[tag] for tag in tagged]))
        outside = (
            float(probabilities[self.intents.index(OUT_OF_SCOPE)])
            if OUT_OF_SCOPE in self.intents
            else 1 - float(probabilities[number])
        )
        return Prediction(Utterance(text, intent, slots), float(probabilities[number]), outside)

    def _possible_names(self, words: Sequence[Word]) -> list[str]:
        """Plain words that may name something, at most `_MAX_NAMES` of them.

        They are those that sentences are not made of, and what directly follows the verb where the
        sentence ends there or goes on with a place: `explain mean`, `explain mean in stats.py`.
        """
        found = []
        for at, word in enumerate(words):
            after = words[at + 1].text.lower() if at + 1 < len(words) else ""
            is_object = at == 1 and after in _BEHIND_OBJECTS
            known = word_number(word.text.lower()) in self.known
            if at and word.text.isidentifier() and not form(word.text) and (is_object or not known):
                found.append(word.text)
        return found[:_MAX_NAMES]


def learn(
    utterances: Sequence[Utterance],
    intents: tuple[str, ...] = INTENTS,
    slots: tuple[str, ...] = SLOTS,
    *,
    seed: int = 0,
    epochs: tuple[int, int] = (_INTENT_EPOCHS, _TAG_EPOCHS),
) -> Student:
    """The student of these utterances; the same ones give the same student.

    `epochs` are those of the classifier and of the tagger.
    """
    tags = tags_of(slots)
    words = [words_of(utterance.text) for utterance in utterances]
    labels = [intents.index(utterance.intent) for utterance in utterances]
    known = _known_words(words, utterances)
    classifier = learn_intents(
        [sentence_features(w, SENTENCE_FEATURES, known) for w in words],
        labels,
        (SENTENCE_FEATURES, len(intents)),
        epochs=epochs[0],
        seed=seed,
    )
    rows = [
        word_features(w, u.intent, WORD_FEATURES, known)
        for w, u in zip(words, utterances, strict=True)
    ]
    truth = [
        [tags.index(tag) for tag in tags_of_slots(w, u.slots)]
        for w, u in zip(words, utterances, strict=True)
    ]
    tagger = learn_tags(rows, truth, tags, WORD_FEATURES, epochs=epochs[1], seed=seed)
    allowed = np.zeros((len(intents), len(tags)), bool)
    allowed[:, 0] = True
    for label, sequence in zip(labels, truth, strict=True):
        allowed[label, sequence] = True
    return Student(intents, tags, classifier, tagger, allowed, known)


def _known_words(
    words: Sequence[Sequence[Word]], utterances: Sequence[Utterance]
) -> frozenset[int]:
    """The words outside of slots that were seen often; rare ones teach what a strange word is."""
    counts: Counter[int] = Counter()
    for sentence, utterance in zip(words, utterances, strict=True):
        tags = tags_of_slots(sentence, utterance.slots)
        counts.update(
            word_number(word)
            for word, tag in zip(normal_words(sentence), tags, strict=True)
            if tag == OUTSIDE
        )
    return frozenset(number for number, count in counts.items() if count >= _OFTEN)


def template_utterances(seed: int = 0) -> list[Utterance]:
    """What the shipped student learns from."""
    everything = read_templates("templates.txt")
    found: list[Utterance] = []
    for number, intent in enumerate(INTENTS):
        if intent == OUT_OF_SCOPE:
            continue
        own = tuple(line for line in everything.sentences if line.startswith(f"(({intent}))"))
        templates = type(everything)(everything.rules, own)
        found += sentences_of(templates, _PER_INTENT, seed + number, fill)
    outside = read_templates("out_of_scope.txt")
    return [*found, *sentences_of(outside, _OUT_OF_SCOPE, seed + len(INTENTS), fill)]


def train_student(seed: int = 0) -> Student:
    """The student that is shipped, from the templates."""
    return learn(template_utterances(seed), seed=seed)


def sources_sha256() -> str:
    """The SHA-256 of the template files, which the shipped student names."""
    folder = resources.files("midline.model.intents") / "data"
    texts = b"\0".join((folder / name).read_bytes() for name in SOURCES)
    return hashlib.sha256(texts).hexdigest()


def student_bytes(student: Student) -> bytes:
    """The file of a student: weights as int8 with a scale for each column."""
    out = io.BytesIO()
    arrays: dict[str, Any] = {"allowed": student.allowed, "transitions": student.tagger.transitions}
    arrays["bias"] = student.classifier.bias
    arrays["known"] = np.array(sorted(student.known), np.uint32)
    for name, matrix in (
        ("weights", student.classifier.weights),
        ("emissions", student.tagger.emissions),
    ):
        scale = np.maximum(np.abs(matrix).max(axis=0), 1e-9) / _LEVELS
        arrays[name] = np.rint(matrix / scale).astype(np.int8)
        arrays[f"{name}_scale"] = scale.astype(np.float32)
    about = {"intents": student.intents, "tags": student.tags, "sources": sources_sha256()}
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def student_from_bytes(data: bytes) -> tuple[Student, str]:
    """The student of a file, and the SHA-256 of the templates that it was made from."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        about = json.loads(arrays["about"].tobytes())
        weights, emissions = (
            arrays[name].astype(np.float32) * arrays[f"{name}_scale"]
            for name in ("weights", "emissions")
        )
        student = Student(
            tuple(about["intents"]),
            tuple(about["tags"]),
            IntentClassifier(weights, arrays["bias"]),
            SlotTagger(emissions, arrays["transitions"]),
            arrays["allowed"],
            frozenset(arrays["known"].tolist()),
        )
    return student, about["sources"]


@cache
def load_student() -> Student:
    """The student that is shipped."""
    folder = resources.files("midline.model.intents") / "data"
    return student_from_bytes((folder / STUDENT_FILE).read_bytes())[0]
