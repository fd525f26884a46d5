"""Signals, filters and exact deduplication as steps of datatrove pipelines.

The extra `pipeline` installs datatrove 0.9: later versions want huggingface-hub 1.6, which the
transformers of the extra `reference` refuse. A pipeline runs on a laptop with datatrove's local
executor, and the same steps run with its Slurm and Ray executors:

    from datatrove.executor import LocalPipelineExecutor
    from midline.model.data_quality import pipeline

    steps = [pipeline.RecordReader(["src"]), pipeline.SignalStep(["rps_doc_word_count"]),
             pipeline.FilterStep("code"), pipeline.RecordWriter("kept")]
    LocalPipelineExecutor(steps, tasks=8, workers=2, logging_dir="logs").run()

Each task takes every n-th shard; datatrove notes tasks that are complete and does not repeat them.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from midline.model.data_quality.filters import load_filter
from midline.model.data_quality.outputs import ShardOutput
from midline.model.data_quality.records import Record, Skipped
from midline.model.data_quality.registry import Signal, all_signals, check_name, chosen, compute
from midline.model.data_quality.shards import plan
from midline.model.data_quality.views import Views
from midline.model.errors import MidlineError

try:
    from datatrove.data import Document
    from datatrove.pipeline.base import PipelineStep
    from datatrove.pipeline.filters.base_filter import BaseFilter
except ImportError as error:
    raise MidlineError(
        f"pipelines need datatrove ({error}): pip install 'midline[pipeline]'"
    ) from error

SIGNALS = "quality_signals"
"""The field of a document's metadata that has its signals."""


class RecordReader(PipelineStep):
    """Reads files, folders, JSONL and Parquet as `midline corpus` does."""

    name, type = "Midline records", "READER"

    def __init__(self, paths: Sequence[str | Path]) -> None:
        """Of paths that exist on every machine of the pipeline."""
        super().__init__()
        self._paths = [str(path) for path in paths]

    def run(
        self, data: Iterable[Document] | None = None, rank: int = 0, world_size: int = 1
    ) -> Iterator[Document]:
        """Documents of the step before, if any, and then of the shards of this task."""
        yield from data or ()
        skipped = Skipped()
        for shard in plan([Path(path) for path in self._paths])[rank::world_size]:
            for record in shard.records(skipped):
                document = document_of(record)
                self.update_doc_stats(document)
                yield document
        for reason, count in skipped.items():
            self.stat_update(reason, value=count)


class SignalStep(PipelineStep):
    """Adds quality signals to the metadata of documents."""

    name, type = "Midline signals", "ANNOTATOR"

    def __init__(self, signals: Sequence[str] | None = None) -> None:
        """Of some signals or all; UsageError for an unknown one."""
        super().__init__()
        self._names = None if signals is None else list(signals)
        for name in self._names or ():
            check_name(all_signals(), name)

    def run(
        self, data: Iterable[Document], rank: int = 0, world_size: int = 1
    ) -> Iterator[Document]:
        """The documents, each with its signals."""
        wanted = _signals() if self._names is None else chosen(_signals(), self._names)
        for document in data:
            with self.track_time():
                document.metadata[SIGNALS] = compute(views_of(document), wanted)
            yield document


class FilterStep(BaseFilter):
    """Drops the documents, and lines, that a filter of `midline corpus select` drops."""

    name = "Midline filter"

    def __init__(self, name: str, exclusion_writer: Any = None) -> None:
        """Of a filter that comes with Midline or the path of one; UsageError if it is wrong."""
        super().__init__(exclusion_writer)
        self._filter = load_filter(name, all_signals())

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        """Whether the document is kept, and if not, the rule that drops it."""
        verdict = self._filter.verdict(views_of(doc), _signals())
        if verdict.text is None:
            return False, str(verdict.rule)
        doc.text = verdict.text
        return True


class RecordWriter(PipelineStep):
    """Writes a shard for each task, complete or absent, in the formats of `midline corpus`."""

    name, type = "Midline records", "WRITER"

    def __init__(self, folder: str | Path, format: str = "jsonl") -> None:
        """Into `folder`."""
        super().__init__()
        self._folder, self._format = str(folder), format

    def run(
        self, data: Iterable[Document], rank: int = 0, world_size: int = 1
    ) -> Iterator[Document]:
        """The documents again, once all of the task are written."""
        kept = []

        def rows() -> Iterator[dict[str, Any]]:
            for document in data:
                kept.append(document)
                yield {**document.metadata, "id": document.id, "text": document.text}

        output = ShardOutput(Path(self._folder), self._format, "pipeline")
        output.write(rank, f"{rank} of {world_size}", rows(), dict)
        self.stat_update("written", value=len(kept))
        yield from kept


@cache
def _signals() -> dict[str, Signal]:
    """Made in each process, since steps are sent to processes and signals cannot be."""
    return all_signals()


def document_of(record: Record) -> Document:
    """A datatrove document with the record's fields as its metadata."""
    named = {"name": record.name} if record.name else {}
    return Document(record.text, record.id, metadata={**record.fields, **named})


def views_of(document: Document) -> Views:
    """What signals are computed of."""
    domain = document.metadata.get("source_domain")
    return Views(document.text, str(document.metadata.get("name", "")), domain)
