"""The folders of models, derived files and logs.

`MIDLINE_HOME` puts everything under one folder; without it the platform's conventions apply. The
functions only name the folders; callers that write create them.
"""

import os
from pathlib import Path

import platformdirs

HOME_VARIABLE = "MIDLINE_HOME"


def cache_folder() -> Path:
    """Root folder of all files that can be downloaded or computed again."""
    home = os.environ.get(HOME_VARIABLE)
    return Path(home).expanduser() if home else Path(platformdirs.user_cache_dir("midline", False))


def models_folder() -> Path:
    """Verified model files, each under its published file name."""
    return cache_folder() / "models"


def parts_folder() -> Path:
    """Partial downloads, one folder per model; never used as models."""
    return cache_folder() / "parts"


def packed_folder() -> Path:
    """Weights in the engine's own layout, derived from model files."""
    return cache_folder() / "packed"


def profiles_folder() -> Path:
    """TEAL profiles calibrated by the user; those of the catalogue are in `model/teal/profiles`."""
    return cache_folder() / "profiles"


def log_folder() -> Path:
    """Log files of the commands and of the language server."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home).expanduser() / "logs"
    return Path(platformdirs.user_log_dir("midline", False))
