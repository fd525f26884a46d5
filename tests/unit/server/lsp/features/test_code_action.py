"""textDocument/codeAction: what is offered where, and to whom."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fake_engine import FakeEngine
from wire import Wire, wired

from midline.model.tokenizer.tokenizer import Tokenizer

CODE = "import math\n\n\ndef area(r):\n    return math.pi * r * r\n\n\ndef later(x):\n    pass\n"
LITERAL = {
    "codeAction": {
        "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["refactor", "quickfix"]}}
    }
}


@asynccontextmanager
async def _wire(tokenizer: Tokenizer, text: Any = None, **options: Any) -> AsyncIterator[Wire]:
    engine = FakeEngine(tokenizer, lambda prompt: "")
    can = {"textDocument": LITERAL if text is None else text}
    async with wired(lambda settings, progress: engine, capabilities=can, **options) as wire:
        yield wire


def _asking(uri: str, line: int, *, only: Any = None, diagnostics: Any = ()) -> dict[str, Any]:
    place = {"line": line, "character": 4}
    context = {"diagnostics": list(diagnostics), **({} if only is None else {"only": only})}
    params = {
        "textDocument": {"uri": uri},
        "range": {"start": place, "end": place},
        "context": context,
    }
    return {
        "jsonrpc": "2.0",
        "id": f"a{line}",
        "method": "textDocument/codeAction",
        "params": params,
    }


async def _titles(wire: Wire, *args: Any, **more: Any) -> list[str]:
    return [a["title"] for a in (await wire.ask(_asking(*args, **more)))["result"]]


async def test_in_a_function_its_actions_are_offered(qwen2_tokenizer: Tokenizer) -> None:
    async with _wire(qwen2_tokenizer) as wire:
        uri = wire.open(CODE)
        found = (await wire.ask(_asking(uri, 4)))["result"]
        assert [(a["title"], a["kind"]) for a in found] == [
            ("Midline: Write docstring of area", "refactor.rewrite"),
            ("Midline: Write tests of area", "source"),
            ("Midline: Explain area", "source"),
            ("Midline: Translate area to ...", "source"),
        ]
        (argument,) = found[0]["command"]["arguments"]
        assert found[0]["command"]["command"] == "midline.action"
        assert argument == {
            "action": "docstring",
            "uri": uri,
            "version": 1,
            "range": {"start": {"line": 4, "character": 4}, "end": {"line": 4, "character": 4}},
        }


async def test_an_empty_body_can_be_completed_and_a_full_one_not(
    qwen2_tokenizer: Tokenizer,
) -> None:
    async with _wire(qwen2_tokenizer) as wire:
        uri = wire.open(CODE)
        assert "Midline: Complete the body of later" in await _titles(wire, uri, 8)
        assert "Midline: Complete the body of area" not in await _titles(wire, uri, 4)


async def test_outside_of_functions_there_is_nothing_without_a_diagnostic(
    qwen2_tokenizer: Tokenizer,
) -> None:
    async with _wire(qwen2_tokenizer) as wire:
        uri = wire.open(CODE)
        assert await _titles(wire, uri, 0) == []
        span = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 6}}
        diagnostic = {"range": span, "message": "math is imported twice.\nSee W0404."}
        (fix,) = (await wire.ask(_asking(uri, 0, diagnostics=[diagnostic])))["result"]
        assert (fix["title"], fix["kind"]) == ("Midline: Fix: math is imported twice", "quickfix")
        assert fix["diagnostics"] == [diagnostic]
        assert fix["command"]["arguments"][0]["diagnostic"] == diagnostic
        assert fix["command"]["arguments"][0]["range"] == span


async def test_only_the_kinds_that_the_client_wants_come(qwen2_tokenizer: Tokenizer) -> None:
    async with _wire(qwen2_tokenizer) as wire:
        uri = wire.open(CODE)
        assert await _titles(wire, uri, 4, only=["refactor"]) == [
            "Midline: Write docstring of area"
        ]
        assert await _titles(wire, uri, 4, only=["refactor.extract", "quickfix"]) == []
        assert await _titles(wire, uri, 4, only=["source.organizeImports"]) == []
        assert len(await _titles(wire, uri, 4, only=["source", "refactor.rewrite"])) == 4


async def test_a_client_without_literals_gets_commands(qwen2_tokenizer: Tokenizer) -> None:
    async with _wire(qwen2_tokenizer, text={}) as wire:
        uri = wire.open(CODE)
        found = (await wire.ask(_asking(uri, 4)))["result"]
        assert {a["command"] for a in found} == {"midline.action"}


async def test_where_midline_is_off_nothing_is_offered(qwen2_tokenizer: Tokenizer) -> None:
    async with _wire(qwen2_tokenizer, disabledLanguages=["python"]) as wire:
        assert await _titles(wire, wire.open(CODE), 4) == []
        assert await _titles(wire, "file:///closed.py", 4) == []


async def test_secrets_unknown_languages_and_wild_ranges_have_none(
    qwen2_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    async with _wire(qwen2_tokenizer) as wire:
        secret = wire.open("KEY=1\n", (tmp_path / ".env").as_uri(), "dotenv")
        poem = wire.open("o rose\n", (tmp_path / "poem.txt").as_uri(), "plaintext")
        for uri in (secret, poem):
            assert await _titles(wire, uri, 0) == []
        assert await _titles(wire, wire.open(CODE), 10**9) == []


async def test_an_unsaved_text_has_actions_by_its_language(qwen2_tokenizer: Tokenizer) -> None:
    async with _wire(qwen2_tokenizer) as wire:
        uri = wire.open(CODE, "untitled:Untitled-1", "python")
        assert "Midline: Explain area" in await _titles(wire, uri, 4)
