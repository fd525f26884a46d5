"""How right a reading is: edits, and the frames with and without the project at hand."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.quality.screenshots.captures import Captured
from midline.benchmarks.quality.screenshots.scores import edits, frames_key, same_frames
from midline.benchmarks.quality.screenshots.screens import Drawn
from midline.benchmarks.quality.screenshots.tracebacks import write_project
from midline.model.vision.failure import find_failure
from midline.server.routing.screen_failure import located
from midline.server.routing.workspace import Workspace


def judge(case: Drawn | Captured, texts: Sequence[str]) -> dict[str, Any]:
    """The pane nearest to the true text; of a text of the whole screen, the lines nearest to it."""
    true = case.text
    nearest = min(
        ((edits(part, true), part) for t in texts for part in _parts(t, true)), default=None
    )
    wrong, text = nearest or (len(true), "")
    count = max(len(true), 1)
    judged = {
        "wrong": min(wrong, count),
        "count": count,
        "frames": same_frames(true, text, case.columns),
    }
    if isinstance(case, Drawn):
        judged["in_project"] = _same_in_project(case, text)
    return judged


def _parts(text: str, true: str) -> list[str]:
    """The text, or the stretches of it that begin like the true text and are as long."""
    lines, height = [t for t in text.split("\n") if t.strip()], true.count("\n") + 1
    if len(lines) <= height + 4:
        return [text]
    heads = true.split("\n")[:3]
    starts = {
        min(range(len(lines)), key=lambda n: edits(lines[n].strip(), head.strip())) - offset
        for offset, head in enumerate(heads)
    }
    return [text, *("\n".join(lines[max(s, 0) : max(s, 0) + height]) for s in starts)]


def _same_in_project(case: Drawn, read: str) -> bool:
    """Whether the frames are right after their names and lines were looked up in the project."""
    failures = [find_failure(text, case.columns) for text in (case.text, read)]
    if None in failures:
        return False
    with tempfile.TemporaryDirectory() as folder:
        write_project(case.case, Path(folder))
        workspace = Workspace.around(Path(folder).resolve())
        found = [located(f, "", workspace).failure for f in failures if f is not None]
        wanted, had = (frames_key(f) for f in found if f is not None)
    return wanted == had
