"""HTTP clients at a server with a tiny model: throughput and first tokens are measured."""

import argparse
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra `http` is not installed")
pytest.importorskip("uvicorn", reason="the extra `http` is not installed")
pytest.importorskip("prometheus_client", reason="the extra `http` is not installed")

from engine_models import engine

from midline.benchmarks.speed import http


def test_clients_are_timed_in_pairs(tiny_qwen2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "STREAMS", 3)
    made = engine(tiny_qwen2)
    made.tokenizer.end_tokens = frozenset()
    args = argparse.Namespace(clients=3, tokens=4, context=20, runs=2)
    with http._served(made) as server:
        found = {**http._throughput(server, made, args), **http._first_tokens(server, made, args)}
    assert len(found["ratios"]) == 2 and found["ratio"] > 0
    drawn, read = found["first_token_ms"]["drawn"], found["first_token_ms"]["read"]
    assert len(drawn) == 3 and all(d < r for d, r in zip(drawn, read, strict=True))
    for each in found["spent"].values():
        assert 0 < each["prefill_share"] < 1 and each["step_ms"] > 0
    first, second, third = http.lines(found)
    assert first.startswith("3 clients") and "first token" in third
    assert "many: prompts take" in second
