"""How good self-written tests are: those that right samples fail, and wrong samples that pass."""

from collections.abc import Mapping
from typing import Any

from midline.benchmarks.budget.observe import WrittenTests
from midline.benchmarks.budget.verdicts import Verdicts
from midline.benchmarks.mbxp.statistics import wilson
from midline.model.strategies.programs import Observed


def quality_of_tests(
    observed: Mapping[tuple[str, str], Mapping[str, Observed]],
    tests: Mapping[tuple[str, str], WrittenTests],
    verdicts: Verdicts,
) -> list[dict[str, Any]]:
    """For each model: the share of its tests that a right sample fails, so that they are wrong;
    false positives, the share of wrong samples among those that pass all tests; and false
    negatives, the share of samples with a failed test among the right ones.
    """
    models = sorted({model for _, model in tests})
    return [_of_model(model, observed, tests, verdicts) for model in models]


def _of_model(
    model: str,
    observed: Mapping[tuple[str, str], Mapping[str, Observed]],
    tests: Mapping[tuple[str, str], WrittenTests],
    verdicts: Verdicts,
) -> dict[str, Any]:
    written = doubtful = passing = wrong = right = rejected = 0
    for pair, own in tests.items():
        count = len(own.checks)
        if pair[1] != model or not count or pair not in observed:
            continue
        failed_by_right = [False] * count
        for text, found in observed[pair].items():
            judged = verdicts.passed(pair[0], text)
            results = [each.passed for each in found[-count:]]
            if judged is None:
                continue
            if judged:
                right += 1
                rejected += not all(results)
                failed_by_right = [
                    a or not b for a, b in zip(failed_by_right, results, strict=True)
                ]
            if all(results):
                passing += 1
                wrong += not judged
        written += count
        doubtful += sum(failed_by_right)
    return {
        "model": model,
        "tests": written,
        "wrong_tests": _share(doubtful, written),
        "false_positives": _share(wrong, passing),
        "false_negatives": _share(rejected, right),
    }


def _share(part: int, whole: int) -> dict[str, Any]:
    low, high = wilson(part, whole)
    share = round(part / whole, 4) if whole else None
    return {"share": share, "of": whole, "interval": [round(low, 4), round(high, 4)]}
