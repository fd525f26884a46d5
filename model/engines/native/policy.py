"""Measured defaults of decoding: one line for each known model in policy.json.

A line is found by the hash of the model's file. sparsity: the highest level that passes the quality
gate (`midline-bench quality sparsity --gate`), 0 before the gate was run. draft: "both" where
self-speculation was measured to be faster (`midline-bench speed selfdraft`). costs: of passes,
from the same measurement. A model without a line has the defaults of `Policy`.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from midline.model.decoding.options import Draft
from midline.model.decoding.speculative.prompt_lookup import DEFAULT_COSTS, PassCosts
from midline.model.weights.packed import model_hash

FILE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True, slots=True)
class Policy:
    """What None stands for in NativeOptions. draft_sparsity: the level of self-speculation."""

    sparsity: float = 0.0
    draft: Draft = "lookup"
    draft_sparsity: float = 0.5
    costs: PassCosts = DEFAULT_COSTS


def policy_of(model: Path) -> Policy:
    """The policy for the GGUF file `model`."""
    line = json.loads(FILE.read_text("utf-8")).get(model_hash(model))
    if line is None:
        return Policy()
    costs = PassCosts(**line.pop("costs", {}))
    del line["model"]  # the model's name, for readers of the file
    return Policy(costs=costs, **line)
