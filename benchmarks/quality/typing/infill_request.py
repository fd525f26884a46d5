"""A request to llama.cpp's /infill endpoint, as llama.vim sends it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chunk:
    """A piece of another place or file."""

    filename: str
    text: str


@dataclass(frozen=True)
class InfillRequest:
    """What llama.vim sends; `predict_ms` is `t_max_predict_ms`, `prompt` the line's beginning."""

    prefix: str
    prompt: str
    suffix: str
    extra: tuple[Chunk, ...]
    indent: int
    predict: int
    predict_ms: float
