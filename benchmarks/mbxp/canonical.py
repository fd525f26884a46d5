"""The canonical solutions of the data as samples, adapted to prompts that were revised later.

They validate the evaluator. The prompts of five languages were revised after the solutions had been
collected: parameters were renamed (PHP, JavaScript, Kotlin), types in signatures changed (Java,
Kotlin), one function was indented differently (Python). A solution is judged with the prompt it was
written for; otherwise one in eight PHP solutions fails.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from midline.benchmarks.mbxp.samples import Sample
from midline.benchmarks.mbxp.tasks import Task

RENAMED = {"char": "ch"}
VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")
STRING_OR_WORD = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|([A-Za-z_]\w*)")
PARAMETER = re.compile(r"([A-Za-z_]\w*)\s*:")
RETURNS_DOUBLE = re.compile(r"\)\s*:\s*Double\s*\{")
RETURNED_INTEGER = re.compile(r"\b(return -?\d+)\b(?!\.)")
DOUBLE = re.compile(r"\bDouble\b(?![^<>]*>)")
NUMBER = re.compile(r"\bNumber\b(?![^<>]*>)")


def canonical_samples(tasks: Mapping[str, Task]) -> list[Sample]:
    """One sample per task with a canonical solution."""
    return [_fitted(task) for task in tasks.values() if task.canonical_solution]


def _fitted(task: Task) -> Sample:
    solution = task.canonical_solution or ""
    if task.language == "java":
        return Sample(with_primitive_types(task), solution, 0)
    fit = FITTINGS.get(task.language)
    return Sample(task, fit(task, solution) if fit else solution, 0)


def php_names(task: Task, solution: str) -> str:
    """`solution` with its variables spelled as the prompt's parameters, in strings as well."""
    spelling = _spelling(task, VARIABLE.findall(_signature(task)))
    return VARIABLE.sub(lambda found: f"${spelling(found[1])}", solution)


def javascript_names(task: Task, solution: str) -> str:
    """`solution` with its words outside of strings spelled as the prompt's parameters."""
    parameters = _signature(task).rpartition("(")[2]
    spelling = _spelling(task, re.findall(r"[A-Za-z_]\w*", parameters))
    return STRING_OR_WORD.sub(lambda found: spelling(found[1]) if found[1] else found[0], solution)


def kotlin_names_and_numbers(task: Task, solution: str) -> str:
    """`solution` with the parameters' new names; integers it returns become Double where due."""
    signature = _signature(task)
    parameters = set(PARAMETER.findall(signature))
    renamed = {old: new for old, new in RENAMED.items() if new in parameters}
    solution = STRING_OR_WORD.sub(lambda found: renamed.get(found[1], found[0]), solution)
    if RETURNS_DOUBLE.search(signature):
        solution = RETURNED_INTEGER.sub(r"\1.0", solution)
    return solution


def python_indentation(task: Task, solution: str) -> str:
    """`solution` shifted so that its first statement stands below the docstring."""
    lines = solution.splitlines(keepends=True)
    code = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    have, want = _indentation(code[0] if code else ""), _indentation(_signature(task))
    if have == want:
        return solution
    # A comment may stand further left than the first statement.
    rests = (line.removeprefix(have) if line.startswith(have) else line.lstrip(" \t")
             for line in lines)  # fmt: skip
    return "".join(want + rest for rest in rests)


def with_primitive_types(task: Task) -> Task:
    """`task` with double in its signature for Double, and for Number where that is a parameter's.

    Type arguments are left alone.
    """
    signature = _signature(task)
    before, _, after = task.prompt.rpartition(signature)
    result, bracket, parameters = DOUBLE.sub("double", signature).partition("(")
    fitted = result + bracket + NUMBER.sub("double", parameters)
    return replace(task, prompt=before + fitted + after)


FITTINGS: dict[str, Callable[[Task, str], str]] = {
    "php": php_names,
    "javascript": javascript_names,
    "kotlin": kotlin_names_and_numbers,
    "python": python_indentation,
}


def _signature(task: Task) -> str:
    """The last line of the prompt that is not empty."""
    return task.prompt.rstrip().splitlines()[-1]


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _spelling(task: Task, names: list[str]) -> Callable[[str], str]:
    """Maps a word to the one of `names` that differs in capitals only, or replaced it.

    The function's own name is left alone.
    """
    known = {name.lower(): name for name in names}
    known |= {old: new for old, new in RENAMED.items() if new in names}
    kept = {*names, task.entry_point}
    return lambda word: word if word in kept else known.get(word.lower(), word)
