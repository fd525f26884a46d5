"""Parallel execution of samples in a sandbox; each verdict is written as soon as it is known."""

import errno
import hashlib
import os
import queue
import re
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from pathlib import Path

from midline.benchmarks.mbxp.compilation import Compiled, Compiler, Stopped, from_wrapper
from midline.benchmarks.mbxp.control import Control
from midline.benchmarks.mbxp.corrections import CORRECTIONS
from midline.benchmarks.mbxp.languages import NAMES, Box, Language, ToolchainMissing, language
from midline.benchmarks.mbxp.results import Result, ResultFile
from midline.benchmarks.mbxp.samples import Sample
from midline.benchmarks.mbxp.status import Status
from midline.benchmarks.mbxp.verdict import DETAIL_CHARACTERS, Judged, Verdict
from midline.model.errors import MidlineError
from midline.model.sandbox import Policy, Sandbox
from midline.model.sandbox.execution import Ending, Outcome, execute
from midline.model.sandbox.policy import environment, system_folders

RULES = "3"
"""Version of the rules of judging, part of every key: raising it invalidates old verdicts."""
LEAST_FREE_BYTES = 16 << 20
HARMLESS = ("/bin/sh", "-c", "exit 0")
BOX_FOLDER = re.compile(r"/[^\s\"'(]{0,200}?/midline-mbxp-[^/\s]+/\d+/(?:program|scratch)/?")
Groups = dict[str, list[Sample]]
"""Samples by the key of their program; equal programs are executed once."""


