"""The encoder in use: int8 weights, run by onnxruntime on one thread."""

import json
from pathlib import Path

from midline.model.errors import MidlineError
from midline.model.intents.encoder.decoding import prediction_of
from midline.model.intents.encoder.files import encoder_folder
from midline.model.intents.encoder.pieces import FORMS, PieceCutter, batch_of
from midline.model.intents.prediction import Prediction

_MODEL, _LABELS, _TOKENIZER = "encoder-int8.onnx", "labels.json", "tokenizer.json"


class OnnxEncoder:
    """A model that `export.export` wrote; raises MidlineError if it or onnxruntime is not here."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or encoder_folder()
        try:
            import onnxruntime
        except ImportError as error:
            raise MidlineError(
                "the encoder of intents needs onnxruntime; `pip install midline[encoder]` brings it"
            ) from error
        try:
            labels = json.loads((folder / _LABELS).read_text("utf-8"))
            self.intents, self.tags = tuple(labels["intents"]), tuple(labels["tags"])
            forms = tuple(labels.get("forms", ()))
            self._cutter = PieceCutter(folder / _TOKENIZER)
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            self._session = onnxruntime.InferenceSession(
                str(folder / _MODEL), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise MidlineError(
                f"there is no encoder of intents in {folder}; "
                "`midline-bench quality intents --train-encoder` makes one"
            ) from error
        if forms != FORMS:
            raise MidlineError(
                f"the encoder of intents in {folder} was trained by another version; "
                "`midline-bench quality intents --train-encoder` makes one anew"
            )

    def predict(self, text: str) -> Prediction:
        """The labels of one sentence."""
        pieces = self._cutter.cut(text)
        batch = batch_of([pieces])
        given = {"ids": batch.ids, "mask": batch.mask, "firsts": batch.firsts, "forms": batch.forms}
        intents, tags = self._session.run(["intents", "tags"], given)
        return prediction_of(text, pieces, (intents[0], tags[0]), self.intents, self.tags)
