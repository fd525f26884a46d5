"""Statuses under every choice of corrections, from the two executions they are made of."""

from mbxp_programs import tiny_task

from midline.benchmarks.mbxp.corrections import (
    CORRECTIONS,
    EARLY_EXIT,
    GO_UNUSED_IMPORTS,
    NONE,
    TYPESCRIPT_EXIT_STATUS,
)
from midline.benchmarks.mbxp.samples import Sample
from midline.benchmarks.mbxp.status import Status
from midline.benchmarks.mbxp.verdict import Judged, Verdict

PASS = Judged(Status.PASS, Status.PASS)
EARLY = Judged(Status.WRONG, Status.PASS)
BROKEN = Judged(Status.COMPILE_ERROR, Status.COMPILE_ERROR)


def test_a_plain_verdict_does_not_depend_on_corrections() -> None:
    verdict = Verdict(PASS)
    assert verdict.status(CORRECTIONS) is verdict.status(NONE) is Status.PASS
    assert verdict.corrections == []


def test_each_correction_is_a_switch_of_its_own() -> None:
    verdict = Verdict(BROKEN, EARLY, GO_UNUSED_IMPORTS)
    assert verdict.status(CORRECTIONS) is Status.WRONG
    assert verdict.status(CORRECTIONS - {EARLY_EXIT}) is Status.PASS
    assert verdict.status(CORRECTIONS - {GO_UNUSED_IMPORTS}) is Status.COMPILE_ERROR
    assert verdict.status(NONE) is Status.COMPILE_ERROR
    assert verdict.corrections == [GO_UNUSED_IMPORTS, EARLY_EXIT]


def test_what_the_reference_refuses_to_run() -> None:
    verdict = Verdict(PASS, refused=True)
    assert verdict.status(CORRECTIONS) is Status.PASS
    assert verdict.status(CORRECTIONS - {TYPESCRIPT_EXIT_STATUS}) is Status.COMPILE_ERROR
    assert verdict.corrections == [TYPESCRIPT_EXIT_STATUS]


def test_the_line_has_both_verdicts_and_the_one_asked_for() -> None:
    sample = Sample(tiny_task("go"), "", 3)
    line = Verdict(BROKEN, EARLY, GO_UNUSED_IMPORTS, detail="why").result(sample, "k", NONE)
    assert (line.status, line.corrected, line.uncorrected) == (
        "compile_error", "wrong", "compile_error",
    )  # fmt: skip
    assert (line.task_id, line.sample, line.language) == (sample.task.task_id, 3, "go")
    assert line.detail == "why"
    assert Verdict(PASS, detail="noise").result(sample, "k", NONE).detail == ""
