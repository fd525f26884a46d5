"""Where the published problems are, if they are here."""

import os
from pathlib import Path

import pytest

from midline.model.paths import cache_folder

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="session")
def mbxp_data() -> Path:
    """Folder of the published problems: MIDLINE_MBXP_DATA, the cache, or beside the checkout."""
    chosen = os.environ.get("MIDLINE_MBXP_DATA")
    places = [Path(chosen)] if chosen else []
    places += [cache_folder() / "mbxp" / "data", ROOT.parent / "shared" / "data" / "mbxp"]
    for place in places:
        if (place / "metadata.json").is_file():
            return place
    pytest.skip("the published problems are not here; `midline-bench mbxp fetch` gets them")
