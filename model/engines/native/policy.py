"""How a model is decoded when nobody says otherwise, by measurement: one line each in policy.json.

A line is found by the hash of the model's file. `sparsity` is the highest level that passes the
quality gate (`midline-bench quality sparsity --gate`), 0 before the gate was run; `draft` is "both"
where self-drafting was measured faster (`midline-bench speed selfdraft`), whose costs of a pass go
into `costs`. A model without a line has the defaults of `Policy`.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from midline.model.decoding.request import Draft
from midline.model.decoding.speculative.prompt_lookup import DEFAULT_COSTS, PassCosts
from midline.model.weights.packed import model_hash

FILE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True, slots=True)
class Policy:
    """What GenerateOptions' None stands for; `draft_sparsity` is the level of self-drafting."""

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
    del line["model"]  # named for people
    return Policy(costs=costs, **line)