@dataclass
class Evaluation:
    """One evaluation run; `on_result` is called after each recorded result, from any thread."""

    sandbox: Sandbox
    results: ResultFile
    workers: int = 2
    corrections: Collection[str] = CORRECTIONS
    on_result: Callable[[Result], None] = lambda result: None
    on_language: Callable[[str, str, int, int], None] = lambda name, version, done, total: None
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, samples: Sequence[Sample]) -> None:
        """Execute samples without a result; an interrupt loses only the programs being executed."""
        ordered = sorted(samples, key=lambda sample: NAMES.index(sample.task.language))
        for name, group in groupby(ordered, key=lambda sample: sample.task.language):
            self._run_language(language(name), list(group))

    def pending(self, samples: Sequence[Sample]) -> list[Sample]:
        """Those without a result by the tools that are installed here."""
        found: list[Sample] = []
        for name in dict.fromkeys(sample.task.language for sample in samples):
            own = [sample for sample in samples if sample.task.language == name]
            evaluator = language(name)
            try:
                version = evaluator.version
            except ToolchainMissing:
                version = "missing"
            found += [s for group in self._pending(evaluator, version, own).values() for s in group]
        return found

    def _run_language(self, evaluator: Language, samples: Sequence[Sample]) -> None:
        try:
            version = evaluator.version
            evaluator.prepare()
            evaluator.reads()
        except ToolchainMissing as error:
            version, missing = "missing", str(error)
        else:
            missing = ""
        groups = self._pending(evaluator, version, samples)
        left = sum(map(len, groups.values()))
        self.on_language(evaluator.name, version, len(samples) - left, len(samples))
        if missing:
            verdict = Verdict(_alike(Status.TOOLCHAIN_MISSING), detail=missing)
            for key, same in groups.items():
                self._record(key, same, verdict)
        else:
            self._run_batches(evaluator, groups)

    def _pending(self, evaluator: Language, version: str, samples: Sequence[Sample]) -> Groups:
        groups: Groups = {}
        for sample in samples:
            key = program_key(evaluator, version, sample, CORRECTIONS - set(self.corrections))
            if (sample.task.task_id, sample.index, key) not in self.results.done:
                groups.setdefault(key, []).append(sample)
        return groups

    def _run_batches(self, evaluator: Language, groups: Groups) -> None:
        slots: queue.SimpleQueue[int] = queue.SimpleQueue()
        for slot in range(self.workers):
            slots.put(slot)
        size = min(evaluator.compile_batch, max(1, len(groups) // self.workers))
        waiting = iter(groups.items())
        with ThreadPoolExecutor(self.workers) as pool:
            running: set[Future[None]] = set()
            try:
                while batch := dict(islice(waiting, size)):
                    running.add(pool.submit(self._run_batch, evaluator, batch, slots))
                    while len(running) > self.workers:
                        running = _wait_for_one(running)
                while running:
                    running = _wait_for_one(running)
            except BaseException:
                self.stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _run_batch(
        self, evaluator: Language, groups: Groups, slots: "queue.SimpleQueue[int]"
    ) -> None:
        if self.stop.is_set():
            return
        slot = slots.get()
        try:
            with _TemporaryFolder() as folder:
                for key, verdict in self._verdicts(evaluator, groups, folder, slot):
                    _check_disk(folder, verdict)
                    self._record(key, groups[key], verdict)
        except Stopped:
            return
        except OSError as error:
            raise MidlineError(
                f"cannot execute programs in {tempfile.gettempdir()}: {error.strerror}; put that "
                "right, or set TMPDIR, and run the same command again to go on"
            ) from error
        finally:
            slots.put(slot)

    def _verdicts(
        self, evaluator: Language, groups: Groups, folder: Path, slot: int
    ) -> Iterator[tuple[str, Verdict]]:
        boxes = [
            make_box(evaluator, same[0], folder / str(number), slot)
            for number, same in enumerate(groups.values())
        ]
        compiled: Sequence[Compiled | None] = [None] * len(boxes)
        if evaluator.compiled:
            compiler = Compiler(evaluator, self.sandbox, folder, slot, self.stop)
            compiled = compiler.compile(boxes)
            compiled = [_repaired(compiler, box, c) for box, c in zip(boxes, compiled, strict=True)]
        for key, box, result in zip(groups, boxes, compiled, strict=True):
            yield key, self._verdict(evaluator, box, result)
            shutil.rmtree(box.folder, ignore_errors=True)

    def _verdict(self, evaluator: Language, box: Box, compiled: Compiled | None) -> Verdict:
        if compiled is not None and compiled.status is not None:
            return Verdict(_alike(compiled.status), _repaired_alike(box, compiled.status),
                           box.repair, compile_seconds=compiled.seconds,
                           detail=shorten(compiled.output))  # fmt: skip
        judged, outcome = self._judge(evaluator, box, compiled.output if compiled else "")
        original, repaired = judged, None
        if compiled is not None and box.repair:
            original, repaired = _alike(Status.COMPILE_ERROR), judged
        elif compiled is None and judged.status is not Status.PASS:
            box.repair = evaluator.repair(box, outcome.text) or ""
            if box.repair:
                repaired, outcome = self._judge(evaluator, box)
        code = compiled.exit_code if compiled else None
        return Verdict(
            original, repaired, box.repair,
            refused=code is not None and not evaluator.accepts_like_reference(code),
            compile_seconds=compiled.seconds if compiled else 0.0,
            run_seconds=outcome.seconds, exit_code=outcome.exit_code, detail=shorten(outcome.text),
        )  # fmt: skip

    def _judge(
        self, evaluator: Language, box: Box, compiler_said: str = ""
    ) -> tuple[Judged, Outcome]:
        """Run the program; a pass that could be forged is confirmed by further runs."""
        judged, outcome = self._execute(evaluator, box)
        half_parsed = evaluator.half_parsed and evaluator.half_parsed.search(compiler_said)
        if (
            judged.status is not Status.PASS
            or half_parsed
            or not evaluator.may_forge(box.completion)
        ):
            return judged, outcome
        control = Control(
            evaluator, box, secrets.token_hex(16),
            build=lambda other: self._build(evaluator, other),
            passes=lambda other: self._passes(evaluator, other),
        )  # fmt: skip
        objection = control.objection()
        if not objection:
            return judged, outcome
        return Judged(Status.WRONG, judged.lenient), replace(outcome, stderr=objection.encode())

    def _build(self, evaluator: Language, box: Box) -> bool:
        """Compile a box that is written, if need be; whether there is something to run."""
        if not evaluator.compiled:
            return not box.repair or bool(evaluator.repair(box, ""))
        compiler = Compiler(evaluator, self.sandbox, box.folder, box.slot, self.stop)
        (compiled,) = compiler.compile([box])
        return _repaired(compiler, box, compiled).status is None

    def _passes(self, evaluator: Language, box: Box) -> bool:
        shutil.rmtree(box.scratch, ignore_errors=True)
        box.scratch.mkdir()
        return self._execute(evaluator, box)[0].status is Status.PASS

    def _execute(self, evaluator: Language, box: Box) -> tuple[Judged, Outcome]:
        command, stdin = evaluator.run_command(box), evaluator.run_stdin(box)
        policy = run_policy(evaluator, box)
        outcome = self._run(command, policy, stdin)
        if from_wrapper(outcome):
            if not self._contains(policy):
                return _alike(Status.SANDBOX_ERROR), outcome
            outcome = self._run(command, policy, stdin)
        return Judged(*evaluator.judge(outcome, box.token)), outcome

    def _run(self, command: Sequence[str], policy: Policy, stdin: bytes = b"") -> Outcome:
        outcome = execute(self.sandbox, command, policy, stdin=stdin, stop=self.stop)
        if outcome.ending is Ending.STOPPED:
            raise Stopped
        return outcome

    def _contains(self, policy: Policy) -> bool:
        """Whether the sandbox starts a harmless command under `policy`.

        A program that prints what a failing sandbox prints is thereby told from one: otherwise it
        could take itself out of pass@k.
        """
        outcome = self._run(HARMLESS, policy)
        return outcome.ending is Ending.EXITED and outcome.exit_code == 0

    def _record(self, key: str, same: Sequence[Sample], verdict: Verdict) -> None:
        """One line for every sample with this program."""
        for sample in same:
            result = verdict.result(sample, key, self.corrections)
            with self.lock:
                self.results.add(result)
            self.on_result(result)


def program_key(
    evaluator: Language, version: str, sample: Sample, disabled: Collection[str] = ()
) -> str:
    """Hash of what the status depends on: rules, corrections left out, language, tools, program."""
    digest = hashlib.sha256()
    program = evaluator.source(sample.task, sample.completion, "")
    for part in (",".join([RULES, *sorted(disabled)]), evaluator.name, version, program):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def make_box(evaluator: Language, sample: Sample, folder: Path, slot: int) -> Box:
    """The program of `sample` on disk, with a token of its own."""
    box = Box(sample.task, sample.completion, secrets.token_hex(16), folder, slot)
    box.program.mkdir(parents=True)
    box.scratch.mkdir()
    evaluator.write(box)
    return box


def run_policy(evaluator: Language, box: Box) -> Policy:
    """A program sees its own box, read-only, and may write to its scratch folder."""
    return Policy(
        read=(*system_folders(), *evaluator.reads(), box.program),
        write=(),
        folder=box.scratch,
        scratch=box.scratch,
        environment={**environment(box.scratch), **evaluator.environment()},
        slot=box.slot,
        limits=evaluator.run_limits,
    )


def shorten(text: str) -> str:
    """The first lines of what a program said, and the last, without the names of its folders."""
    lines = [line.rstrip() for line in BOX_FOLDER.sub("", text).splitlines() if line.strip()]
    whole = "\n".join(lines)
    half = DETAIL_CHARACTERS // 2
    return whole if len(whole) <= 2 * half else f"{whole[:half]}\n...\n{whole[-half:]}"


def _check_disk(folder: Path, verdict: Verdict) -> None:
    """Raises OSError if the disk is full: a failure then tells nothing about the program."""
    failed = verdict.original.lenient is not Status.PASS
    if failed and shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _alike(status: Status) -> Judged:
    return Judged(status, status)


def _repaired_alike(box: Box, status: Status) -> Judged | None:
    return _alike(status) if box.repair else None


def _repaired(compiler: Compiler, box: Box, compiled: Compiled) -> Compiled:
    if compiled.status is not Status.COMPILE_ERROR:
        return compiled
    box.repair = compiler.language.repair(box, compiled.output) or ""
    return compiler.compile([box])[0] if box.repair else compiled


def _wait_for_one(running: set[Future[None]]) -> set[Future[None]]:
    done, rest = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        future.result()
    return rest


class _TemporaryFolder:
    """A folder that other users may pass through but not list, removed whatever is in it."""

    def __enter__(self) -> Path:
        self.path = Path(tempfile.mkdtemp(prefix="midline-mbxp-"))
        self.path.chmod(0o711)
        return self.path

    def __exit__(self, *error: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
