"""Answers of models, kept in a file between runs by everything that they depend on."""

import hashlib
import json
from pathlib import Path
from typing import Any

from midline.model import completion


class Answers:
    """Texts by the hash of their question, in a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, str] = {}
        if path.exists():
            for line in path.read_text("utf-8").split("\n"):
                if line.endswith("}"):
                    row = json.loads(line)
                    self._known[row["key"]] = row["text"]

    def get(self, key: str) -> str | None:
        """A known answer, None if the question is new."""
        return self._known.get(key)

    def add(self, key: str, text: str) -> None:
        """Keep an answer."""
        self._known[key] = text
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps({"key": key, "text": text}))


def question(*parts: Any) -> str:
    """Hash of what an answer depends on, by the parts' representations."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(part).encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def completion_rules() -> str:
    """Hash of the modules that build prompts and that end, trim and rank completions."""
    digest = hashlib.sha256()
    for folder in completion.__path__:
        for path in sorted(Path(folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
