"""Generation of samples: continuous batching, each completion cut at the end of its function."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from midline.benchmarks.mbxp.samples import GeneratedFile
from midline.benchmarks.mbxp.tasks import Task
from midline.model.engines.base import Completion, Engine, Generation, Request, SamplingOptions
from midline.model.errors import UsageError
from midline.model.strategies.function_end import FunctionEnd, StopAtEnd

STREAMS = 32
"""Completions decoded together: the most rows of a step for which the native engine's rows are
invariant."""
TASK_TOKENS = 1024
"""KV cache per stream, in tokens: room for a long prompt and its completion."""


@dataclass(frozen=True)
class GeneratedSample:
    """One completion; `seconds` is its share of the time since the last task finished."""

    task_id: str
    sample: int
    language: str
    completion: str
    tokens: int
    prompt_tokens: int
    seconds: float
    finish_reason: str
    mean_logprob: float


class Generator:
    """Completes tasks and appends the samples to `file`.

    What is there already is not generated again. With `shots`, that many solved problems of the
    same language stand before each prompt.
    """

    def __init__(
        self, engine: Engine, options: SamplingOptions, file: GeneratedFile, shots: int = 0
    ) -> None:
        self.engine = engine
        self.options = options
        self.file = file
        self.shots = shots

    def run(
        self, tasks: Sequence[Task], pool: Mapping[str, Task], on_task: Callable[[Task], None]
    ) -> None:
        """Complete `tasks`, each begun when there is room; `pool` is where examples come from.

        What sampling draws for a task depends on its number and the options' seed alone.
        """
        waiting = pending(tasks, self.options.samples, self.file)
        ends = [FunctionEnd(task.language, task.prompt) for task in waiting]
        requests = [
            Request(
                self._encode(examples(task, pool, self.shots) + task.prompt),
                stop=StopAtEnd(self.engine.tokenizer, end),
                seed=(self.options.seed * 100003 + task.number) % 2**63,
            )
            for task, end in zip(waiting, ends, strict=True)
        ]
        clock = _Clock()

        def keep(number: int, generation: Generation) -> None:
            task = waiting[number]
            made = self._samples(task, ends[number], generation, clock.lap())
            self.file.append([asdict(sample) for sample in made])
            on_task(task)

        self.engine.batch(requests, self.options, streams=STREAMS, on_done=keep)

    def _samples(
        self, task: Task, end: FunctionEnd, generation: Generation, seconds: float
    ) -> Iterator[GeneratedSample]:
        for number, completion in enumerate(generation.completions):
            if (task.task_id, number) not in self.file.done:
                yield GeneratedSample(
                    task_id=task.task_id,
                    sample=number,
                    language=task.language,
                    completion=end.finished(_text(self.engine, completion)),
                    tokens=len(completion.ids),
                    prompt_tokens=generation.prompt_tokens,
                    seconds=round(seconds / len(generation.completions), 4),
                    finish_reason=completion.finish_reason,
                    mean_logprob=round(completion.mean_logprob, 5),
                )

    def _encode(self, text: str) -> list[int]:
        tokenizer = self.engine.tokenizer
        return tokenizer.with_bos(tokenizer.encode(text))


def pending(tasks: Iterable[Task], samples: int, file: GeneratedFile) -> list[Task]:
    """Those of `tasks` that lack one of their first `samples` samples in `file`."""
    wanted = range(samples)
    return [t for t in tasks if any((t.task_id, s) not in file.done for s in wanted)]


class _Clock:
    """Measures the seconds between finished tasks, which are attributed to the later one."""

    def __init__(self) -> None:
        self.at = time.perf_counter()

    def lap(self) -> float:
        before, self.at = self.at, time.perf_counter()
        return self.at - before


def examples(task: Task, pool: Mapping[str, Task], count: int) -> str:
    """The first `count` solved problems of the task's language, other than the task itself."""
    if count == 0:
        return ""
    solved = [
        other
        for other in pool.values()
        if other.language == task.language and other.canonical_solution and other != task
    ]
    if len(solved) < count:
        raise UsageError(f"there are {len(solved)} solved problems in {task.language}, not {count}")
    texts = [f"{other.prompt.strip()}\n{other.canonical_solution}" for other in solved[:count]]
    return "\n\n".join(texts) + "\n\n"


def _text(engine: Engine, completion: Completion) -> str:
    """The completion's text without its end token."""
    ids = completion.ids
    if ids and ids[-1] in engine.tokenizer.end_tokens:
        ids = ids[:-1]
    return engine.tokenizer.decode(ids)
