"""Results of the study, one file for each subject and part: what is there is not measured again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midline.model.atomic_write import atomic_write


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: a model in the form of a recipe, dense or with some of it skipped.

    path: what the engine loads. is_reference: whether the others are compared with it.
    """

    model: str
    recipe: str
    engine: str
    path: Path
    sparsity: float = 0.0
    is_reference: bool = False

    @property
    def name(self) -> str:
        """The recipe, and the share that is skipped in percent."""
        return self.recipe + (f"@{self.sparsity * 100:.0f}" if self.sparsity else "")


@dataclass(frozen=True, slots=True)
class Store:
    """The folder of a study."""

    folder: Path

    def of(self, subject: Subject) -> Path:
        """The folder of one subject."""
        return self.folder / subject.model / subject.name

    def get(self, subject: Subject, part: str, settings: dict[str, Any]) -> Any:
        """The result of a part with these settings, None where there is none."""
        found = self._read(subject, part)
        return found["result"] if found.get("settings") == settings else None

    def latest(self, subject: Subject, part: str) -> Any:
        """The result of a part with whatever settings it was measured last, or None."""
        return self._read(subject, part).get("result")

    def _read(self, subject: Subject, part: str) -> dict[str, Any]:
        try:
            found = json.loads((self.of(subject) / f"{part}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return dict(found)

    def put(self, subject: Subject, part: str, settings: dict[str, Any], result: Any) -> None:
        """Keeps a result; the file is whole or not there."""
        text = json.dumps({"settings": settings, "result": result}, indent=1) + "\n"
        atomic_write(self.of(subject) / f"{part}.json", text.encode())

    def every(self, model: str, part: str) -> Iterator[tuple[str, Any]]:
        """(subject's name, result) of all subjects of a model that have this part."""
        for path in sorted((self.folder / model).glob(f"*/{part}.json")):
            yield path.parent.name, json.loads(path.read_text("utf-8"))["result"]
