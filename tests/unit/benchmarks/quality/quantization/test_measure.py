"""The study on a tiny model: parts are measured once, and the report is of what there is."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from midline.benchmarks.main import main
from midline.benchmarks.mbxp.tasks import Task
from midline.benchmarks.quality.cursor.cases import load_cases
from midline.benchmarks.quality.quantization import measure
from midline.benchmarks.quality.quantization.claims import claims
from midline.benchmarks.quality.quantization.cursor_part import spread
from midline.benchmarks.quality.quantization.perplexity import against, perplexity
from midline.benchmarks.quality.quantization.robustness import scores
from midline.benchmarks.quality.quantization.store import Store, Subject
from midline.benchmarks.quality.quantization.study import Study
from midline.benchmarks.quality.quantization.summarization import parts_of, summary_of
from midline.benchmarks.quality.quantization.table import table

pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
CALL = ["quality", "quantization", "--dense", "--recipes", "q8_0", "q4_0"]


@pytest.fixture
def call(tiny_qwen2: Path, home: Path, tmp_path: Path) -> list[str]:
    data = Path(__file__).resolve().parents[4] / "golden/mbxp/tasks"
    return [
        *CALL,
        "--model",
        str(tiny_qwen2),
        "--out",
        str(tmp_path / "study"),
        "--data",
        str(data),
    ]


def test_a_study_goes_on_where_it_was(
    call: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    parts = ["--parts", "size", "perplexity"]
    real, asked = measure.measure_part, []

    def die(study: Study, subject: Subject, key: str) -> object:
        if (subject.recipe, key) == ("q4_0", "perplexity"):
            raise KeyboardInterrupt
        asked.append((key, subject.name))
        return real(study, subject, key)

    monkeypatch.setattr(measure, "measure_part", die)
    assert main([*call, *parts]) == 130
    monkeypatch.setattr(measure, "measure_part", real)
    out = tmp_path / "result.json"
    assert main([*call, *parts, "--json", str(out)]) == 0
    assert [name for key, name in asked if key == "perplexity"] == ["onnx-float32", "q8_0"]
    found = json.loads(out.read_text())["models"][0]
    rows = {row["name"]: row for row in found["rows"]}
    assert list(rows) == ["onnx-float32", "q4_0", "q8_0"]
    assert rows["q8_0"]["bytes"] < rows["onnx-float32"]["bytes"]
    assert abs(rows["q8_0"]["nats"]["difference"]) < abs(rows["q4_0"]["nats"]["difference"])
    assert rows["onnx-float32"]["nats"]["difference"] == 0
    assert {claim["held"] for claim in found["claims"]} == {None}
    capsys.readouterr()
    assert main([*call, "--only", "report"]) == 0
    printed = capsys.readouterr().out
    assert "q4_0" in printed and "int8 without significant loss: not measured" in printed


def test_a_large_model_goes_without_the_reference(call: list[str], tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    words = ["--no-reference", "--parts", "size", "perplexity", "mbxp", "--lang", "python"]
    assert main([*call, *words, "--limit", "1", "--json", str(out)]) == 0
    rows = json.loads(out.read_text())["models"][0]["rows"]
    assert [row["name"] for row in rows] == ["q4_0", "q8_0"]
    assert all(row["perplexity"] > 1 for row in rows)


def test_a_killed_study_goes_on(call: list[str], home: Path, tmp_path: Path) -> None:
    """A process killed while it measures leaves whole results, and the next one uses them."""
    words = [sys.executable, "-P", "-m", "midline.benchmarks.main", *call]
    words += ["--parts", "size", "perplexity", "--threads", "1"]
    folder = tmp_path / "study"
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while process.poll() is None and not list(folder.rglob("perplexity.json")):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.wait()
    kept = {path: path.read_bytes() for path in folder.rglob("*.json")}
    assert kept and all(json.loads(data)["result"] for data in kept.values())
    assert main([*call, "--parts", "size", "perplexity", "--threads", "1"]) == 0
    assert len(list(folder.rglob("perplexity.json"))) == 3
    assert {path: path.read_bytes() for path in kept} == kept


def test_results_of_languages_stand_beside_each_other(call: list[str], tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    words = ["--parts", "mbxp", "--limit", "1", "--json", str(out)]
    assert main([*call, *words, "--lang", "python"]) == 0
    before = sorted(tmp_path.rglob("mbxp-python.json"))
    assert main([*call, *words, "--lang", "javascript"]) == 0
    assert sorted(tmp_path.rglob("mbxp-python.json")) == before
    rows = json.loads(out.read_text())["models"][0]["rows"]
    assert [set(row["mbxp"]) for row in rows] == [{"python", "javascript"}] * 3


def test_marked_cursors_are_spread_over_all_projects() -> None:
    cases = load_cases()
    chosen = spread(cases, 40)
    assert len(chosen) == len({case.place for case in chosen}) == 40
    assert {case.project for case in chosen} == {case.project for case in cases}
    assert spread(cases, 10**6) == cases


def test_problems_are_executed_and_paired(call: list[str], tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    words = ["--parts", "mbxp", "--lang", "python", "--limit", "1", "--json", str(out)]
    assert main([*call, *words]) == 0
    rows = json.loads(out.read_text())["models"][0]["rows"]
    assert [row["mbxp"]["python"]["problems"] for row in rows] == [1, 1, 1]
    assert rows[1]["mbxp"]["python"]["against"]["cases"] == 1


def test_a_page_has_the_table_and_its_plot(call: list[str], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra `study` is not installed")
    words = ["--parts", "size", "mbxp", "--lang", "python", "--limit", "1"]
    assert main([*call, *words, "--page", str(tmp_path / "page.md")]) == 0
    text = (tmp_path / "page.md").read_text()
    assert "| q8_0 |" in text and "](page-bytes-tiny-qwen2.svg)" in text
    assert (tmp_path / "page-bytes-tiny-qwen2.svg").read_text().startswith("<?xml")


def test_wrong_calls_are_told(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for words, sentence in [
        (["--limit", "0"], "--limit is 0; it needs at least 1"),
        (["--lang", "java"], "--lang needs python"),
        (["--no-reference"], "speed is measured beside the reference"),
        (["--recipes", "q9"], "there is no recipe 'q9'"),
    ]:
        assert main([*call, *words]) == 2
        assert sentence in capsys.readouterr().err


def row(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "recipe": name, **more}


def test_claims_follow_from_the_figures() -> None:
    pair = {"cases": 400, "difference": -0.04, "interval": [-0.06, -0.02], "p_value": 0.001}
    drops = {"names": {"relative_drop": 0.3}, "format": {"relative_drop": 0.5}}
    lost = {"cases": 80, "difference": -0.1, "interval": [-0.15, -0.05], "p_value": 0.002}
    gap = {"problems": 9, "chrf": {"difference": -1.0, "interval": [-3.0, 1.0]}}
    rows = [
        row("onnx-float32", robustness={"names": {"relative_drop": 0.2}}),
        row("onnx-int8", nats={"difference": 0.05}, robustness=drops, robust={"against": lost},
            mbxp={"python": {"against": pair}}, summaries={"against": gap}),
        row("onnx-int8-weights", nats={"difference": 0.01}),
        row("onnx-int8-weights-tensor", nats={"difference": 0.03}),
    ]  # fmt: skip
    assert [claim["held"] for claim in claims(rows)] == [False, True, True, False, True]
    natives = [
        row("int8-tensor", nats={"difference": 0.1}),
        row("int8-channel", nats={"difference": 0}),
    ]
    (found,) = [each for each in claims(natives) if each["held"] is not None]
    assert found["sentence"].endswith(
        "+0.0000 nats a token (int8-channel) against +0.1000 (int8-tensor)"
    )
    pair["p_value"] = 0.4
    assert claims(rows)[0]["held"] is True
    pair["cases"] = 299
    assert claims(rows)[0]["held"] is None


def test_robust_means_under_every_seed() -> None:
    found = scores({"names": {"a": [1, 1, 1], "b": [1, 0, 1], "c": [0, 1, 1], "d": [0, 0, 0]}})
    assert found["names"] == {
        "problems": 4, "seeds": 2, "nominal": 0.5, "robust": 0.5, "relative_drop": 0.0,
    }  # fmt: skip
    assert scores({"names": {"a": [0, 0]}})["names"]["relative_drop"] is None


def test_perplexity_is_of_all_texts_together() -> None:
    truth = {"a": [10.0, 10.0], "b": [40.0, 20.0]}
    assert perplexity(truth) == pytest.approx(2.718281828 ** (50 / 30))
    found = against({"a": [11.0, 10.0], "b": [42.0, 20.0]}, truth)
    assert found["difference"] == pytest.approx(0.1) and found["interval"][0] == pytest.approx(0.1)


def test_a_docstring_begins_with_words_that_the_description_lacks() -> None:
    prompt = (
        'def f(a):\n    """\n    Write a python function to sort a list.\n    >>> f([1])\n    """\n'
    )
    body = "    return sorted(a)\n"
    task = Task("MBPP/1", "python", prompt, "", "f", canonical_solution=body)
    before, after, description = parts_of(task) or ("", "", "")
    assert before == 'def f(a):\n    """Write a function to'
    assert after == '"""\n    return sorted(a)\n'
    assert description == "sort a list."


def test_a_summary_is_the_first_paragraph() -> None:
    assert summary_of(' Sort it.\n    By key.\n\n    Args: x\n"""\n') == "Sort it. By key."
    assert summary_of("Find x.\n    >>> f(1)") == "Find x."


def test_results_of_other_settings_do_not_count(tmp_path: Path) -> None:
    store, subject = Store(tmp_path), Subject("m", "q8_0", "native", tmp_path, 0.4)
    store.put(subject, "size", {"n": 1}, {"bytes": 3})
    assert store.get(subject, "size", {"n": 1}) == {"bytes": 3}
    assert store.get(subject, "size", {"n": 2}) is None
    assert list(store.every("m", "size")) == [("q8_0@40", {"bytes": 3})]
    assert "q8_0@40" in table([row("q8_0@40", bytes=3)])[1]
