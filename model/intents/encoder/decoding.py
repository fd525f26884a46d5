"""From logits to labels: the same for a model in torch and for its ONNX form."""

import numpy as np
from numpy.typing import NDArray

from midline.model.intents.encoder.pieces import Pieces
from midline.model.intents.prediction import Prediction
from midline.model.intents.schema import OUT_OF_SCOPE
from midline.model.intents.slot_tagger import FORBIDDEN, allowed_transitions, viterbi
from midline.model.intents.utterance import Slot, Utterance
from midline.model.intents.words import slots_of_tags, whole_quotes


def prediction_of(
    text: str,
    pieces: Pieces,
    logits: tuple[NDArray[np.float32], NDArray[np.float32]],
    intents: tuple[str, ...],
    tags: tuple[str, ...],
) -> Prediction:
    """The labels of a sentence; `logits` are of its intents [intents] and words [words, tags].

    An inside tag only follows one of its own slot.
    """
    intent_logits, tag_logits = logits
    raised = np.exp(intent_logits - intent_logits.max())
    probabilities = raised / raised.sum()
    number = int(probabilities.argmax())
    slots: tuple[Slot, ...] = ()
    if pieces.words:
        may = np.where(allowed_transitions(tags), np.float32(0), FORBIDDEN)
        best = viterbi(tag_logits[: len(pieces.words)], may)
        slots = whole_quotes(pieces.words, slots_of_tags(pieces.words, [tags[n] for n in best]))
    is_known = OUT_OF_SCOPE in intents
    outside = probabilities[intents.index(OUT_OF_SCOPE)] if is_known else 1 - probabilities[number]
    return Prediction(
        Utterance(text, intents[number], slots), float(probabilities[number]), float(outside)
    )
