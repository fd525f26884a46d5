"""Where the engine process listens: a socket and its locks in a folder of the user's own.

The folder is `run` in MIDLINE_HOME where that is set, else in the runtime folder of the session
(XDG_RUNTIME_DIR), else in the system's folder of temporary files under the user's number.
"""

import hashlib
import os
import stat
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from midline.model.errors import MidlineError
from midline.model.paths import HOME_VARIABLE

_MAX_PATH = 100
"""Bytes that a socket's path may have on every system (104 with the final zero on macOS)."""


class NoEngineProcessError(MidlineError):
    """There is no engine process and none can be started; the message says why."""


@dataclass(frozen=True)
class Place:
    """A name in the folder of sockets."""

    folder: Path
    name: str

    @property
    def socket(self) -> Path:
        """What the engine process listens on."""
        return self.folder / f"{self.name}.sock"

    @property
    def owner_lock(self) -> Path:
        """Held by the engine process as long as it lives."""
        return self.folder / f"{self.name}.lock"

    @property
    def loaded_note(self) -> Path:
        """Says what the engine process has loaded; gone when it has ended by itself."""
        return self.folder / f"{self.name}.loaded"

    @property
    def ended_note(self) -> Path:
        """Made before the engine process is killed because it hangs: its spare ends, too."""
        return self.folder / f"{self.name}.ended"

    @property
    def start_lock(self) -> Path:
        """Held by a client while it starts the engine process."""
        return self.folder / f"{self.name}.start"


def shared_place() -> Place:
    """Where the engine process of this user is looked for first."""
    return Place(_folder(), "engine")


def own_place() -> Place:
    """Where one of this very installation is, if one of another has the shared place."""
    return Place(_folder(), f"engine-{build()}")


def all_places() -> list[Place]:
    """Every place that has a socket, whether somebody listens there or not."""
    folder = _folder()
    return [Place(folder, path.stem) for path in sorted(folder.glob("engine*.sock"))]


def build() -> str:
    """What tells this installation from others: its version and where it is."""
    about = f"{version('midline')} {sys.prefix} {Path(__file__).resolve().parent}"
    return hashlib.sha256(about.encode()).hexdigest()[:8]


def private_folder(folder: Path) -> Path:
    """Make `folder`, or check that nobody else can use it; NoEngineProcessError."""
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise NoEngineProcessError(
            f"the folder {folder} for the engine's socket cannot be made ({error.strerror})"
        ) from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise NoEngineProcessError(f"{folder} belongs to another user or is no folder; remove it")
    if status.st_mode & 0o077:
        folder.chmod(0o700)
    if not os.access(folder, os.W_OK):
        raise NoEngineProcessError(f"the folder {folder} for the engine's socket is read-only")
    return folder


def _folder() -> Path:
    """The folder of sockets; one with a path too long for a socket has a short one instead."""
    home, session = os.environ.get(HOME_VARIABLE), os.environ.get("XDG_RUNTIME_DIR")
    temporary = Path(tempfile.gettempdir()) / f"midline-{os.getuid()}"
    if home:
        folder = Path(home).expanduser() / "run"
    elif session and Path(session).is_dir():
        folder = Path(session) / "midline"
    else:
        folder = temporary
    longest = folder / f"engine-{build()}.sock"
    if len(os.fsencode(longest)) > _MAX_PATH:
        folder = temporary / hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]
    return folder
