"""Arrays in files that are checked before use."""

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midline.model.errors import UsageError


def npz_bytes(**arrays: NDArray[np.generic]) -> bytes:
    """The content of an .npz file with `arrays`."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def read_npz(path: Path, *names: str) -> dict[str, NDArray[np.generic]]:
    """The arrays `names` of an .npz file; UsageError if one is missing or not finite."""
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in names}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UsageError(
            f"{path} is not a model of `midline corpus` ({error}); train it again"
        ) from error
    for name, array in found.items():
        if array.dtype.kind not in "fiuU" or (
            array.dtype.kind == "f" and not np.isfinite(array).all()
        ):
            raise UsageError(f"{path} is damaged: {name} is not finite; train the model again")
    return found
