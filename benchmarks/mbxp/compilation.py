"""Compilation of a batch: one program per call, or many for compilers that start slowly."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from midline.benchmarks.mbxp.languages.base import OUT_OF_MEMORY, Box, Language
from midline.benchmarks.mbxp.status import Status
from midline.model.sandbox import Policy, Sandbox
from midline.model.sandbox.execution import Ending, Outcome, execute
from midline.model.sandbox.policy import environment, system_folders

EXIT, OUTPUT = "compile.exit", "compile.out"
WRAPPERS = ("bwrap: ", "unshare: ", "confine: ", "prlimit: ", "setpriv: ", "sandbox-exec: ")
ENDINGS = {
    Ending.TIME: Status.TIMEOUT_COMPILE,
    Ending.MEMORY: Status.OOM,
    Ending.DISK: Status.COMPILE_ERROR,
    Ending.OUTPUT: Status.COMPILE_ERROR,
    Ending.NOT_STARTED: Status.SANDBOX_ERROR,
    Ending.STOPPED: Status.SANDBOX_ERROR,
}


class Stopped(Exception):
    """Raised when the run was interrupted; nothing is recorded."""


@dataclass(frozen=True)
class Compiled:
    """Result of a compilation: `status` is None if there is a program to run; `seconds` it took."""

    status: Status | None
    exit_code: int | None
    output: str
    seconds: float


@dataclass(frozen=True)
class Compiler:
    """Compiles programs of one language in `sandbox`; `folder` is for files of its own."""

    language: Language
    sandbox: Sandbox
    folder: Path
    slot: int
    stop: threading.Event

    def compile(self, boxes: Sequence[Box]) -> list[Compiled]:
        """One result per box, in order; raises Stopped if `stop` was set."""
        if not self.language.batch_compiler:
            return [self._alone(box) for box in boxes]
        results: dict[int, Compiled] = {}
        while len(results) < len(boxes):
            waiting = [box for box in boxes if id(box) not in results]
            results |= self._together(waiting)
        return [results[id(box)] for box in boxes]

    def _alone(self, box: Box) -> Compiled:
        outcome = self._call([box])
        if outcome.ending is not Ending.EXITED:
            return Compiled(ENDINGS[outcome.ending], None, outcome.text, outcome.seconds)
        code = outcome.exit_code or 0
        status = None if code in self.language.compile_passes else failure(outcome)
        return Compiled(status, code, outcome.text, outcome.seconds)

    def _together(self, boxes: Sequence[Box]) -> dict[int, Compiled]:
        """Results of one call; after a crash, of the programs up to the one that caused it."""
        for box in boxes:
            (box.program / EXIT).unlink(missing_ok=True)
        previous = time.time()
        outcome = self._call(boxes)
        results: dict[int, Compiled] = {}
        for box in boxes:
            file = box.program / EXIT
            if not file.is_file() or not (text := file.read_text("utf-8").strip()):
                results[id(box)] = self._broken_off(outcome)
                break
            moment = file.stat().st_mtime
            results[id(box)] = self._reported(box, int(text), max(0.0, moment - previous))
            previous = moment
        return results

    def _reported(self, box: Box, code: int, seconds: float) -> Compiled:
        said = (box.program / OUTPUT).read_bytes().decode("utf-8", "replace")
        status = None if code in self.language.compile_passes else Status.COMPILE_ERROR
        if status is not None and OUT_OF_MEMORY.search(said):
            status = Status.OOM
        return Compiled(status, code, said, seconds)

    def _broken_off(self, outcome: Outcome) -> Compiled:
        if outcome.ending is Ending.EXITED:
            status = failure(outcome)
            status = Status.SANDBOX_ERROR if status is Status.COMPILE_ERROR else status
        else:
            status = ENDINGS[outcome.ending]
        return Compiled(status, outcome.exit_code, outcome.text, outcome.seconds)

    def _call(self, boxes: Sequence[Box]) -> Outcome:
        jobs, scratch = self.folder / "jobs", self.folder / "compiler"
        scratch.mkdir(exist_ok=True)
        argv = self.language.compile_command(boxes, jobs)
        shared = [jobs] if jobs.exists() else []
        if shared:
            jobs.chmod(0o644)
        policy = Policy(
            read=(*system_folders(), *self.language.reads(), *shared),
            write=tuple(box.program for box in boxes),
            folder=boxes[0].program,
            scratch=scratch,
            environment={**environment(scratch), **self.language.environment()},
            slot=self.slot,
            limits=self.language.compile_limits,
        )
        done = [box.program / EXIT for box in boxes] if self.language.batch_compiler else []
        outcome = execute(
            self.sandbox, argv, policy, stop=self.stop,
            progress=lambda: sum(path.exists() for path in done),
        )  # fmt: skip
        if outcome.ending is Ending.STOPPED:
            raise Stopped
        return outcome


def failure(outcome: Outcome) -> Status:
    """The status of a compiler that failed without being killed."""
    said = outcome.text
    if from_wrapper(outcome):
        return Status.SANDBOX_ERROR
    return Status.OOM if OUT_OF_MEMORY.search(said) else Status.COMPILE_ERROR


def from_wrapper(outcome: Outcome) -> bool:
    """Whether it looks as if the sandbox itself had failed; a program in it can print the same."""
    said = outcome.stderr[:100].decode("utf-8", "replace")
    return outcome.exit_code != 0 and said.startswith(WRAPPERS)
