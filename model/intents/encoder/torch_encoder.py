"""Predictions of a joint model in torch, for measurements between training and export."""

import torch

from midline.model.intents.encoder.decoding import prediction_of
from midline.model.intents.encoder.pieces import PieceCutter, batch_of
from midline.model.intents.encoder.training import Training, tensors
from midline.model.intents.prediction import Prediction


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
        with torch.inference_mode():
            intents, tags = model(*tensors(batch_of(pieces)))
        names = self._training.intents, self._training.tags
        return [
            prediction_of(text, cut, (intents[row].numpy(), tags[row].numpy()), *names)
            for row, (text, cut) in enumerate(zip(texts, pieces, strict=True))
        ]
