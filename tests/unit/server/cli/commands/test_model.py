"""`midline model` against a catalogue of one tiny model."""

import hashlib
from pathlib import Path

import pytest

from midline.model.catalog import catalog as catalogue
from midline.model.catalog.catalog import ModelEntry, PackageParts
from midline.server.cli.commands import model as model_command
from midline.server.cli.main import main

CONTENT = b"tiny model " * 1000


@pytest.fixture(autouse=True)
def entry(home: Path, monkeypatch: pytest.MonkeyPatch) -> ModelEntry:
    """The only model there is."""
    tiny = ModelEntry(
        name="tiny",
        file="tiny.gguf",
        bytes=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        hub_repository="Somebody/Tiny-GGUF",
        parts=PackageParts("no-such-part{}", 1, "1.0", "*/x"),
        summary="noise",
    )
    monkeypatch.setattr(catalogue, "CATALOGUE", {"tiny": tiny})
    monkeypatch.setattr(model_command, "CATALOGUE", {"tiny": tiny})
    return tiny


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    path = tmp_path / "downloads"
    path.mkdir()
    (path / "tiny.gguf").write_bytes(CONTENT)
    return path


def test_a_model_comes_and_goes(
    origin: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["model", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:5] == [
        "tiny",
        "0",
        "MB",
        "Apache-2.0",
        "no",
    ]
    assert main(["model", "path", "tiny"]) == 1
    assert "`midline model pull tiny`" in capsys.readouterr().err
    assert main(["model", "pull", "tiny", "--from", str(origin)]) == 0
    assert capsys.readouterr().out == f"{home / 'models' / 'tiny.gguf'}\n"
    assert main(["model", "path", "tiny"]) == 0
    assert capsys.readouterr().out == f"{home / 'models' / 'tiny.gguf'}\n"
    assert main(["model", "list"]) == 0
    assert " yes " in capsys.readouterr().out
    assert main(["model", "remove", "tiny"]) == 0
    assert main(["model", "path", "tiny"]) == 1


def test_a_wrong_file_is_refused_with_both_hashes(
    origin: Path, entry: ModelEntry, capsys: pytest.CaptureFixture[str]
) -> None:
    (origin / "tiny.gguf").write_bytes(b"other")
    assert main(["model", "pull", "tiny", "--from", str(origin)]) == 1
    err = capsys.readouterr().err
    assert entry.sha256 in err
    assert hashlib.sha256(b"other").hexdigest() in err


def test_an_interrupted_pull_says_how_it_goes_on(
    origin: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(model_command, "pull", interrupt)
    assert main(["model", "pull", "tiny", "--from", str(origin)]) == 130
    assert "`midline model pull tiny` continues" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [[], ["pull"], ["pull", "huge"], ["pull", "tiny", "--from", "mars"], ["path", "huge"]]
)
def test_wrong_calls_exit_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("midline: ")
