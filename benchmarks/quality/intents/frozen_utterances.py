"""The test set of our own domain, as it was frozen before anything was learned."""

import hashlib
from functools import cache
from importlib import resources

from midline.model.errors import MidlineError
from midline.model.intents.schema import INTENTS, SLOTS
from midline.model.intents.utterance import Utterance, read_augmented

SHA256 = "32ae3c7931bd50e6f7ac2e0da535f2f02986f18623e70c8709587fe2359a4453"


@cache
def frozen_utterances() -> tuple[Utterance, ...]:
    """The utterances in order; MidlineError if the file is not the frozen one."""
    folder = resources.files("midline.benchmarks.quality.intents") / "frozen"
    data = (folder / "utterances.txt").read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise MidlineError("utterances.txt is not the frozen test set; restore it from the history")
    utterances = tuple(read_augmented(data.decode("utf-8").splitlines()))
    assert all(u.intent in INTENTS for u in utterances)
    assert all(slot.name in SLOTS for u in utterances for slot in u.slots)
    return utterances
