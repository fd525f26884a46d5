"""Where a quantized model comes from, as its metadata says it."""

from dataclasses import dataclass

from midline.model.compression.quantization.recipe import Recipe
from midline.model.weights.gguf import GGUFFile

PREFIX = "midline.quantization."


@dataclass(frozen=True, slots=True)
class Provenance:
    """source and source_sha256: the model file that was quantized; text_sha256: of the calibration
    text, empty without one."""

    recipe: Recipe
    source: str
    source_sha256: str
    text_sha256: str = ""

    def entries(self) -> dict[str, str]:
        """Metadata entries of a model file."""
        recipe = self.recipe
        return {
            PREFIX + "recipe": recipe.name,
            PREFIX + "recipe_sha256": recipe.sha256,
            PREFIX + "title": recipe.title,
            PREFIX + "source": self.source,
            PREFIX + "source_sha256": self.source_sha256,
            PREFIX + "calibration": recipe.calibration.method,
            PREFIX + "calibration_sha256": self.text_sha256,
            PREFIX + "note": "rounded from the dequantized source, which may itself be quantized",
        }

    def is_of(self, file: GGUFFile) -> bool:
        """Whether `file` was made by this recipe from this source and text."""
        entries = self.entries()
        del entries[PREFIX + "recipe"], entries[PREFIX + "title"]
        return all(file.metadata.get(key) == value for key, value in entries.items())
