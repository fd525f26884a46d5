"""Engines of every kind on a tiny model, by name: functions of its path."""

from pathlib import Path

import pytest
from engine_models import engine
from fake_engine import FakeEngine

from midline.model.engines.base import Engine
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf


def native(path: Path) -> Engine:
    loaded = engine(path)
    loaded.tokenizer.end_tokens = frozenset()  # noise ends now and then
    return loaded


def fake(path: Path) -> Engine:
    tokenizer = Tokenizer.from_gguf(read_gguf(path))
    return FakeEngine(
        tokenizer, lambda prompt: "value of all the items in their usual order of size|" * 9
    )


def remote(path: Path) -> Engine:
    """A remote engine whose server, a fake one, ends with it."""
    pytest.importorskip("starlette", reason="the extra `http` is not installed")
    from http_server import http_server

    from midline.model.engines.remote.endpoint import RemoteOptions
    from midline.model.engines.remote.engine import RemoteEngine

    running = http_server(lambda: fake(path))
    server = running.__enter__()

    class WithServer(RemoteEngine):
        def close(self) -> None:
            if not self._is_closed:
                running.__exit__(None, None, None)
            super().close()

    return WithServer.load("any", RemoteOptions(server.url, context_length=2048))


def onnx(path: Path) -> Engine:
    """The float32 export of the model, beside it."""
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
    from midline.model.engines.onnx.engine import OnnxEngine
    from midline.model.engines.onnx.export import export_model
    from midline.model.engines.onnx.form import OnnxForm

    folder = path.with_suffix(".onnx")
    export_model(path, folder, OnnxForm())
    loaded = OnnxEngine.load(folder, threads=1)
    loaded.tokenizer.end_tokens = frozenset()
    return loaded


MAKERS = {"native": native, "fake": fake, "remote": remote, "onnx": onnx}
STEPS_ARE_ELSEWHERE = ("fake", "remote")
