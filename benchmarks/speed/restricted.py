"""Both sides of a comparison restricted to one instruction set, on a CPU that has a better one.

Midline takes `MIDLINE_KERNELS`. llama.cpp chooses its instructions when it is built, so the
comparison needs a second build: `make peer-avx2` puts one into the cache folder, and
`MIDLINE_LLAMA_AVX2` names another folder with a package `llama_cpp` in it.
"""

import os
from pathlib import Path

from midline.model.errors import UsageError
from midline.model.paths import cache_folder

ISAS = ("avx2", "avx2vnni", "avx512", "neon", "neoni8mm", "scalar")
BUILDS = {"avx2": "MIDLINE_LLAMA_AVX2"}
"""Instruction sets to which a build of llama.cpp can be restricted, and what names its folder."""
WIDER = ("AVX512", "AVX_VNNI", "AMX_INT8")
"""Features, as llama.cpp prints them, that a build restricted to AVX2 must not have."""


def environment(engine: str, isa: str | None) -> dict[str, str]:
    """Variables for the process of `engine`; UsageError where it cannot be restricted to `isa`."""
    if isa is None:
        return {}
    if engine in ("midline", "separate"):
        return {"MIDLINE_KERNELS": isa}
    if engine != "llama.cpp" or isa not in BUILDS:
        raise UsageError(
            f"the peer {engine} cannot be restricted to --isa {isa}; "
            f"llama.cpp can be to {', '.join(BUILDS)}"
        )
    return {"PYTHONPATH": str(build_folder(isa))}


def build_folder(isa: str) -> Path:
    """Where llama.cpp's build for `isa` is; UsageError when there is none."""
    named = os.environ.get(BUILDS[isa])
    folder = Path(named).expanduser() if named else cache_folder() / "peers" / f"llama.cpp-{isa}"
    if not (folder / "llama_cpp").is_dir():
        raise UsageError(
            f"{folder} has no llama.cpp restricted to {isa}: run `make peer-{isa}`, "
            f"or name its folder in {BUILDS[isa]}"
        )
    return folder


def check_features(engine: str, isa: str | None, versions: dict[str, str]) -> None:
    """UsageError if the llama.cpp that was loaded uses more than `isa`, as a usual build does."""
    features = versions.get("llama.cpp features", "")
    wider = [name for name in WIDER if f"{name} = 1" in features]
    if isa in BUILDS and engine == "llama.cpp" and wider:
        raise UsageError(
            f"the llama.cpp in {build_folder(isa)} uses {', '.join(wider)}; "
            f"`make peer-{isa}` builds one that does not"
        )
