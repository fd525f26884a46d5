"""Predictions of a joint model in torch, for measurements between training and export."""

import torch

from midline.model.intents.encoder.decoding import prediction_of
from midline.model.intents.encoder.pieces import PieceCutter, batch_of
from midline.model.intents.encoder.training import Training, tensors
from midline.model.intents.prediction import Prediction

_TOGETHER = 64
"""Sentences of a batch of `predict_many`."""


class TorchEncoder:
    """A trained model as an `IntentModel`."""

    def __init__(self, training: Training, cutter: PieceCutter) -> None:
        self._training, self._cutter = training, cutter

    def predict(self, text: str) -> Prediction:
        """The labels of one sentence."""
        return self.predict_all([text])[0]

    def predict_all(self, texts: list[str]) -> list[Prediction]:
        """The labels of several sentences, computed together."""
        if not texts:
            return []
        pieces = [self._cutter.cut(text) for text in texts]
        model = self._training.model.eval()
        bfloat16 = torch.autocast("cpu", torch.bfloat16, enabled=self._training.recipe.bfloat16)
        with torch.inference_mode(), bfloat16:
            intents, tags = model(*tensors(batch_of(pieces)))
        intents, tags = intents.float(), tags.float()
        names = self._training.intents, self._training.tags
        return [
            prediction_of(text, cut, (intents[row].numpy(), tags[row].numpy()), *names)
            for row, (text, cut) in enumerate(zip(texts, pieces, strict=True))
        ]

    def predict_many(self, texts: list[str]) -> list[Prediction]:
        """The labels of any number of sentences, those of about one length together."""
        found: dict[int, Prediction] = {}
        order = sorted(range(len(texts)), key=lambda n: len(texts[n]))
        for at in range(0, len(order), _TOGETHER):
            some = order[at : at + _TOGETHER]
            found.update(zip(some, self.predict_all([texts[n] for n in some]), strict=True))
        return [found[n] for n in range(len(texts))]
