"""Standard streams that are closed, full or given up: a sentence and a status, once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MIDLINE = [sys.executable, "-P", "-m", "midline.server.cli.main"]
LISTING = [*MIDLINE, "model", "list"]


@pytest.fixture(params=["", "1"], ids=["buffered", "unbuffered"], autouse=True)
def unbuffered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unbuffered output fails at every write, a buffered one when it is flushed."""
    monkeypatch.setenv("PYTHONUNBUFFERED", request.param)


def shell(redirection: str, command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        f"{' '.join(command)} {redirection}", shell=True, capture_output=True, text=True
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", [LISTING, [*MIDLINE, "--help"], [*MIDLINE, "--version"]])
def test_a_full_device_is_one_sentence(command: list[str]) -> None:
    done = shell("> /dev/full", command)
    assert done.returncode == 1
    assert done.stderr == "midline: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize("command", [LISTING, [*MIDLINE, "--help"], [*MIDLINE, "--version"]])
def test_closed_standard_output_is_one_sentence(command: list[str]) -> None:
    done = shell(">&-", command)
    assert done.returncode == 1
    assert done.stderr == "midline: standard output cannot be written: Bad file descriptor\n"


def test_a_reader_that_left_is_no_news(home: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(LISTING, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("redirection", ["2>&-", "2> /dev/full"])
def test_without_standard_error_the_status_is_the_same(redirection: str) -> None:
    done = shell(redirection, [*MIDLINE, "model", "path", "nobody"])
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("redirection", ["> /dev/full", ">&-"])
def test_an_error_keeps_its_status_though_its_json_cannot_be_written(redirection: str) -> None:
    done = shell(redirection, [*MIDLINE, "complete", "nowhere:1:1", "--json"])
    assert done.returncode == 2
    assert (
        done.stderr.startswith("midline: nowhere cannot be read") and done.stderr.count("\n") == 1
    )


def test_no_file_takes_the_place_of_a_closed_stream() -> None:
    code = (
        "import os, sys\n"
        "from midline.server.cli.standard_streams import prepare_standard_streams\n"
        "prepare_standard_streams()\n"
        "descriptor = os.open(os.devnull, os.O_RDONLY)\n"
        "sys.exit(descriptor)\n"
    )
    done = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", code])
    assert done.returncode > 2
