"""Recipes: those that ship, and what a wrong one is told."""

from pathlib import Path

import pytest

from midline.model.compression.quantization.recipe import find_recipe, recipe_names
from midline.model.errors import UsageError

GOOD = """
title = "four bits"
engine = "native"
format = "Q4_0"
activations = "dynamic-block"
exclude = ["output"]
[weights]
bits = 4
granularity = "group"
symmetric = true
group = 32
"""


def test_every_shipped_recipe_can_be_read():
    found = {name: find_recipe(name) for name in recipe_names()}
    assert {"shipped", "q8_0", "q4_0", "q4_0-awq", "q3", "int8-channel", "int8-tensor"} <= set(
        found
    )
    assert {"onnx-float32", "onnx-int8", "onnx-int8-static", "onnx-int4"} <= set(found)
    assert len({recipe.sha256 for recipe in found.values()}) == len(found)
    assert all(recipe.title for recipe in found.values())


def test_a_recipe_of_ones_own(tmp_path: Path):
    path = tmp_path / "own.toml"
    path.write_text(GOOD)
    recipe = find_recipe(str(path))
    assert (recipe.name, recipe.bits, recipe.exclude) == ("own", 4, ("output",))
    assert recipe.rounding and recipe.rounding.half_scales


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('title = "four bits"', "colour = 3", "has the unknown field colour"),
        ("bits = 4", "bits = 4\nclip = true", "has the unknown field weights.clip"),
        ("bits = 4", "bits = 40", "has 40 for bits, which is between 2 and 8"),
        ("bits = 4", "bits = 8", "rounds in a way that blocks of Q4_0 cannot hold"),
        ("bits = 4", "bits = 3.5", r"has 3.5 bits in groups of 32"),
        ("group = 32", "group = 48", "has 4 bits in groups of 48"),
        ('"Q4_0"', '"Q5_1"', "has 'Q5_1' for format, which is one of"),
        ('"native"', '"gpu"', "has 'gpu' for engine"),
        ('"dynamic-block"', '"float"', "has float activations, and Q4_0 takes dynamic-block"),
        ('["output"]', '["head"]', r"has \['head'\] for exclude"),
        ("symmetric = true", "symmetric = 1", "has 1 for symmetric"),
        ('"Q4_0"', '"F32"', "rounds weights that its format F32 keeps"),
        ("group = 32", 'group = 32\n[calibration]\nmethod = "guess"', "has 'guess' for method"),
        ("group = 32", "group = 32\n[calibration]\npercentile = 3", "has 3 for percentile"),
        ("group = 32", 'group = 32\n[calibration]\nmethod = "min-max"', "has static activations"),
        ("[weights]", "[weights", "is not TOML"),
    ],
)  # fmt: skip
def test_a_wrong_recipe_is_told_in_one_sentence(tmp_path: Path, old: str, new: str, sentence: str):
    assert old in GOOD
    path = tmp_path / "own.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(UsageError, match=sentence) as caught:
        find_recipe(str(path))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value).partition("(")[0]


def test_a_recipe_that_is_not_there():
    with pytest.raises(UsageError, match="there is no recipe 'q9'; there is int8-channel"):
        find_recipe("q9")
    with pytest.raises(UsageError, match="cannot be read"):
        find_recipe("nowhere.toml")
