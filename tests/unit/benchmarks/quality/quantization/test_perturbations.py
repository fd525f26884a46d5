"""Perturbations: they change the problem, not what it means."""

import random
import re

import pytest

from midline.benchmarks.mbxp.tasks import Task
from midline.benchmarks.quality.quantization.perturbations import (
    FAMILIES,
    IN_CODE,
    KINDS,
    NAMES,
    half_solved,
    is_python,
    perturbed,
)

PROMPT = '''

def count_larger(items, least_value):
\t"""
\tWrite a function to count the items that are larger than the least value.
\t>>> count_larger([1, 5, 9], 4)
\t2
\t"""
'''
SOLUTION = """\ttotal = 0
\tfor item in items:
\t\tif item > least_value:
\t\t\ttotal += 1
\treturn total"""
TEST = """
def check(candidate):
    assert count_larger([1, 5, 9], 4) == 2
    assert count_larger([], 4) == 0
"""
FIELDS = {
    "task_id": "MBPP/1", "language": "python", "prompt": PROMPT, "test": TEST,
    "entry_point": "count_larger", "canonical_solution": SOLUTION, "description": "",
}  # fmt: skip


@pytest.fixture
def task() -> Task:
    known = set(Task.__dataclass_fields__)
    return Task(**{name: value for name, value in FIELDS.items() if name in known})


def passes(task: Task, completion: str) -> bool:
    source = f"{task.prompt}{completion}\n{task.test}\ncheck({task.entry_point})"
    try:
        exec(compile(source, "problem", "exec"), {"__name__": "problem"})
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("family", ["names", "docstring"])
def test_solutions_still_pass(task: Task, family: str, seed: int) -> None:
    changed = perturbed(task, family, seed)
    assert changed.prompt != task.prompt and passes(changed, SOLUTION)
    assert (changed.entry_point != task.entry_point) == (family == "names")


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("family", IN_CODE)
def test_code_stays_code(task: Task, family: str, seed: int) -> None:
    half = half_solved(task)
    assert half is not None and half.prompt.endswith("\tfor item in items:\n")
    changed = perturbed(half, family, seed)
    assert changed.prompt != half.prompt and is_python(changed.prompt)


def test_a_seed_always_gives_the_same(task: Task) -> None:
    half = half_solved(task)
    assert half is not None
    for family in FAMILIES:
        base = half if family in IN_CODE else task
        assert perturbed(base, family, 3) == perturbed(base, family, 3)
        assert len({perturbed(base, family, seed).prompt for seed in range(8)}) > 1


@pytest.mark.parametrize("kind", [kind for kinds in KINDS.values() for kind in kinds])
def test_examples_in_docstrings_are_left_alone(task: Task, kind) -> None:
    half = half_solved(task)
    assert half is not None
    text = kind(half.prompt, random.Random(1))
    assert re.search(r">>> count_larger\(\[1, 5, 9\], 4\)", text)


@pytest.mark.parametrize(("kind", "name"), [(NAMES[0], "countLarger"), (NAMES[2], "COUNT_LARGER")])
def test_names_are_written_as_said(kind, name: str) -> None:
    assert kind("count_larger", random.Random(0)) == name


def test_tabs_and_blanks_change_places() -> None:
    (tabs, *_) = KINDS["format"]
    rng = random.Random(0)
    assert tabs("if a:\n  if b:\n    c\n", rng) == "if a:\n\tif b:\n\t\tc\n"
    assert tabs("if a:\n\tb\n", rng) == "if a:\n    b\n"


def test_a_solution_of_one_line_has_no_half(task: Task) -> None:
    from dataclasses import replace

    assert half_solved(replace(task, canonical_solution="\treturn 1")) is None
