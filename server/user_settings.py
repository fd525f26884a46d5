"""Settings that the user has changed from the command line: one file, below what a client sends.

`MIDLINE_HOME` holds it, or else the platform's folder for configuration.
"""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs

from midline.model.atomic_write import atomic_write
from midline.model.errors import MidlineError
from midline.model.paths import HOME_VARIABLE

_PAUSED_UNTIL = "pausedUntil"


def settings_path() -> Path:
    """The file of the user's own settings."""
    home = os.environ.get(HOME_VARIABLE)
    folder = (
        Path(home).expanduser() if home else Path(platformdirs.user_config_dir("midline", False))
    )
    return folder / "settings.json"


def read_user_settings(now: float | None = None) -> dict[str, Any]:
    """The user's own settings as a client writes them; none if there are none.

    A pause that is over has no effect. Raises MidlineError for a file that is no JSON object.
    """
    path = settings_path()
    found = _stored(path)
    if not isinstance(found, dict):
        raise MidlineError(f"{path} is not a JSON object; mend or delete it")
    until = found.pop(_PAUSED_UNTIL, None)
    if isinstance(until, int | float) and until > (time.time() if now is None else now):
        found["enabled"] = False
    return found


def write_user_settings(settings: Mapping[str, Any], seconds: float | None = None) -> Path:
    """Change these settings in the file, and keep the others; returns its path.

    With `seconds`, `enabled` is not changed but paused for so long. Raises MidlineError where the
    file cannot be written.
    """
    path = settings_path()
    stored = _stored(path)
    kept = {**stored, **settings} if isinstance(stored, dict) else dict(settings)
    if "enabled" in settings:
        kept.pop(_PAUSED_UNTIL, None)
        if seconds is not None and settings["enabled"] is False:
            del kept["enabled"]
            kept[_PAUSED_UNTIL] = time.time() + seconds
    try:
        atomic_write(path, (json.dumps(kept, indent=2) + "\n").encode())
    except OSError as error:
        raise MidlineError(f"{path} cannot be written: {error.strerror}") from error
    return path


def _stored(path: Path) -> Any:
    """What the file holds; an empty object where there is no file."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise MidlineError(f"{path} is not readable JSON; mend or delete it") from error
