"""midline do in an editor: every intent that acts ends in an edit of a project, or an answer.

The model is told its text beforehand, except in the last test, which asks the real one.
"""

import ast
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine
from wire import Wire, executing, wired

from midline.model.catalog.catalog import find_entry
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.server.documents import Document, PositionEncoding
from midline.server.lsp.model_loader import LoadEngine, load_engine

STATS = '''"""Figures of lists."""


def mean(values):
    total = 0
    for value in values:
        total += value
    return totl / len(values)


def spread(values):
    low = min(values)
    high = max(values)
    return high - low


def median(values):
    """The middle value."""
    pass
'''
MAIN = "from stats import mean\n\nprint(mean([1, 2]))\n"
FIXED = STATS.partition("\n\n\n")[2].partition("\n\n\n")[0].replace("totl", "total")
CAN = {
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {"documentChanges": True, "resourceOperations": ["create"]},
    }
}
Do = Callable[..., Any]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    (root / "stats.py").write_text(STATS)
    (root / "main.py").write_text(MAIN)
    return root


@asynccontextmanager
async def _doing(project: Path, load: LoadEngine, **options: Any) -> AsyncIterator[tuple[Wire, Do]]:
    """A client with both files open that says yes to every question, and what it asks with."""
    async with wired(load, capabilities=CAN, **options) as wire:
        await wire.until(lambda: wire.server.status.status.state == "ready")
        for name in ("stats.py", "main.py"):
            wire.open((project / name).read_text(), (project / name).as_uri())

        async def do(text: str, line: int = 4) -> dict[str, Any]:
            place = {"line": line - 1, "character": 4}
            given = {
                "text": text,
                "uri": (project / "stats.py").as_uri(),
                "range": {"start": place, "end": {**place, "character": 8}},
            }
            shown = await wire.ask(executing(text, "midline.do", given))
            if not shown["result"].get("question"):
                return dict(shown["result"])
            done = await wire.ask(executing(f"{text}!", "midline.do", {**given, "confirm": True}))
            return dict(done["result"])

        yield wire, do


def _told(tokenizer: Tokenizer, answer: str) -> LoadEngine:
    return lambda settings, progress: FakeEngine(tokenizer, lambda prompt: answer)


def _edited(wire: Wire, project: Path) -> dict[str, str]:
    """The texts of the project once the client has applied what it was sent."""
    texts = {path.name: path.read_text() for path in project.glob("*.py")}
    for params in wire.edits:
        for change in params["edit"]["documentChanges"]:
            if change.get("kind") == "create":
                texts[Path(change["uri"]).name] = ""
                continue
            name = Path(change["textDocument"]["uri"]).name
            texts[name] = _applied(texts[name], change["edits"])
    return texts


def _applied(text: str, edits: list[dict[str, Any]]) -> str:
    document = Document("", text)

    def offset(place: dict[str, int]) -> int:
        return document.offset(place["line"], place["character"], PositionEncoding.UTF16)

    spans = [(offset(e["range"]["start"]), offset(e["range"]["end"]), e["newText"]) for e in edits]
    for start, end, new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


async def test_a_fix_changes_the_wrong_line_alone(
    project: Path, home: Path, qwen2_tokenizer: Tokenizer
) -> None:
    async with _doing(project, _told(qwen2_tokenizer, f"```python\n{FIXED}\n```")) as (wire, do):
        assert (await do("fix the bug in mean"))["applied"]
        texts = _edited(wire, project)
        assert texts["stats.py"] == STATS.replace("totl", "total")
        (change,) = wire.edits[0]["edit"]["documentChanges"]
        assert [e["newText"] for e in change["edits"]] == ["    return total / len(values)"]


async def test_a_docstring_stands_first_in_the_body(
    project: Path, home: Path, qwen2_tokenizer: Tokenizer
) -> None:
    async with _doing(project, _told(qwen2_tokenizer, "Returns high less low.")) as (wire, do):
        assert (await do("add a docstring to spread"))["applied"]
        tree = ast.parse(_edited(wire, project)["stats.py"])
        documented = {
            node.name: ast.get_docstring(node)
            for node in tree.body
            if isinstance(node, ast.FunctionDef)
        }
        assert documented == {
            "mean": None,
            "spread": "Returns high less low.",
            "median": "The middle value.",
        }


async def test_tests_go_into_a_new_file(
    project: Path, home: Path, qwen2_tokenizer: Tokenizer
) -> None:
    answer = "_of_two():\n    assert spread([1, 3]) == 2\n```"
    async with _doing(project, _told(qwen2_tokenizer, answer)) as (wire, do):
        assert (await do("write tests for spread"))["applied"]
        assert _edited(wire, project)["test_stats.py"] == (
            "from stats import spread\n\n\ndef test_spread_of_two():\n"
            "    assert spread([1, 3]) == 2\n"
        )


async def test_a_rename_reaches_every_file(
    project: Path, home: Path, qwen2_tokenizer: Tokenizer
) -> None:
    async with _doing(project, _told(qwen2_tokenizer, "")) as (wire, do):
        assert (await do("rename mean to average"))["applied"]
        texts = _edited(wire, project)
        assert "def average(values):" in texts["stats.py"]
        assert texts["main.py"] == MAIN.replace("mean", "average")


