"""Published recall and precision of slots become an F1 over all slots together."""

import json
import math
from pathlib import Path

import pytest

from midline.benchmarks.quality.intents.public_data import PublicData
from midline.benchmarks.quality.intents.published_scores import published_scores
from midline.model.intents.utterance import Slot, Utterance


def test_slots_weigh_as_much_as_they_occur(tmp_path: Path) -> None:
    song = [Utterance("play x", "Play", (Slot("song", 5, 6),))] * 30
    when = [Utterance("play now", "Play", (Slot("timeRange", 5, 8),))] * 10
    data = PublicData("snips", (), (*song, *when))
    slots = {
        "song": {"recall": {"10": [1.0, 0.5]}, "precision": {"10": [1.0, 0.5]}},
        "snips/datetime": {"recall": {"10": [0.0, 0.0]}, "precision": {"10": [math.nan, 0.0]}},
    }
    about = {
        "model_name": "Service",
        "intents": {"Play": {"recall": {"10": [1.0, 0.5]}, "slots": slots}},
    }
    assert published_scores(data, tmp_path) == []
    (tmp_path / "published_metrics_snips_Play.json").write_text(json.dumps(about))
    (row,) = published_scores(data, tmp_path)
    assert (row["service"], row["size"], row["intent_recall"]) == ("Service", 10, 0.75)
    first, second = 2 * 30 / (30 + 40), 2 * 15 / (30 + 40)
    assert row["slot_f1"] == pytest.approx((first + second) / 2)
