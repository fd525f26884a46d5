"""midline.pause and midline.resume: nothing is computed in between."""

from collections.abc import Callable
from typing import Any

from fake_engine import FakeEngine
from wire import asking, executing, wired

from midline.model.tokenizer.tokenizer import Tokenizer
from midline.server.lsp.settings import Settings


async def test_a_paused_window_computes_nothing(qwen2_tokenizer: Tokenizer) -> None:
    engine = FakeEngine(qwen2_tokenizer, lambda prompt: "1")

    def load(settings: Settings, progress: Callable[[float], None]) -> Any:
        return engine

    async with wired(load) as wire:
        uri = wire.open("x = \n")
        assert (await wire.ask(asking(1, uri, 0, 4)))["result"]["items"]
        paused = (await wire.ask(executing(2, "midline.pause")))["result"]
        assert paused["state"] == "paused"
        reads = engine.reads
        for id, kind in ((3, 1), (4, 2)):
            assert (await wire.ask(asking(id, uri, 0, 4, kind)))["result"]["items"] == []
        assert engine.reads == reads
        assert wire.said("midline/status")[-1]["silent"] == "paused"
        resumed = (await wire.ask(executing(5, "midline.resume")))["result"]
        assert resumed["state"] == "ready"
        assert (await wire.ask(asking(6, uri, 0, 4)))["result"]["items"]


async def test_a_pause_ends_what_is_being_written(qwen2_tokenizer: Tokenizer) -> None:
    engine = FakeEngine(qwen2_tokenizer, lambda prompt: "a, " * 400, 0.01)
    async with wired(lambda settings, progress: engine, maxTokens=1000) as wire:
        uri = wire.open("x = [\n")
        answer = wire.asked(asking(1, uri, 0, 5))
        await wire.until(lambda: engine.written > 2)
        await wire.ask(executing(2, "midline.pause"))
        await wire.until(answer.done)
        await wire.until(lambda: engine.given_up == 1)