async def test_lines_are_extracted(project: Path, home: Path, qwen2_tokenizer: Tokenizer) -> None:
    async with _doing(project, _told(qwen2_tokenizer, "")) as (wire, do):
        assert (await do("extract this into low_of", 12))["applied"]
        text = _edited(wire, project)["stats.py"]
        assert "def low_of(values):" in text
        assert "low_of(values)" in text.partition("def spread")[2]


async def test_a_translation_is_shown(
    project: Path, home: Path, qwen2_tokenizer: Tokenizer
) -> None:
    answer = "func spread(values []int) int {\n\treturn 0\n}\n```"
    async with _doing(project, _told(qwen2_tokenizer, answer)) as (wire, do):
        found = await do("translate spread to go")
        assert found["answer"].startswith("```go\nfunc spread(values []int) int {")
        assert wire.edits == []


async def test_a_body_is_completed(project: Path, home: Path, qwen2_tokenizer: Tokenizer) -> None:
    answer = "    return sorted(values)[len(values) // 2]\n```"
    async with _doing(project, _told(qwen2_tokenizer, answer)) as (wire, do):
        assert (await do("complete median", 19))["applied"]
        text = _edited(wire, project)["stats.py"]
        assert text == STATS.replace("pass", "return sorted(values)[len(values) // 2]")


async def test_an_explanation_is_an_answer_and_no_edit(
    project: Path, home: Path, qwen2_tokenizer: Tokenizer
) -> None:
    async with _doing(project, _told(qwen2_tokenizer, "It is high less low.")) as (wire, do):
        assert (await do("explain what spread does"))["answer"].startswith("It is high less low.")
        short = await do("explain spread")
        assert short["frame"]["slots"] == {"symbol": "spread"}
        assert short["answer"].startswith("It is high less low.")
        assert wire.edits == []


async def test_a_function_is_optimised(
    project: Path, home: Path, qwen2_tokenizer: Tokenizer
) -> None:
    faster = "def spread(values):\n    return max(values) - min(values)\n"
    async with _doing(project, _told(qwen2_tokenizer, f"```python\n{faster}```")) as (wire, do):
        assert (await do("make spread faster"))["applied"]
        text = _edited(wire, project)["stats.py"]
        assert faster in text and "low = min" not in text
        ast.parse(text)


async def test_code_is_generated_at_the_cursor(
    project: Path, home: Path, qwen2_tokenizer: Tokenizer
) -> None:
    code = "def total(values):\n    return sum(values)\n"
    async with _doing(project, _told(qwen2_tokenizer, f"```python\n{code}```")) as (wire, do):
        found = await do("write a function that sums a list", 9)
        assert "def total(values):" in (found.get("answer") or _edited(wire, project)["stats.py"])
        ast.parse(_edited(wire, project)["stats.py"])


async def test_places_are_found_and_opened(
    project: Path, home: Path, qwen2_tokenizer: Tokenizer
) -> None:
    async with _doing(project, _told(qwen2_tokenizer, "")) as (wire, do):
        found = await do("find all usages of mean")
        assert {(Path(p["uri"]).name, p["line"]) for p in found["places"]} >= {
            ("stats.py", 3), ("main.py", 0), ("main.py", 2),
        }  # fmt: skip
        (place,) = (await do("open main.py at line 3"))["places"]
        assert (Path(place["uri"]).name, place["line"]) == ("main.py", 2)
        assert wire.edits == []


async def test_tests_settings_the_model_and_pauses(
    project: Path, home: Path, qwen2_tokenizer: Tokenizer
) -> None:
    async with _doing(project, _told(qwen2_tokenizer, "")) as (wire, do):
        (project / "Makefile").write_text("test:\n\tpython -m pytest\n")
        assert (await do("run the tests"))["command"] == ["make", "test"]
        await do("set max tokens to 40")
        assert wire.server.session.settings.max_tokens == 40
        await do("switch to the 1.5b model")
        assert wire.server.session.settings.model == "qwen2.5-coder-1.5b"
        assert (await do("pause for an hour"))["status"]["state"] == "paused"
        assert (await do("status"))["status"]["state"] == "paused"
        assert (await do("resume"))["status"]["state"] != "paused"


MODEL = "qwen2.5-coder-0.5b"


@pytest.mark.skipif(
    not find_entry(MODEL).is_here(), reason=f"`midline model pull {MODEL}` has not been run"
)
async def test_the_real_model_fixes_and_documents(project: Path) -> None:
    async with _doing(project, load_engine, model=MODEL) as (wire, do):
        assert (await do("fix the bug in mean")).get("applied")
        fixed = _edited(wire, project)["stats.py"]
        assert "return total / len(values)" in fixed, fixed
        wire.edits.clear()
        assert (await do("add a docstring to spread")).get("applied")
        documented = _edited(wire, project)["stats.py"]
        functions = [n for n in ast.parse(documented).body if isinstance(n, ast.FunctionDef)]
        assert len(ast.get_docstring(functions[1]) or "") > 10, documented
