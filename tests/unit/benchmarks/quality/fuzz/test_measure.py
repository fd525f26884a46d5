"""Places of the fuzz and how answers are judged, by an engine that writes what it is told."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.main import main
from midline.benchmarks.quality.fuzz import measure as fuzz
from midline.benchmarks.quality.fuzz.measure import (
    Case,
    Witness,
    choose,
    examine,
    judge,
    places,
    summary,
)
from midline.model.completion.fim import WindowLimits
from midline.model.engines.base import Request, SamplingOptions
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.documents import Document

PROGRAM = "def total(values):\n    return sum(values)\n\n\nprint(total([1, 2, 3]))\n" * 6
GO = "package a\n\nfunc f(x int) int {\n\treturn x + 1\n}\n" + "// padding\n" * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(4):
        (tmp_path / f"{number}.py").write_text(f"x{number} = 1\n" + PROGRAM)
    (tmp_path / "a.go").write_text(GO)
    (tmp_path / "short.go").write_text("package a\n")
    (tmp_path / "notes.txt").write_text(PROGRAM)
    return tmp_path


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("fuzz") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


def case_at(marked: str, form: str = "typed", missing: str = "") -> Case:
    before, after = marked.split("|")
    document = Document("file:///a.py", before + after)
    return Case("python", form, document, len(before), before + missing + after)


def test_languages_take_turns(folder: Path) -> None:
    chosen = choose([folder], 3, seed=1)
    assert sorted(path.suffix for path in chosen) == [".go", ".py", ".py"]
    assert chosen == choose([folder], 3, seed=1)
    assert len(choose([folder], 100, seed=1)) == 5


@pytest.mark.parametrize("form", fuzz.FORMS)
def test_a_place_is_the_same_in_every_form(folder: Path, form: str) -> None:
    path = folder / "0.py"
    whole = places(path, "whole", 20, 0)
    found = places(path, form, 20, 0)
    text = path.read_text()
    assert [case.offset for case in found] == [case.offset for case in whole]
    for case in found:
        missing = len(text) - len(case.document.text)
        piece = text[case.offset : case.offset + missing]
        assert "\n" not in piece
        assert text == case.document.text[: case.offset] + piece + case.document.text[case.offset :]
        rest = text[case.offset + missing]
        assert form != "typed" or rest == "\n"
        assert not (form == "gap" and piece[-1:].isalnum() and rest.isalnum())
        assert form != "whole" or missing == 0


def test_the_file_goes_on_where_something_is_missing() -> None:
    assert case_at("x = |\n", missing="1").goes_on
    assert not case_at("x = 1|\n", missing="  ").goes_on
    assert case_at("x = |1\n", "whole").goes_on
    assert not case_at("x = 1|\n", "whole").goes_on


@pytest.mark.parametrize(
    ("marked", "missing", "text", "expected"),
    [
        ("x = |\n", "1", "2", (True, None, True)),
        ("x = |\n", "1", "", (False, None, False)),
        ("x = 1|\n", " + 2", "", (False, True, True)),
        ("x = 1|\n", " + 2", "(", (True, False, False)),
        ("x = (|\n", "", "1)", (None, None, None)),
    ],
)
def test_answers_are_judged_by_a_fresh_parse(
    marked: str, missing: str, text: str, expected: tuple[bool | None, ...]
) -> None:
    found = judge(case_at(marked, missing=missing), text)
    assert (found["non_empty"], found["valid"], found["valid_as_written"]) == expected


def test_an_exception_is_a_finding_and_spares_the_others(tokenizer: Tokenizer) -> None:
    def answer(prompt: str) -> str:
        if "boom" in prompt:
            raise ZeroDivisionError("boom")
        return "1\n"

    cases = [case_at("x = |\n", missing="2"), case_at("boom = |\n", missing="2")]
    engine = FakeEngine(tokenizer, answer)
    rows = examine(engine, cases, SamplingOptions(max_tokens=8), WindowLimits())
    assert (rows[0]["text"], rows[0]["exception"]) == ("1", None)
    assert "boom" in rows[1]["exception"]
    everything = summary(
        [{**row, "form": "typed", "language": "python"} for row in rows], ["typed"]
    )
    assert (everything[0]["cases"], everything[0]["exceptions"]) == (2, 1)
    assert (everything[0]["non_empty"], everything[0]["non_empty_cases"]) == (1.0, 1)


@pytest.mark.parametrize(
    ("written", "disagreeing"), [("x = 1", 0), ("y = 1", 1), ("x", 0), ("xy", 1)]
)
def test_bytes_that_disagree_are_noticed(
    tokenizer: Tokenizer, written: str, disagreeing: int
) -> None:
    ids = tokenizer.encode(written)
    generation = SimpleNamespace(completions=[SimpleNamespace(ids=ids)])
    engine = SimpleNamespace(tokenizer=tokenizer, batch=lambda *_args: [generation])
    witness = Witness(engine)  # type: ignore[arg-type]
    witness.batch([Request([1], b"x =")], SamplingOptions())
    assert witness.disagreeing == disagreeing


def test_the_command_writes_its_figures(
    folder: Path, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine(tokenizer, lambda prompt: "1")
    monkeypatch.setattr(fuzz, "load_engine", lambda model: engine)
    result = folder / "fuzz.json"
    words = ["quality", "fuzz", str(folder), "--files", "4", "--show", "--json", str(result)]
    assert main(words) == 0
    found = json.loads(result.read_text())
    assert (found["files"], found["disagreeing"]) == (4, 0)
    assert {row["form"] for row in found["rows"]} == {"typed", "gap"}
    assert str(folder) not in result.read_text()


def test_a_folder_without_sources_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["quality", "fuzz", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
