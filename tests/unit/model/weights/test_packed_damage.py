"""Packed weights that are damaged, of other versions or no files at all: packed again."""

import errno
import logging
import os
from pathlib import Path

import pytest
from packed_models import load, sections, the_packed_file

from midline.model.weights.gguf import GGUFFile
from midline.model.weights.packed import model_hash, verify_packed_weights


def spoil(path: Path, how: str) -> None:
    data = path.read_bytes()
    changed = {
        "cut short": data[:-1],
        "too long": data + b"\0",
        "empty": b"",
        "another magic": b"SOMEONE\0" + data[8:],
        "another version": data[:8] + b"\xff" + data[9:],
        "another key": data[:30] + bytes([data[30] ^ 1]) + data[31:],
        "another padding": data[:4000] + b"\1" + data[4001:],
        "half a header": data[:1000],
    }
    path.write_bytes(changed[how])


@pytest.mark.parametrize(
    "how",
    [
        "cut short",
        "too long",
        "empty",
        "another magic",
        "another version",
        "another key",
        "another padding",
        "half a header",
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_made_again(
    file: GGUFFile, packed_folder: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = sections(load(file))
    path = the_packed_file(packed_folder)
    spoil(path, how)
    with caplog.at_level(logging.WARNING):
        again = load(file)
    assert not again.from_cache and sections(again) == first
    assert f"the packed weights at {path} were of another " in caplog.text
    assert again.note.startswith("the packed weights of tiny-llama.gguf were of another ")
    assert again.note.endswith(" or cut short and were packed again")
    assert load(file).from_cache and load(file).note == ""


def test_a_file_that_cannot_be_read_is_made_again(
    file: GGUFFile, packed_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: object
) -> None:
    first = sections(load(file))

    def broken(fd: int, buffers: list[memoryview], offset: int) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "preadv", broken)
    again = load(file)
    assert not again.from_cache and sections(again) == first
    assert "could not be read" in caplog.text  # type: ignore[attr-defined]


@pytest.mark.parametrize("what", ["first", "last", "checksum", "not a number"])
def test_flipped_bytes_are_never_used(file: GGUFFile, packed_folder: Path, what: str) -> None:
    first = sections(load(file))
    path = the_packed_file(packed_folder)
    data = bytearray(path.read_bytes())
    at = {"first": 4096, "last": len(data) - 1, "checksum": 64, "not a number": 5000}[what]
    data[at] ^= 1
    if what == "not a number":
        data[at : at + 4096] = b"\xff" * 4096
    path.write_bytes(data)
    if what != "checksum":
        assert "were damaged (the checksum of" in verify_packed_weights(file.path, 2)["state"]
    again = load(file)
    assert not again.from_cache and sections(again) == first
    assert again.note.startswith("the packed weights of tiny-llama.gguf were damaged (the checksum")
    assert load(file).from_cache and load(file).note == ""
    assert verify_packed_weights(file.path, 2)["state"] == "verified"


@pytest.mark.parametrize("kind", ["fifo", "device"])
@pytest.mark.parametrize("which", ["packed", "sha256", "partial"])
@pytest.mark.timeout(60)
def test_special_files_in_the_cache_are_replaced_and_not_waited_for(
    file: GGUFFile, packed_folder: Path, kind: str, which: str
) -> None:
    first = sections(load(file))
    path = the_packed_file(packed_folder)
    names = {"packed": path, "partial": path.with_name(f"{path.name}.partial")}
    places = list(packed_folder.glob("*.sha256")) if which == "sha256" else [names[which]]
    if which == "partial":
        path.unlink()
    for place in places:
        place.unlink(missing_ok=True)
        if kind == "fifo":
            os.mkfifo(place)
        else:
            place.symlink_to("/dev/zero")
    again = load(file)
    assert sections(again) == first
    if which == "packed":
        assert again.note.endswith(
            f"could not be read ({path} is not a regular file) and were packed again"
        )
    assert load(file).from_cache
    assert all(place.is_file() for place in places if which != "partial")


def test_what_other_versions_left_is_replaced_with_a_word(
    file: GGUFFile, packed_folder: Path
) -> None:
    first = sections(load(file))
    path = the_packed_file(packed_folder)
    older = path.with_name(f"{model_hash(file.path)[:32]}-v2.packed")
    stranger = path.with_name(f"{'0' * 32}-v2.packed")
    path.rename(older)
    stranger.write_bytes(b"of another model")
    again = load(file)
    assert not again.from_cache and sections(again) == first
    assert again.note == (
        "the packed weights of tiny-llama.gguf were of another version of Midline and were packed "
        "again"
    )
    assert path.exists() and stranger.exists() and not older.exists()
    assert load(file).note == ""
