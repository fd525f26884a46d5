"""Exporting a GGUF model to a folder for ONNX Runtime: graph, weights, tokenizer and sizes.

The graph is built directly from the file's sizes, with the operators that ONNX Runtime fuses
itself, rather than traced from transformers' model: exporting needs neither torch nor transformers,
and half of the memory, and the keys and values are extended in place.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import filelock

from midline.model.cancellation import Cancellation, Cancelled
from midline.model.disk import check_disk
from midline.model.engines.onnx.files import CONFIG, GRAPH, TOKENIZER
from midline.model.engines.onnx.form import OnnxForm
from midline.model.engines.onnx.weights_file import JOURNAL
from midline.model.errors import MidlineError, UsageError
from midline.model.weights.config import read_config
from midline.model.weights.gguf import GGUFFile, read_gguf
from midline.model.weights.gguf_writer import write_gguf
from midline.model.weights.packed import model_hash

MISSING = "exporting to ONNX needs the package onnx: install Midline with the extra `onnx`"
Progress = Callable[[float], None]


def export_key(source: Path, form: OnnxForm) -> str:
    """Identifies an export by the source's hash and the form."""
    text = json.dumps([model_hash(source), form.as_json()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def is_exported(folder: Path, key: str) -> bool:
    """Whether `folder` holds the whole export with this key."""
    try:
        return bool(json.loads((folder / CONFIG).read_text("utf-8"))["key"] == key)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def export_model(
    source: Path,
    target: Path,
    form: OnnxForm,
    *,
    entries: Mapping[str, str] | None = None,
    progress: Progress = lambda _: None,
    cancel: Cancellation | None = None,
) -> bool:
    """Writes the folder `target`, the GGUF file `source` in this form; False if it was there.

    entries: metadata that says where the model comes from. The folder is whole or not there: what
    an interrupted export has written lies beside it, and the next one with the same source and
    form goes on from there. Raises Cancelled, UsageError (a package is missing), ModelFileError
    (the architecture or a tensor), MidlineError (the disk).
    """
    key = export_key(source, form)
    if is_exported(target, key):
        return False
    file = read_gguf(source)
    partial = target.with_name(f"{target.name}.partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(partial.with_suffix(".lock")):
            if is_exported(target, key):
                return False
            _fill(partial, file, form, key, entries or {}, progress, cancel)
            if target.exists():
                shutil.rmtree(target)
            partial.rename(target)
    except OSError as error:
        raise MidlineError(
            f"{target} cannot be written ({error.strerror or error}); name another place, or free "
            "this one"
        ) from error
    return True


def _fill(
    folder: Path,
    file: GGUFFile,
    form: OnnxForm,
    key: str,
    entries: Mapping[str, str],
    progress: Progress,
    cancel: Cancellation | None,
) -> None:
    config = read_config(file)
    try:
        from midline.model.engines.onnx.graph import build_graph
        from midline.model.engines.onnx.matrices import has_bias, plan_matrices
    except ModuleNotFoundError as error:
        raise UsageError(MISSING) from error
    plan = plan_matrices(file, config, form)
    check_disk(folder, plan.nbytes)
    graph = build_graph(config, form, plan, has_bias(file))
    for share in plan.write(folder, key):
        progress(share)
        if cancel is not None and cancel.is_set():
            raise Cancelled
    (folder / GRAPH).write_bytes(graph.SerializeToString())
    write_gguf(folder / TOKENIZER, file, [], entries)
    (folder / JOURNAL).unlink()
    about = {"key": key, "form": form.as_json(), "config": asdict(config), "about": dict(entries)}
    (folder / CONFIG).write_text(json.dumps(about, indent=1) + "\n", "utf-8")
