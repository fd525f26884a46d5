"""midline/status: what it says, when, and with which fields."""

import itertools
import threading
from typing import Any

from fake_engine import FakeEngine
from raw_client import request
from wire import asking, wired

from midline.model.tokenizer.tokenizer import Tokenizer
from midline.server.lsp.engine_state import EngineState

FIELDS = {
    *("state", "message", "model", "progress", "tokensPerSecond", "lastMilliseconds", "silent"),
}


async def test_loading_thinking_and_ready_are_told(qwen2_tokenizer: Tokenizer) -> None:
    gate = threading.Event()

    def load(settings: Any, progress: Any) -> FakeEngine:
        progress(0.5)
        gate.wait(20)
        return FakeEngine(qwen2_tokenizer, lambda prompt: "1", 0.01)

    async with wired(load) as wire:
        await wire.until(lambda: wire.server.status.status.progress == 0.5)
        status = (await wire.ask(request(1, "midline/status")))["result"]
        assert set(status) == FIELDS
        assert status["state"] == "loading" and "50%" in status["message"]
        gate.set()
        await wire.until(lambda: wire.server.status.status.state == "ready")
        uri = wire.open("x = \n")
        assert (await wire.ask(asking(2, uri, 0, 4)))["result"]["items"]
        told = wire.said("midline/status")
        states = [status["state"] for status in told]
        assert states.index("loading") < states.index("ready") < states.index("thinking")
        assert told[-1]["state"] == "ready" and told[-1]["tokensPerSecond"] == 4.0
        assert told[-1]["lastMilliseconds"] > 0 and told[-1]["silent"] is None
        assert all(set(status) == FIELDS for status in told)
        assert all(one != other for one, other in itertools.pairwise(told))


async def test_what_is_loading_is_a_reason_for_silence(qwen2_tokenizer: Tokenizer) -> None:
    async with wired(lambda settings, progress: FakeEngine(qwen2_tokenizer, str)) as wire:
        await wire.until(lambda: wire.server.status.status.state == "ready")
        line = wire.server.status
        assert line.silence() == ""
        line.engine_is(EngineState("loading", "a", 0.4, "a is being loaded: 40%."))
        assert line.silence() == "loading 40%"
        line.engine_is(EngineState("noModel", "a", None, "pull it."))
        assert line.silence() == "no model"
