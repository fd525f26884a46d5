"""`midline explain-image`: what failed where, as text and as JSON, and one sentence otherwise."""

import json
import sys
from pathlib import Path

import pytest

from midline.server.cli.main import main

EDITOR = Path(__file__).parents[4] / "data" / "screens" / "editor.png"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Path:
    root = tmp_path / "shop"
    (root / ".git").mkdir(parents=True)
    (root / "billing").mkdir()
    line = '    return sum(row["price"] * row["count"] for row in rows)\n'
    (root / "billing" / "invoice.py").write_text("\n" * 6 + line)
    monkeypatch.chdir(root)
    return root


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capfd.readouterr()
    status = main(["explain-image", *words])
    return status, *capfd.readouterr()


def test_the_place_is_printed(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capfd, str(EDITOR), "--no-answer")
    assert status == 0
    assert out.startswith("billing/invoice.py:7: return sum(")
    assert "KeyError: 'price' at billing/invoice.py:7" in err


def test_json_has_failure_places_and_text(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capfd, str(EDITOR), "--no-answer", "--json")
    found = json.loads(out)
    assert status == 0 and found["answer"] is None
    assert found["failure"]["exception"] == "KeyError"
    assert found["places"][0]["path"] == "billing/invoice.py"
    assert found["text"].startswith("Traceback")


def test_what_is_no_picture_is_one_sentence(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    status, _, err = run(capfd, "billing/invoice.py")
    assert status == 1
    assert "invoice.py is no picture" in err and err.count("\n") == 1


def test_without_the_extra_the_way_out_is_told(
    project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    status, _, err = run(capfd, str(EDITOR))
    assert status == 1
    assert "pip install 'midline[vision]'" in err


def test_do_reads_the_picture_that_a_sentence_names(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "shot.png").write_bytes((EDITOR.parent / "code.png").read_bytes())
    status = main(["do", "read the screenshot shot.png"])
    assert status == 0
    assert "def rate_of(country):" in capfd.readouterr().out
