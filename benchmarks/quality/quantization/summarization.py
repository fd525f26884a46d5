"""Summarization: the docstring of an MBXP solution, written from its body (BLEU, chrF).

The model fills in the docstring of a Python function of which it sees signature and body. Its first
words are given, since small models leave an empty docstring as it is. The reference text is the
problem's own description, without the words that nearly all begin with. Scores are sacrebleu's:
BLEU of each sentence, smoothed by adding one ("add-k"), and chrF; both from 0 to 100.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from midline.benchmarks.mbxp.statistics import Z95
from midline.benchmarks.mbxp.tasks import Task
from midline.benchmarks.quality.quantization.store import Subject
from midline.benchmarks.quality.quantization.subjects import options_of
from midline.model.engines.base import Engine, Request
from midline.model.errors import UsageError

MAX_TOKENS = 48
OPENING = "Write a function to"
"""The first words of a docstring, as MBXP's descriptions begin."""
_OPENING = re.compile(r"write an? (?:\w+ )?function (?:to|that|which) ", re.IGNORECASE)
_DOCSTRING = re.compile(r'^(?P<head>.*?)(?P<indent>[ \t]+)"""(?P<text>.*?)"""', re.DOTALL)


def parts_of(task: Task) -> tuple[str, str, str] | None:
    """The text up to the docstring's words, that behind it with the body, and the description.

    None for a problem without a solution or a docstring.
    """
    found = _DOCSTRING.match(task.prompt)
    if found is None or not task.canonical_solution:
        return None
    description = _OPENING.sub("", " ".join(found["text"].partition(">>>")[0].split()), count=1)
    before = f'{found["head"]}{found["indent"]}"""{OPENING}'
    return before, f'"""\n{task.canonical_solution}', description


def summaries(engine: Engine, subject: Subject, tasks: Sequence[Task]) -> dict[str, dict[str, Any]]:
    """By task id: the text that was written, and both scores."""
    try:
        import sacrebleu
    except ModuleNotFoundError as error:
        raise UsageError(
            "scores of summaries need the package sacrebleu: install Midline with the extra `study`"
        ) from error
    fim = engine.tokenizer.fim
    if fim is None:
        return {}
    encode = engine.tokenizer.encode
    found: dict[str, dict[str, Any]] = {}
    chosen = [(task, parts) for task in tasks if (parts := parts_of(task))]
    requests = [
        Request(
            [fim.prefix, *encode(before), fim.suffix, *encode(after), fim.middle],
            stop=lambda _, ids: '"""' in engine.tokenizer.decode(ids),
        )
        for _, (before, after, _) in chosen
    ]
    generations = engine.batch(requests, options_of(subject, MAX_TOKENS), streams=32)
    for (task, (_, _, description)), generation in zip(chosen, generations, strict=True):
        text = summary_of(generation.completions[0].text)
        bleu = sacrebleu.sentence_bleu(text, [description], smooth_method="add-k").score
        chrf = sacrebleu.sentence_chrf(text, [description]).score
        found[task.task_id] = {"text": text, "bleu": round(bleu, 3), "chrf": round(chrf, 3)}
    return found


def summary_of(text: str) -> str:
    """The first sentence or paragraph of a docstring, in one line."""
    body = text.partition('"""')[0].strip()
    return " ".join(re.split(r"\n\s*(?:\n|>>>|:param|Args|Parameters|@)", body)[0].split())


def scores(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Means over the problems."""
    return {
        "problems": len(found),
        **{
            name: round(float(np.mean([row[name] for row in found.values()])), 3)
            for name in ("bleu", "chrf")
        },
    }


def against(
    found: dict[str, dict[str, Any]], reference: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Differences of both scores from the reference's, with intervals of 95%, paired."""
    names = sorted(set(found) & set(reference))
    result: dict[str, Any] = {"problems": len(names)}
    for score in ("bleu", "chrf"):
        gaps = np.array([found[name][score] - reference[name][score] for name in names])
        half = Z95 * float(gaps.std(ddof=1)) / len(gaps) ** 0.5
        mean = float(gaps.mean())
        result[score] = {"difference": round(mean, 3), "interval": [mean - half, mean + half]}
    return result
