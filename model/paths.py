"""Where Midline keeps what it may keep: models, derived files and logs.

`MIDLINE_HOME` puts everything under one folder; without it the platform's conventions decide.
Folders are named here and created by whoever writes into them.
"""

import os
from pathlib import Path

import platformdirs

HOME_VARIABLE = "MIDLINE_HOME"


def cache_folder() -> Path:
    """Root of everything that can be fetched or computed again."""
    home = os.environ.get(HOME_VARIABLE)
    return Path(home).expanduser() if home else Path(platformdirs.user_cache_dir("midline", False))


def models_folder() -> Path:
    """Verified model files, each under its published file name."""
    return cache_folder() / "models"


def parts_folder() -> Path:
    """Unfinished pulls, one folder per model; what is in it is never used as a model."""
    return cache_folder() / "parts"


def packed_folder() -> Path:
    """Weights in the engine's own layout, derived from model files."""
    return cache_folder() / "packed"


def profiles_folder() -> Path:
    """The user's own sparsity profiles; those of the catalogue's models are part of Midline."""
    return cache_folder() / "profiles"


def log_folder() -> Path:
    """Log files of the commands and of the language server."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home).expanduser() / "logs"
    return Path(platformdirs.user_log_dir("midline", False))
