"""Perplexity on code that nothing was calibrated on, text by text."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from midline.benchmarks.mbxp.statistics import Z95
from midline.benchmarks.quality.prompts import load_prompts
from midline.model.engines.base import Engine
from midline.model.engines.native.engine import NativeEngine
from midline.model.engines.onnx.engine import OnnxEngine
from midline.model.errors import UsageError
from midline.model.runtime.decoder import EXACT_ROWS, StepOptions
from midline.model.teal.profile import find_profile

TOKENS = 384
"""Most tokens of each text."""
SINKS = 16


def nats_of_texts(engine: Engine, sparsity: float, tokens: int = TOKENS) -> dict[str, list[float]]:
    """For each text: nats of all its tokens but the first 16 together, and their number."""
    found = {}
    for prompt in load_prompts():
        ids = engine.tokenizer.encode(prompt.text)[:tokens]
        rows = forced_logits(engine, ids, sparsity)[SINKS:-1].astype(np.float64)
        most = rows.max(axis=1)
        sums = most + np.log(np.exp(rows - most[:, None]).sum(axis=1))
        wanted = rows[np.arange(len(rows)), ids[SINKS + 1 :]]
        found[prompt.name] = [float((sums - wanted).sum()), float(len(rows))]
    return found


def forced_logits(engine: Engine, ids: list[int], sparsity: float) -> NDArray[np.float32]:
    """Logits at every position of `ids`, as decoding computes them: float32 [n, vocab]."""
    if isinstance(engine, OnnxEngine):
        cache = engine.decoder.cache
        sequence = cache.start([])
        rows = engine.decoder.forward([(sequence, ids)], logits="all")
        cache.finish(sequence, remember=False)
        return rows
    if not isinstance(engine, NativeEngine):
        raise UsageError(f"the engine {engine.kind} gives no logits")
    profile = find_profile(engine.path, sparsity)
    thresholds = engine.decoder.thresholds(profile) if profile else None
    options = StepOptions(exact=True, thresholds=thresholds)
    at = engine.new_sequence()
    at.sparse_from = SINKS
    parts = []
    for start in range(0, len(ids), EXACT_ROWS):
        piece = ids[start : start + EXACT_ROWS]
        parts.append(engine.decoder.forward([(at, piece)], logits="all", options=options))
    engine.release(at)
    return np.concatenate(parts)


def perplexity(found: dict[str, list[float]]) -> float:
    """Of all texts together."""
    nats, tokens = np.array(list(found.values())).sum(axis=0)
    return float(np.exp(nats / tokens))


def against(found: dict[str, list[float]], reference: dict[str, list[float]]) -> dict[str, Any]:
    """Nats a token less the reference's, with an interval of 95% over the texts."""
    names = sorted(set(found) & set(reference))
    own, other = (np.array([each[name] for name in names]) for each in (found, reference))
    nats, tokens = own[:, 0] - other[:, 0], own[:, 1]
    mean = float(nats.sum() / tokens.sum())
    half = Z95 * float(np.sqrt(np.square(nats - mean * tokens).sum())) / float(tokens.sum())
    return {"difference": mean, "interval": [mean - half, mean + half], "texts": len(names)}
