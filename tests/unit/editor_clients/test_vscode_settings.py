"""VS Code knows the settings of this version, with their types and defaults."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from midline.model.catalog.catalog import CATALOGUE
from midline.server.lsp.settings import Settings, option_name, resolve, settings_as_json

CLIENT = Path(__file__).resolve().parent.parent.parent.parent / "editor-clients" / "vscode"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that writes them, which is no part of the package."""
    path = CLIENT / "scripts" / "write_settings.py"
    spec = importlib.util.spec_from_file_location("write_settings", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def properties(script: ModuleType) -> dict[str, Any]:
    return script.properties()


def test_the_manifest_has_the_settings_of_now(script: ModuleType) -> None:
    current = script.MANIFEST.read_text("utf-8") == script.manifest()
    assert current, "run: python -P editor-clients/vscode/scripts/write_settings.py"


def test_every_setting_of_the_server_is_there_with_its_default(properties: dict[str, Any]) -> None:
    for name, described in json.loads(settings_as_json()).items():
        assert properties[f"midline.{name}"]["default"] == described["default"]


def test_the_model_is_one_of_the_catalogue(properties: dict[str, Any]) -> None:
    model = properties["midline.model"]
    assert model["enum"] == list(CATALOGUE)
    assert len(model["enumDescriptions"]) == len(CATALOGUE)


def test_the_server_takes_what_the_schema_allows(properties: dict[str, Any]) -> None:
    edges = {}
    for name in map(option_name, Settings.__dataclass_fields__):
        schema = properties[f"midline.{name}"]
        for edge in ("minimum", "maximum"):
            if edge in schema:
                edges[name] = schema[edge]
                _, problems = resolve({name: schema[edge]})
                assert problems == []
        beyond = {name: schema.get("maximum", 0) + 1}
        assert "maximum" not in schema or resolve(beyond)[1] != []
    assert edges


def test_a_folder_that_is_not_trusted_names_no_program_and_no_model() -> None:
    package = json.loads((CLIENT / "package.json").read_text("utf-8"))
    restricted = package["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    assert {"midline.command", "midline.installFrom", "midline.model"} <= set(restricted)


def test_the_extension_has_the_licence_and_the_version_of_the_project() -> None:
    root = CLIENT.parent.parent
    assert (CLIENT / "LICENSE").read_bytes() == (root / "LICENSE").read_bytes()
    version = json.loads((CLIENT / "package.json").read_text("utf-8"))["version"]
    assert f'version = "{version}"' in (root / "pyproject.toml").read_text("utf-8")
