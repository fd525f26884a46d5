"""Brings back the model of an engine process that was killed, before anybody asks for it.

The process notes what it has loaded and removes the note when it ends. The next one that finds such
a note loads the model before anybody asks for it. A note is used once, so that
a model that cannot be loaded does no harm twice.
"""

import contextlib
import json

from midline.server.daemon.places import Place
from midline.server.lsp.engine_state import EngineState
from midline.server.lsp.engine_thread import EngineThread
from midline.server.lsp.model_loader import LOAD_FIELDS, LoadEngine, load_engine, load_key, loader
from midline.server.lsp.settings import option_name, resolve


def preload(place: Place, thread: EngineThread, load: LoadEngine = load_engine) -> bool:
    """Begin to load what the last process at `place` had loaded when it was killed; whether it was.

    A note that makes no sense is thrown away.
    """
    path = place.loaded_note
    with contextlib.suppress(OSError, ValueError, TypeError):
        note = path.read_text("utf-8")
        path.unlink()
        found = json.loads(note)
        options = dict(zip(map(option_name, LOAD_FIELDS), found, strict=True))
        settings, problems = resolve(options)
        if not problems:
            thread.load(loader(thread, load, settings), load_key(settings))
            return True
    return False


def note_loaded(place: Place, thread: EngineThread, state: EngineState) -> None:
    """Note what is loaded now, unless it is elsewhere, where nobody connects unasked.

    A disk that refuses it costs the next process a moment.
    """
    if state.name != "ready" or not isinstance(thread.key, tuple):
        return
    own, remote = thread.key[: len(LOAD_FIELDS)], thread.key[len(LOAD_FIELDS) :]
    with contextlib.suppress(OSError, TypeError):
        if any(remote):
            place.loaded_note.unlink(missing_ok=True)
        else:
            place.loaded_note.write_text(json.dumps(own), "utf-8")
