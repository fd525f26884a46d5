"""Few-shot runs: read from small files of the public forms, resumable, noisy as they say."""

import json
from pathlib import Path

import pytest

from midline.benchmarks.quality.intents import few_shot, generated_data
from midline.benchmarks.quality.intents.comparison import table
from midline.benchmarks.quality.intents.few_shot import (
    Arm,
    arms,
    learned_from,
    measure,
    noisy,
)
from midline.benchmarks.quality.intents.generated_data import (
    SAMPLES,
    generate,
    generated_file,
    kept_utterances,
)
from midline.benchmarks.quality.intents.public_data import PublicData, read_public
from midline.model.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """SNIPS in small: two intents with one slot each."""
    for part, count in (("train", 40), ("validate", 10)):
        for intent, verb, slot in (("Play", "play", "song"), ("Rain", "will it rain in", "city")):
            examples = [
                {"data": [{"text": f"{verb} "}, {"text": f"thing{n}", "entity": slot}]}
                for n in range(count)
            ]
            (tmp_path / f"{part}_{intent}.json").write_text(json.dumps({intent: examples}))
    return tmp_path


@pytest.fixture
def data(folder: Path) -> PublicData:
    return read_public("snips", folder)


def test_what_is_read(data: PublicData) -> None:
    assert (len(data.train), len(data.test)) == (80, 20)
    assert data.intents == ("Play", "Rain") and data.slots == ("city", "song")
    assert data.test[0].values() == (("song", "thing0"),)
    assert len(data.few(10, 0)) == 20
    assert data.few(10, 0) == data.few(10, 0) != data.few(10, 1)
    assert set(data.few(10, 0)) < set(data.few(20, 0))


def test_a_folder_without_the_files_is_one_sentence(tmp_path: Path) -> None:
    for name in ("snips", "clinc150"):
        with pytest.raises(UsageError, match="has not the files"):
            read_public(name, tmp_path)


def test_clinc_has_sentences_out_of_scope(tmp_path: Path) -> None:
    parts = {"train": [["hi", "greet"]], "oos_train": [["x", "oos"]], "test": [["yo", "greet"]]}
    (tmp_path / "data_full.json").write_text(json.dumps({**parts, "oos_test": [["y", "oos"]]}))
    data = read_public("clinc150", tmp_path)
    assert data.intents == ("greet", "out_of_scope")
    assert [u.intent for u in data.test] == ["greet", "out_of_scope"]


def test_the_share_of_wrong_labels_is_as_asked_for(data: PublicData) -> None:
    many = list(data.train) * 25
    spoiled = noisy(many, 0.4, data, 0)
    wrong = sum(a.intent != b.intent for a, b in zip(many, spoiled, strict=True)) / len(many)
    assert 0.36 < wrong < 0.44
    assert noisy(many, 0.0, data, 0) == many


def test_a_measurement_goes_on_where_it_was(
    data: PublicData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(few_shot, "arms", lambda data, learner: [Arm("snips", "student", 10)])
    trace = tmp_path / "trace.jsonl"
    assert measure(data, "student", trace, 0.0, "none") != [] or trace.exists() is False
    runs = measure(data, "student", trace, None, "none")
    assert len(runs) == few_shot.SEEDS
    before = trace.read_text()
    assert measure(data, "student", trace, None, "none") == runs and trace.read_text() == before
    (row,) = table(runs)
    assert row["intent_accuracy"]["value"] > 0.9 and row["slot_f1"]["value"] > 0.9
    assert row["intent_accuracy"]["interval"] is not None


def test_every_rival_meets_every_noise_once(data: PublicData) -> None:
    found = list(arms(data, "encoder"))
    assert len(found) == len(set(found)) == 8 + 3 * 8 - 1
    assert {a.rival for a in arms(data, "student")} == {"plain", "filter"}


def test_noise_is_in_what_was_generated_alone(
    data: PublicData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path))
    monkeypatch.setitem(SAMPLES, "snips", 4)
    lines = [f"((Play)) play the [{n} of hearts|song] please" for n in ("ace", "two", "king")]
    path = generated_file("snips", "writer", 0)
    path.parent.mkdir(parents=True)
    row = {"intent": "Play", "lines": [*lines, "((Play)) play [x"]}
    of_another_number = {"intent": "Rain", "lines": ["((Rain)) will it rain in [Rome|city]"]}
    path.write_text(f'{json.dumps(row)}\n{json.dumps(of_another_number)}\n{{"intent": "Ra')
    assert kept_utterances(data, "writer", 0).counts == {"kept": 3, "does not parse": 1}
    written = kept_utterances(data, "writer", 0).utterances
    clean = learned_from(Arm("snips", "student", 10, True), data, 0, written)
    spoiled = learned_from(Arm("snips", "student", 10, True, 1.0), data, 0, written)
    assert clean[:20] == spoiled[:20] == data.few(10, 0)
    assert [u.intent for u in clean[20:]] == ["Play"] * 3
    assert [u.intent for u in spoiled[20:]] == ["Rain"] * 3


def test_a_fine_tuned_writer_is_made_of_each_draw_and_kept(
    data: PublicData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path))
    monkeypatch.setitem(SAMPLES, "snips", 2)
    tuned: list[int] = []

    class Writer:
        temperature = top_p = 1.0

        def lines(self, examples, seed, on_intent):
            for intent in examples:
                on_intent(intent, [f"(({intent})) play it", f"(({intent})) rain"])

    def load(data, writer, threads, seed):
        tuned.append(seed)
        return Writer()

    monkeypatch.setattr(generated_data, "_fine_tuned", load)
    assert generate(data, "small-fine-tuned", range(2), None, 1)
    assert generate(data, "small-fine-tuned", range(2), None, 1)
    assert tuned == [0, 1]
    rows = generated_data.read_rows(generated_file("snips", "small-fine-tuned", 1))
    assert [row["model"] for row in rows] == ["small-fine-tuned"] * 2
