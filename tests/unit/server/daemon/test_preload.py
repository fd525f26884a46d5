"""The model of a killed engine process is loaded before anybody asks for it, once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from midline.server.daemon.places import Place
from midline.server.daemon.preload import note_loaded, preload
from midline.server.lsp.engine_state import EngineState
from midline.server.lsp.engine_thread import EngineThread
from midline.server.lsp.model_loader import load_key
from midline.server.lsp.settings import Settings

SETTINGS = Settings(model="smollm2-135m", threads=1)
READY = EngineState("ready", "smollm2-135m", None, "smollm2-135m is ready.")


@pytest.fixture
def thread() -> Iterator[EngineThread]:
    made = EngineThread()
    yield made
    assert made.close(5)


def noted(place: Place) -> None:
    before = EngineThread()
    before.key = load_key(SETTINGS)
    note_loaded(place, before, EngineState("loading"))
    assert not place.loaded_note.exists()
    note_loaded(place, before, READY)


def test_what_was_loaded_is_loaded_again_once(tmp_path: Path, thread: EngineThread) -> None:
    place, asked = Place(tmp_path, "engine"), []
    noted(place)

    def load(settings: Settings, progress: Any) -> Any:
        asked.append(settings)
        raise RuntimeError("a test has no model")

    assert preload(place, thread, load)
    assert not place.loaded_note.exists()
    assert not preload(place, thread, load)
    assert thread.release().result(5) is False  # behind the load
    assert asked == [SETTINGS]


@pytest.mark.parametrize("note", ["", "{}", "[1]", '["a", "many", 3]', '["smollm2-135m", 1]'])
def test_a_note_without_sense_is_thrown_away(
    tmp_path: Path, thread: EngineThread, note: str
) -> None:
    place = Place(tmp_path, "engine")
    place.loaded_note.write_text(note)
    assert not preload(place, thread)
    assert thread.loads == 0 and not place.loaded_note.exists()


def test_an_engine_elsewhere_is_not_connected_to_unasked(tmp_path: Path) -> None:
    place, before = Place(tmp_path, "engine"), EngineThread()
    noted(place)
    before.key = load_key(Settings(endpoint="http://127.0.0.1:1"))
    note_loaded(place, before, READY)
    assert not place.loaded_note.exists()


def test_without_a_note_nothing_is_loaded(tmp_path: Path, thread: EngineThread) -> None:
    assert not preload(Place(tmp_path, "engine"), thread)
