"""midline.explainImage: a path or the clipboard's bytes; failure, place, explanation."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fake_engine import FakeEngine
from wire import executing, wired

from midline.model.tokenizer.tokenizer import Tokenizer

EDITOR = Path(__file__).parents[4] / "data" / "screens" / "editor.png"


@asynccontextmanager
async def asking(root: Path, tokenizer: Tokenizer) -> AsyncIterator[Any]:
    (root / ".git").mkdir(parents=True)
    path = root / "billing" / "invoice.py"
    path.parent.mkdir()
    path.write_text("\n" * 6 + '    return sum(row["price"] * row["count"] for row in rows)\n')
    engine = FakeEngine(tokenizer, lambda prompt: "A row has no price.")
    async with wired(lambda settings, progress: engine) as wire:
        await wire.until(lambda: wire.server.status.status.state == "ready")
        uri = wire.open(path.read_text(), path.as_uri())

        async def ask(**request: Any) -> dict[str, Any]:
            message = executing("image", "midline.explainImage", {"uri": uri, **request})
            found: dict[str, Any] = await wire.ask(message)
            return found.get("result") or found["error"]

        yield ask


async def test_a_path_is_read_and_explained(
    tmp_path: Path, home: Path, qwen2_tokenizer: Tokenizer
) -> None:
    async with asking(tmp_path / "shop", qwen2_tokenizer) as ask:
        found = await ask(path=str(EDITOR))
    assert found["failure"]["exception"] == "KeyError"
    assert found["places"][0]["uri"].endswith("billing/invoice.py")
    assert found["places"][0]["line"] == 6
    assert "A row has no price." in found["answer"]


async def test_bytes_are_read_and_broken_ones_told(
    tmp_path: Path, home: Path, qwen2_tokenizer: Tokenizer
) -> None:
    data = EDITOR.read_bytes()
    async with asking(tmp_path / "shop", qwen2_tokenizer) as ask:
        found = await ask(data=base64.b64encode(data).decode())
        broken = await ask(data=base64.b64encode(data[:200]).decode())
        wrong = await ask(data="no Base64!")
    assert found["places"][0]["line"] == 6
    assert "picture" in broken["message"]
    assert "takes an object" in wrong["message"]
