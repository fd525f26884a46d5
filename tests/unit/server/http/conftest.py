"""Servers to send requests to: one whose text is known, and one with a tiny model."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra `http` is not installed")
pytest.importorskip("uvicorn", reason="the extra `http` is not installed")
pytest.importorskip("prometheus_client", reason="the extra `http` is not installed")

from engine_models import engine
from fake_engine import FakeEngine
from http_server import HttpServer, http_server

from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf


@pytest.fixture
def fake(tiny_qwen2: Path) -> FakeEngine:
    """Writes "return a + b" and a line end, unless a test says otherwise."""
    tokenizer = Tokenizer.from_gguf(read_gguf(tiny_qwen2))
    return FakeEngine(tokenizer, lambda prompt: "return a + b\n")


@pytest.fixture
def server(fake: FakeEngine) -> Iterator[HttpServer]:
    """A server of the fake engine."""
    with http_server(lambda: fake) as running:
        yield running


@pytest.fixture(scope="session")
def tiny_server(tiny_qwen2: Path) -> Iterator[HttpServer]:
    """A server of a tiny model, whose text is noise."""
    with http_server(lambda: engine(tiny_qwen2)) as running:
        yield running
