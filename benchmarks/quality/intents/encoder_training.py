"""Training of our own encoder in several calls, each of bounded time."""

import json
from pathlib import Path

from midline.model.errors import UsageError
from midline.model.intents.encoder.files import encoder_folder, fetch_encoder
from midline.model.intents.schema import INTENTS, SLOTS, tags_of
from midline.model.intents.student import sources_sha256, template_utterances

STEPS = 4500
"""Of the own encoder's training: 72,000 utterances, more than twice what the templates make."""


def train_encoder(recipe_name: str, seconds: float | None) -> int:
    """Train on, from where the last call stopped; the model is exported after its last step.

    A checkpoint of another recipe or of other templates is begun anew.
    """
    import torch

    from midline.model.intents.encoder.export import export
    from midline.model.intents.encoder.pieces import FORMS, PieceCutter
    from midline.model.intents.encoder.training import RIVALS, Recipe, new_training, prepare

    if recipe_name not in RIVALS:
        raise UsageError(f"there is no recipe {recipe_name}; there are {', '.join(RIVALS)}")
    weights, tokenizer = fetch_encoder(print)
    tags = tags_of(SLOTS)
    recipe = Recipe(steps=STEPS, bfloat16=True, **RIVALS[recipe_name])
    training = new_training(weights, INTENTS, tags, recipe)
    checkpoint = encoder_folder() / f"{recipe_name}.pt"
    about = {"recipe": recipe_name, "steps": STEPS, "sources": sources_sha256(), "forms": FORMS}
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if state["about"] == json.dumps(about):
            training.restore(state)
    cutter = PieceCutter(tokenizer)
    sentences, labels = prepare(template_utterances(), cutter, INTENTS, tags)
    done = training.run(sentences, labels, seconds=seconds)
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    partial = checkpoint.with_suffix(".partial")
    torch.save({**training.state(), "about": json.dumps(about)}, partial)
    partial.replace(checkpoint)
    print(f"step {training.step} of {training.recipe.steps}, loss {_latest(training.losses):.3f}")
    if done:
        print(f"exported to {_exported(export(training, tokenizer, encoder_folder()))}")
    return 0


def _latest(losses: list[float]) -> float:
    """The mean of the last losses."""
    last = losses[-20:]
    return sum(last) / len(last) if last else float("nan")


def _exported(folder: Path) -> str:
    sizes = sum(path.stat().st_size for path in folder.glob("*int8.onnx"))
    return f"{folder} ({sizes / 1e6:.0f} MB)"
