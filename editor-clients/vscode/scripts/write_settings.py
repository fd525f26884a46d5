"""Write the server's settings into package.json, so that VS Code knows their types and defaults.

Run after a change of `server/lsp/settings.py` or of the catalogue:

  .venv/bin/python -P editor-clients/vscode/scripts/write_settings.py
"""

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any

from midline.model.catalog.catalog import CATALOGUE
from midline.server.lsp.settings import Settings, option_name

MANIFEST = Path(__file__).resolve().parent.parent / "package.json"
_RANGE = re.compile(r"a (?P<whole>whole )?number from (?P<low>[\d.]+) to (?P<high>[\d.]+)")

# What the extension keeps for itself; it never sends these to the server.
CLIENT_SETTINGS: dict[str, dict[str, Any]] = {
    "command": {
        "type": "string",
        "default": "",
        "scope": "application",
        "order": 90,
        "markdownDescription": "The program that starts Midline, by path or by name. Empty looks "
        "on the PATH, in `~/.local/bin` and in the environment of `Midline: Install Server`.",
    },
    "installFrom": {
        "type": "string",
        "default": "",
        "scope": "application",
        "order": 91,
        "markdownDescription": "What `Midline: Install Server` gives to pip: a path, a URL or a "
        "requirement. Empty installs the sources that come with this extension.",
    },
    "modelFile": {
        "type": "string",
        "default": "",
        "order": 11,
        "markdownDescription": "The path of a GGUF file of your own; it goes before "
        "`#midline.model#`.",
    },
}
# Read by the server, and able to name files: a folder that is not trusted may not set them.
_RESTRICTED = (
    "command",
    "installFrom",
    "model",
    "modelFile",
    "pauseModel",
    "endpoint",
    "endpointConsent",
)


def properties() -> dict[str, dict[str, Any]]:
    """The settings of the server and of the extension, as `contributes.configuration` has them."""
    fields = dataclasses.fields(Settings)
    own = {f"midline.{name}": schema for name, schema in CLIENT_SETTINGS.items()}
    theirs = {
        f"midline.{option_name(field.name)}": {**_schema(field), "order": 10 + number}
        for number, field in enumerate(fields)
    }
    return dict(sorted({**own, **theirs}.items(), key=lambda item: item[1]["order"]))


def _schema(field: dataclasses.Field[Any]) -> dict[str, Any]:
    """The JSON schema of a setting, read from the words that describe its valid values."""
    allowed = field.metadata["rule"].allowed
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    schema: dict[str, Any] = {"type": "string", "default": default}
    if field.name in ("endpoint", "endpoint_consent"):
        schema["scope"] = "machine"  # a folder must not choose where text is sent
    if field.name == "model":
        schema |= {
            "enum": list(CATALOGUE),
            "enumDescriptions": [
                f"{entry.summary} ({entry.bytes / 1e6:.0f} MB)" for entry in CATALOGUE.values()
            ],
        }
    elif field.name == "pause_model":
        schema["examples"] = list(CATALOGUE)
    elif allowed == "true or false":
        schema["type"] = "boolean"
    elif allowed.startswith("a list of "):
        schema |= {"type": "array", "items": {"type": "string"}}
    elif found := _RANGE.match(allowed):
        number = int if found["whole"] else float
        schema["type"] = "integer" if found["whole"] else "number"
        schema |= {"minimum": number(found["low"]), "maximum": number(found["high"])}
    elif allowed.startswith("one of "):
        names = allowed.removeprefix("one of ").removesuffix(", or null")
        schema["enum"] = names.split(", ")
    if allowed.endswith("or null"):
        schema["type"] = [schema["type"], "null"]
    return {**schema, "markdownDescription": f"{field.metadata['description']} ({allowed})"}


def manifest() -> str:
    """The text of package.json with the settings of now."""
    package = json.loads(MANIFEST.read_text("utf-8"))
    settings = properties()
    package["contributes"]["configuration"]["properties"] = settings
    package["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"] = [
        f"midline.{name}" for name in _RESTRICTED if f"midline.{name}" in settings
    ]
    return json.dumps(package, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    MANIFEST.write_text(manifest(), "utf-8")
    print(f"{MANIFEST}: {len(properties())} settings", file=sys.stderr)
