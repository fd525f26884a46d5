"""One side of the comparison: a process whose kernels are those that `MIDLINE_KERNELS` names.

Arguments: the model's path and the number of threads. Each line of standard input is a JSON object
{"ids": prompt, "tokens": N, "logits": path}; the answer is a line with the N greedy tokens after
the prompt and the margins at which they were chosen, and the logits at every position of the
prompt, float32 [2, n, vocab], prefilled and decoded token by token, are in the file.
"""

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midline import kernels
from midline.model.engines.base import DrawnToken, NativeOptions, Request, SamplingOptions
from midline.model.engines.native.engine import NativeEngine
from midline.model.runtime.decoder import StepOptions


def main(path: str, threads: str) -> None:
    """Answer every line of standard input."""
    engine = NativeEngine.load(Path(path), threads=int(threads))
    print(json.dumps({"kernels": kernels.kernel_name()}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        both = np.stack([engine.logits(asked["ids"]), decoded(engine, asked["ids"])])
        np.save(asked["logits"], both)
        options = SamplingOptions(
            max_tokens=asked["tokens"], engine=NativeOptions(sparsity=0.0, draft="none")
        )
        drawn: list[DrawnToken] = []
        engine.generate(Request(asked["ids"]), options, on_token=drawn.append)
        answer = {"ids": [token.id for token in drawn], "margins": [t.margin for t in drawn]}
        print(json.dumps(answer), flush=True)


def decoded(engine: NativeEngine, ids: list[int]) -> NDArray[np.float32]:
    """Logits at every position, one token a step."""
    sequence = engine.new_sequence()
    try:
        steps = [
            engine.decoder.forward(
                [(sequence, [token])], logits="all", options=StepOptions(exact=True)
            )
            for token in ids
        ]
    finally:
        engine.release(sequence)
    return np.concatenate(steps)


if __name__ == "__main__":
    main(*sys.argv[1:])
