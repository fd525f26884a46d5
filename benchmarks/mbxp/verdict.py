"""The verdict on one program, for any choice of corrected defects."""

from collections.abc import Collection
from dataclasses import dataclass

from midline.benchmarks.mbxp.corrections import (
    CORRECTIONS,
    EARLY_EXIT,
    NONE,
    TYPESCRIPT_EXIT_STATUS,
)
from midline.benchmarks.mbxp.results import Result
from midline.benchmarks.mbxp.samples import Sample
from midline.benchmarks.mbxp.status import Status

DETAIL_CHARACTERS = 500


@dataclass(frozen=True)
class Judged:
    """Status of one execution, and `lenient`, where exit status 0 alone is a pass."""

    status: Status
    lenient: Status


@dataclass(frozen=True)
class Verdict:
    """`original` is of the program as published; `repaired` after the correction `repair`, if any.

    `refused`: only the reference evaluator takes the compiler's exit status for an error.
    """

    original: Judged
    repaired: Judged | None = None
    repair: str = ""
    refused: bool = False
    compile_seconds: float = 0.0
    run_seconds: float = 0.0
    exit_code: int | None = None
    detail: str = ""

    def status(self, enabled: Collection[str]) -> Status:
        """The status with the corrections named in `enabled`."""
        if self.refused and TYPESCRIPT_EXIT_STATUS not in enabled:
            return Status.COMPILE_ERROR
        mended = self.repaired is not None and self.repair in enabled
        judged = self.repaired if mended and self.repaired is not None else self.original
        return judged.status if EARLY_EXIT in enabled else judged.lenient

    @property
    def corrections(self) -> list[str]:
        """Names of the corrections that were applied or make a difference."""
        names = [self.repair] if self.repaired is not None else []
        if self.refused:
            names.append(TYPESCRIPT_EXIT_STATUS)
        if self.status(CORRECTIONS) is not self.status(CORRECTIONS - {EARLY_EXIT}):
            names.append(EARLY_EXIT)
        return names

    def result(self, sample: Sample, key: str, enabled: Collection[str]) -> Result:
        """The line to record for `sample`; `detail` must be short already."""
        corrected = self.status(CORRECTIONS)
        return Result(
            task_id=sample.task.task_id,
            sample=sample.index,
            language=sample.task.language,
            status=self.status(enabled),
            corrected=corrected,
            uncorrected=self.status(NONE),
            seconds=round(self.compile_seconds + self.run_seconds, 4),
            compile_seconds=round(self.compile_seconds, 4),
            run_seconds=round(self.run_seconds, 4),
            exit_code=self.exit_code,
            corrections=self.corrections,
            detail="" if corrected is Status.PASS else self.detail,
            key=key,
        )
