"""Every made-up failure is one that is recognized, and its project has the lines it names."""

import random
from pathlib import Path

import pytest

from midline.benchmarks.quality.screenshots.tracebacks import (
    FORMS,
    failure_case,
    python_case,
    write_project,
)
from midline.model.vision.failure import find_failure


@pytest.mark.parametrize("form", sorted(set(FORMS)))
def test_a_failure_of_each_form_is_recognized(form: str) -> None:
    for seed in range(20):
        failure = find_failure(failure_case(random.Random(seed), form).text)
        assert failure is not None and failure.form == form
        assert failure.frames and failure.exception


def test_the_project_has_the_lines_of_its_frames(tmp_path: Path) -> None:
    case = python_case(random.Random(5))
    write_project(case, tmp_path)
    failure = find_failure(case.text)
    assert failure is not None
    for frame in failure.frames:
        name = next(n for n in case.files if frame.file.endswith(f"/{n}"))
        lines = (tmp_path / name).read_text().split("\n")
        assert lines[frame.line - 1].strip() == frame.source
