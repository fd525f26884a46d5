"""Fixed texts for measurements: code in four languages, written for this project."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "texts"


@dataclass(frozen=True)
class PromptText:
    """One text; its file is named `<language>-<subject>.txt`."""

    name: str
    text: str

    @property
    def language(self) -> str:
        """The part of the name before the first hyphen."""
        return self.name.partition("-")[0]


def load_prompts(count: int | None = None) -> list[PromptText]:
    """`count` texts, taken from the languages in turn; all of them by default."""
    texts = [PromptText(path.stem, path.read_text("utf-8")) for path in FOLDER.glob("*.txt")]
    by_language: dict[str, list[PromptText]] = {}
    for text in sorted(texts, key=lambda prompt: prompt.name):
        by_language.setdefault(text.language, []).append(text)
    ranked = [
        (rank, prompt.name, prompt)
        for group in by_language.values()
        for rank, prompt in enumerate(group)
    ]
    return [prompt for _, _, prompt in sorted(ranked, key=lambda item: item[:2])][:count]


def fingerprint(prompts: list[PromptText]) -> str:
    """SHA-256 over the names and texts, so that a result names exactly what it measured."""
    digest = hashlib.sha256()
    for prompt in prompts:
        digest.update(f"{prompt.name}\0{prompt.text}\0".encode())
    return digest.hexdigest()
