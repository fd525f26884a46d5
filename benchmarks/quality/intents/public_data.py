"""SNIPS and CLINC150, read where they are: few utterances an intent to learn from, and a test set.

SNIPS (CC0): `train_INTENT.json` and `validate_INTENT.json`. CLINC150 (CC BY 3.0): `data_full.json`
with out-of-scope sentences. Neither is part of Midline.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midline.model.errors import UsageError
from midline.model.intents.schema import OUT_OF_SCOPE
from midline.model.intents.utterance import Slot, Utterance

SIZES = {"snips": (10, 20, 50, 70), "clinc150": (5, 10)}
"""Utterances an intent to learn from."""
_LEAST_OUTSIDE = 20


@dataclass(frozen=True)
class PublicData:
    """What may be learned from, and the test set, of one data set."""

    name: str
    train: tuple[Utterance, ...]
    test: tuple[Utterance, ...]

    @property
    def intents(self) -> tuple[str, ...]:
        """Its intents in order."""
        return tuple(sorted({utterance.intent for utterance in self.train}))

    @property
    def slots(self) -> tuple[str, ...]:
        """Its slots in order."""
        return tuple(sorted({slot.name for u in self.train for slot in u.slots}))

    def few(self, size: int, seed: int) -> list[Utterance]:
        """`size` utterances of every intent, drawn by `seed`; some more of what is out of scope.

        A larger draw of a seed contains the smaller ones.
        """
        chosen: list[Utterance] = []
        for intent in self.intents:
            own = [u for u in self.train if u.intent == intent]
            random.Random(f"{seed} {intent}").shuffle(own)
            chosen += own[: max(size, _LEAST_OUTSIDE) if intent == OUT_OF_SCOPE else size]
        return chosen


def read_public(name: str, folder: Path) -> PublicData:
    """The data set `name` of a folder; UsageError if its files are not there."""
    reader = {"snips": _snips, "clinc150": _clinc}[name]
    try:
        return reader(folder)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{folder} has not the files of {name} ({error}); name their folder with --data"
        ) from error


def _snips(folder: Path) -> PublicData:
    parts: dict[str, list[Utterance]] = {}
    for part in ("train", "validate"):
        paths = sorted(folder.glob(f"{part}_*.json"))
        if not paths:
            raise OSError(f"no {part}_*.json")
        found = parts.setdefault(part, [])
        for path in paths:
            (intent, examples) = next(iter(_json(path).items()))
            found += [_of_chunks(intent, example["data"]) for example in examples]
    return PublicData("snips", tuple(parts["train"]), tuple(parts["validate"]))


def _json(path: Path) -> Any:
    data = path.read_bytes()
    try:
        return json.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        return json.loads(data.decode("latin-1"))


def _of_chunks(intent: str, chunks: list[dict[str, str]]) -> Utterance:
    text, slots = "", []
    for chunk in chunks:
        piece = chunk["text"]
        if "entity" in chunk and piece.strip():
            start = len(text) + len(piece) - len(piece.lstrip())
            slots.append(Slot(chunk["entity"], start, start + len(piece.strip())))
        text += piece
    return Utterance(text, intent, tuple(slots))


def _clinc(folder: Path) -> PublicData:
    data = _json(folder / "data_full.json")
    train = [Utterance(t, i) for t, i in data["train"]]
    train += [Utterance(t, OUT_OF_SCOPE) for t, _ in data["oos_train"]]
    test = [Utterance(t, i) for t, i in data["test"]]
    test += [Utterance(t, OUT_OF_SCOPE) for t, _ in data["oos_test"]]
    return PublicData("clinc150", tuple(train), tuple(test))
