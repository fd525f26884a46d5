"""Options to settings: what holds, what is refused, and the editor's copy of the list."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from midline.model.threads import MAX_THREADS
from midline.server.lsp.settings import (
    Settings,
    option_name,
    resolve,
    settings_as_json,
)

ROOT = Path(__file__).resolve().parents[4]


def test_options_become_settings() -> None:
    settings, problems = resolve(
        {"maxTokens": 10, "disabledLanguages": ["markdown"], "temperature": 1, "command": "midline"}
    )
    assert problems == []
    assert settings == Settings(max_tokens=10, disabled_languages=("markdown",), temperature=1)
    assert settings.serves("python")
    assert not settings.serves("markdown")
    assert not Settings(enabled=False).serves("python")


@pytest.mark.parametrize("options", [None, {}])
def test_no_options_are_the_defaults(options: Any) -> None:
    assert resolve(options) == (Settings(), [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("samples", 0),
        ("samples", 17),
        ("samples", True),
        ("samples", 1.5),
        ("samples", None),
        ("alternatives", 0),
        ("alternatives", 10_000),
        ("threads", 0),
        ("threads", MAX_THREADS + 1),
        ("temperature", math.nan),
        ("temperature", "0"),
        ("sparsity", -0.1),
        ("sparsity", 0.91),
        ("sparsity", math.nan),
        ("sparsity", math.inf),
        ("enabled", 1),
        ("model", ""),
        ("disabledLanguages", "python"),
        ("disabledLanguages", [1]),
        ("logLevel", "loud"),
        ("colour", "red"),
    ],
)
def test_what_does_not_hold_is_said_and_the_rest_stays(name: str, value: Any) -> None:
    settings, problems = resolve({name: value, "maxTokens": 7})
    assert settings == Settings(max_tokens=7)
    assert len(problems) == 1
    assert problems[0].startswith(f"midline.{name} is ")


@pytest.mark.parametrize("options", [[], "fast", 3])
def test_options_of_another_shape_are_refused_whole(options: Any) -> None:
    settings, problems = resolve(options)
    assert settings == Settings()
    assert len(problems) == 1


def test_every_default_is_allowed_by_its_own_rule() -> None:
    listed = json.loads(settings_as_json())
    defaults = {name: entry["default"] for name, entry in listed.items()}
    assert resolve(defaults) == (Settings(), [])


def test_names_are_written_as_clients_write_them() -> None:
    names = {option_name(field.name) for field in dataclasses.fields(Settings)}
    assert {"maxTokens", "model", "debounceMilliseconds"} <= names
