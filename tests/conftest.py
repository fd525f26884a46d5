"""What every test may ask for: an empty cache, and the real models of the catalogue."""

import os
import signal
from pathlib import Path

import pytest

from midline.model.catalog.catalog import find_entry
from midline.model.catalog.pull import configured_sources, pull
from midline.model.errors import MidlineError

# In the background of a shell interrupts are ignored, and what is started inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tiny_model", "listener"]

# An engine process that a test has started ends soon after it.
os.environ.setdefault("MIDLINE_ENGINE_SECONDS", "2")

ROOT = Path(__file__).resolve().parent.parent
LAST = ("e2e", "packaging")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in tests/e2e and tests/packaging, and run it after everything else."""

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        if folder not in LAST:
            return 0
        item.add_marker(folder)
        return 1 + LAST.index(folder)

    items.sort(key=place)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and log folder in place of the user's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("MIDLINE_HOME", str(folder))
    monkeypatch.delenv("MIDLINE_SOURCES", raising=False)
    return folder


@pytest.fixture(scope="session")
def smollm2_path() -> Path:
    """The real SmolLM2-135M-Instruct in Q4_1 (llama architecture), pulled if need be."""
    return _pulled("smollm2-135m")


@pytest.fixture(scope="session")
def qwen05_path() -> Path:
    """The real Qwen2.5-Coder-0.5B-Instruct in Q4_K_M, pulled if need be."""
    return _pulled("qwen2.5-coder-0.5b")


def _pulled(name: str) -> Path:
    try:
        return pull(find_entry(name), configured_sources())
    except MidlineError as error:
        pytest.skip(str(error))
