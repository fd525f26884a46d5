"""midline.reload: the model is loaded anew."""

from fake_engine import FakeEngine
from wire import executing, wired

from midline.model.tokenizer.tokenizer import Tokenizer


async def test_a_reload_replaces_the_engine(qwen2_tokenizer: Tokenizer) -> None:
    engines: list[FakeEngine] = []

    def load(settings: object, progress: object) -> FakeEngine:
        engines.append(FakeEngine(qwen2_tokenizer, lambda prompt: "1"))
        return engines[-1]

    async with wired(load) as wire:
        await wire.until(lambda: wire.server.status.status.state == "ready")
        assert (await wire.ask(executing(1, "midline.reload")))["result"]["state"] == "ready"
        assert [engine.is_closed for engine in engines] == [True, False]
