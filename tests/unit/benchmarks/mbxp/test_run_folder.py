"""A folder of samples belongs to the options they were drawn with."""

import json
from pathlib import Path

import pytest

from midline.benchmarks.main import main
from midline.benchmarks.mbxp.run_folder import RUN, claim, model_identity
from midline.benchmarks.mbxp.samples import SAMPLES, read_generated
from midline.model.catalog.catalog import find_entry
from midline.model.errors import MidlineError, UsageError
from midline.model.weights.packed import model_hash

TASKS = Path(__file__).resolve().parents[3] / "golden" / "mbxp" / "tasks"
OPTIONS = {"model": "a", "temperature": 0.6, "seed": 0, "exact": False}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with samples of OPTIONS."""
    claim(tmp_path / "out", OPTIONS)
    (tmp_path / "out" / SAMPLES).write_text("{}\n")
    return tmp_path / "out"


@pytest.mark.parametrize(
    ("name", "value"), [("model", "b"), ("temperature", 0.8), ("seed", 1), ("exact", True)]
)
def test_samples_of_other_options_are_refused(folder: Path, name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"samples of --{name} .*, not {value}; .* --out"):
        claim(folder, OPTIONS | {name: value})
    claim(folder, OPTIONS)
    assert json.loads((folder / RUN).read_text()) == OPTIONS


def test_every_option_that_differs_is_named(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"--model a, not b, --seed 0, not 2;"):
        claim(folder, OPTIONS | {"model": "b", "seed": 2})


def test_samples_from_before_there_were_such_files_are_taken_as_they_are(folder: Path) -> None:
    (folder / RUN).unlink()
    claim(folder, OPTIONS | {"seed": 7})
    with pytest.raises(UsageError, match="--seed 7, not 0"):
        claim(folder, OPTIONS)


def test_options_without_samples_bind_nobody(folder: Path) -> None:
    (folder / SAMPLES).write_text("")
    claim(folder, OPTIONS | {"seed": 7})
    assert json.loads((folder / RUN).read_text())["seed"] == 7


@pytest.mark.parametrize("text", ["{", "3"])
def test_a_file_that_says_nothing_is_named(folder: Path, text: str) -> None:
    (folder / RUN).write_text(text)
    with pytest.raises(MidlineError, match=r"run\.json does not say"):
        claim(folder, OPTIONS)


def test_a_model_is_known_by_its_name_or_its_bytes(
    tiny_qwen2: Path, tiny_llama: Path, tmp_path: Path, home: Path
) -> None:
    name = "qwen2.5-coder-0.5b"
    assert model_identity(name) == find_entry(name).name
    namesake = tmp_path / tiny_qwen2.name
    namesake.write_bytes(tiny_llama.read_bytes())
    assert model_identity(str(namesake)) != model_identity(str(tiny_qwen2))
    assert model_hash(tiny_qwen2) in model_identity(str(tiny_qwen2))


@pytest.mark.parametrize(
    "other", [["--temperature", "0.5"], ["--max-tokens", "3"], ["--exact"], ["--shots", "1"],
              ["--seed", "1"], ["--top-p", "0.9"]]
)  # fmt: skip
def test_a_run_does_not_pass_old_samples_off_as_new_ones(
    tiny_qwen2: Path, home: Path, other: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["mbxp", "run", "--model", str(tiny_qwen2), "--lang", "python", "--data", str(TASKS)]
    words += ["--no-evaluate", "--limit", "1", "--out", str(home / "out")]
    assert main([*words, "--max-tokens", "2"]) == 0
    rows = list(read_generated(home / "out" / SAMPLES))
    assert rows
    assert main([*words, "--max-tokens", "2", *other]) == 2
    said = capsys.readouterr().err
    assert f"has samples of {other[0]} " in said
    assert said.count("\n") == 2  # the first run's own line, and the refusal
    assert main([*words, "--max-tokens", "2"]) == 0
    assert list(read_generated(home / "out" / SAMPLES)) == rows
