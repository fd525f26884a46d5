"""midline.pullModel: progress, loading afterwards, cancelling, failing."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine
from wire import Wire, asking, executing, wired

from midline.model.catalog.catalog import ModelEntry, find_entry, resolve
from midline.model.errors import MidlineError
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.server.lsp import loading
from midline.server.lsp.commands import pull_model
from midline.server.lsp.settings import Settings

MODEL = "qwen2.5-coder-0.5b"


@pytest.fixture
def load(
    home: Path, qwen2_tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Loads a fake engine, if the model was pulled."""
    monkeypatch.setattr(loading, "SECONDS_BETWEEN_LOOKS", 0.01)

    def load(settings: Settings, progress: Callable[[float], None]) -> FakeEngine:
        resolve(settings.model)
        return FakeEngine(qwen2_tokenizer, lambda prompt: "1", name=settings.model)

    return load


def pulled(entry: ModelEntry) -> None:
    """Put a file of the right size in the place of a model."""
    entry.path.parent.mkdir(parents=True, exist_ok=True)
    with entry.path.open("wb") as file:
        file.truncate(entry.bytes)


def fetching(monkeypatch: pytest.MonkeyPatch, fetch: Callable[..., None]) -> None:
    def pull(entry: ModelEntry, sources: Any, report: Any, notice: Any) -> None:
        fetch(entry, report)

    monkeypatch.setattr(pull_model, "pull", pull)


async def until_silent(wire: Wire) -> None:
    await wire.until(lambda: wire.server.status.status.state == "noModel")


async def test_a_pulled_model_is_loaded(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(entry: ModelEntry, report: Callable[[int], None]) -> None:
        for part in range(1, 5):
            report(part * entry.bytes // 4)
        pulled(entry)

    fetching(monkeypatch, fetch)
    async with wired(load) as wire:
        await until_silent(wire)
        uri = wire.open("x = \n")
        assert (await wire.ask(asking(1, uri, 0, 4)))["result"]["items"] == []
        assert wire.said("midline/status")[-1]["silent"] == "no model"
        status = (await wire.ask(executing(2, "midline.pullModel")))["result"]
        assert (status["state"], status["model"]) == ("ready", MODEL)
        assert (await wire.ask(asking(3, uri, 0, 4)))["result"]["items"][0]["insertText"] == "1"
        values = [said["value"] for said in wire.said("$/progress")]
        titles = [value["title"] for value in values if value["kind"] == "begin"]
        assert f"Midline: downloading {MODEL}" in titles
        assert {25, 50, 75, 100} <= {value.get("percentage") for value in values}
        shown = [status["message"] for status in wire.said("midline/status")]
        assert f"{MODEL} is being downloaded: 50%." in shown


async def test_a_model_of_another_name_is_loaded_for_this_window(
    load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching(monkeypatch, lambda entry, report: pulled(entry))
    async with wired(load) as wire:
        await until_silent(wire)
        answer = await wire.ask(executing(1, "midline.pullModel", "smollm2-135m"))
        assert answer["result"]["model"] == "smollm2-135m"
        assert wire.server.session.settings.model == "smollm2-135m"


async def test_a_failed_pull_is_one_sentence(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(entry: ModelEntry, report: Callable[[int], None]) -> None:
        raise MidlineError("the disk is full; make room")

    fetching(monkeypatch, fetch)
    async with wired(load) as wire:
        await until_silent(wire)
        answer = await wire.ask(executing(1, "midline.pullModel"))
        assert answer["error"] == {
            "code": -32803,
            "message": "Midline: the disk is full; make room",
        }
        unknown = await wire.ask(executing(2, "midline.pullModel", "no-such-model"))
        assert "the catalogue has" in unknown["error"]["message"]
        assert wire.server.status.status.state == "noModel"


def downloads(wire: Wire) -> list[str]:
    """Tokens of the progress of downloads that has begun."""
    return [
        said["token"]
        for said in wire.said("$/progress")
        if said["value"].get("title", "").startswith("Midline: downloading")
    ]


async def test_a_pull_can_be_cancelled(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def fetch(entry: ModelEntry, report: Callable[[int], None]) -> None:
        try:
            while True:
                report(entry.bytes // 10)
        finally:
            ended.set()

    fetching(monkeypatch, fetch)
    async with wired(load) as wire:
        await until_silent(wire)
        answer = wire.asked(executing(1, "midline.pullModel"))
        await wire.until(lambda: downloads(wire))
        (token,) = downloads(wire)
        wire.send(
            {
                "jsonrpc": "2.0",
                "method": "window/workDoneProgress/cancel",
                "params": {"token": token},
            }
        )
        await wire.until(answer.done)
        assert "was cancelled" in answer.result()["error"]["message"]
        assert ended.wait(5)


async def test_a_model_pulled_elsewhere_is_noticed(load: Any) -> None:
    async with wired(load) as wire:
        await until_silent(wire)
        pulled(find_entry(MODEL))
        await wire.until(lambda: wire.server.status.status.state == "ready")
