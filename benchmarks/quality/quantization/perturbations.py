"""Perturbations of Python problems after ReCode (arXiv 2212.10264), those that need no model.

Four families, each with several kinds; a seed chooses the kind and the places. Format and syntax
change half of a solution that the prompt then contains; names and docstring change the problem's
own prompt. A perturbation keeps the meaning: solutions of the changed problem pass the same tests.
"""

import ast
import random
import re
from collections.abc import Callable
from dataclasses import replace

from midline.benchmarks.mbxp.tasks import Task

Change = Callable[[str, random.Random], str]
FAMILIES = ("format", "names", "syntax", "docstring")
IN_CODE = ("format", "syntax")
"""Families whose prompts contain half of a solution."""
_DOCSTRING = re.compile(r'(?P<quote>""")(?P<text>.*?)(?P<end>""")', re.DOTALL)


def half_solved(task: Task) -> Task | None:
    """The problem with the first half of its solution's lines in the prompt; None if too short."""
    lines = (task.canonical_solution or "").rstrip().splitlines(keepends=True)
    count = len(lines) // 2
    if count < 1:
        return None
    prompt = task.prompt if task.prompt.endswith("\n") else task.prompt + "\n"
    head = "".join(lines[:count])
    return replace(task, prompt=prompt + (head if head.endswith("\n") else head + "\n"))


def perturbed(task: Task, family: str, seed: int) -> Task:
    """The problem, changed by a kind of the family that the seed chooses.

    For families in code the task is one of `half_solved`.
    """
    rng = random.Random(f"{task.task_id}|{family}|{seed}")
    kinds = list(NAMES if family == "names" else KINDS[family])
    rng.shuffle(kinds)
    for kind in kinds:  # the first that changes anything
        text = kind(task.entry_point if family == "names" else task.prompt, rng)
        if family == "names" and text != task.entry_point:
            return _renamed(task, text)
        if family != "names" and text != task.prompt:
            return replace(task, prompt=text)
    return task


def _renamed(task: Task, name: str) -> Task:
    """The problem with another name of its function, wherever the whole word stands."""
    word = re.compile(rf"\b{re.escape(task.entry_point)}\b")
    return replace(
        task, prompt=word.sub(name, task.prompt), test=word.sub(name, task.test), entry_point=name
    )


def _camel_case(name: str, rng: random.Random) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _butter_fingers(name: str, rng: random.Random) -> str:
    """One letter becomes a neighbour on the keyboard."""
    places = [i for i, letter in enumerate(name) if letter in _NEIGHBOURS]
    if not places:
        return name + "x"
    at = rng.choice(places)
    return name[:at] + rng.choice(_NEIGHBOURS[name[at]]) + name[at + 1 :]


def _swapped_case(name: str, rng: random.Random) -> str:
    return name.swapcase()


def _tabs(text: str, rng: random.Random) -> str:
    """Indentation by tabs, a level each, or by four blanks where it is by tabs."""
    lines = text.split("\n")
    indents = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines]
    if any("\t" in indent for indent in indents):
        levels = [indent.replace("\t", "    ") for indent in indents]
    else:
        unit = min((len(indent) for indent in indents if indent), default=4)
        levels = ["\t" * (len(indent) // unit) + " " * (len(indent) % unit) for indent in indents]
    return "\n".join(
        level + line[len(indent) :]
        for level, indent, line in zip(levels, indents, lines, strict=True)
    )


def _blank_lines(text: str, rng: random.Random) -> str:
    """Blank lines between the lines of the code behind the docstring."""
    head, body = _split_docstring(text)
    lines = body.split("\n")
    return head + "\n".join(
        line + "\n" * (0 < i < len(lines) - 1 and rng.random() < 0.5)
        for i, line in enumerate(lines)
    )


def _comments(text: str, rng: random.Random) -> str:
    """The docstring as comments."""
    found = _DOCSTRING.search(text)
    if found is None:
        return text
    start = text.rfind("\n", 0, found.start()) + 1
    indent = text[start : found.start()]
    lines = [line.strip() for line in found["text"].strip("\n").split("\n")]
    comment = "\n".join(f"{indent}# {line}".rstrip() for line in lines if line)
    return text[:start] + comment + text[found.end() :]


def _dead_code(text: str, rng: random.Random) -> str:
    """A branch or a loop that never runs, behind the docstring."""
    head, body = _split_docstring(text)
    lines = body.split("\n")
    at = next((i for i, line in enumerate(lines) if line.strip()), None)
    if at is None:
        return text
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    step = "\t" if "\t" in indent else indent
    start = rng.choice(("if False:", "while False:", "for _ in range(0):"))
    lines[at:at] = [f"{indent}{start}", f"{indent}{step}unused = {rng.randint(0, 99)}"]
    return head + "\n".join(lines)


def _renamed_variable(text: str, rng: random.Random) -> str:
    """Another name for a local variable of the code behind the docstring."""
    head, body = _split_docstring(text)
    names = re.findall(r"^[ \t]+([A-Za-z_]\w*) = ", body, re.MULTILINE)
    if not names:
        return _dead_code(text, rng)
    name = rng.choice(sorted(set(names)))
    other = rng.choice(("result_value", "tmp", "var_0"))
    if re.search(rf"\b{other}\b", text) or re.search(rf"\b{name}\b", head):
        return _dead_code(text, rng)
    return head + re.sub(rf"(?<![.\w]){name}\b(?!\s*=[^=][^\n]*\))", other, body)


def _operand_swap(text: str, rng: random.Random) -> str:
    """a == b as b == a and a < b as b > a, where both are names or numbers."""
    head, body = _split_docstring(text)
    pattern = re.compile(r"(?<=if )(\w+) (==|!=|<|>|<=|>=) (\w+)(?=:)")
    mirrored = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
    changed = pattern.sub(lambda m: f"{m[3]} {mirrored[m[2]]} {m[1]}", body)
    return head + changed if changed != body else _dead_code(text, rng)


def _split_docstring(text: str) -> tuple[str, str]:
    """Text up to the end of the docstring's line, and what follows."""
    found = _DOCSTRING.search(text)
    end = text.find("\n", found.end() if found else 0) + 1
    return (text[:end], text[end:]) if end else (text, "")


def _in_sentence(change: Callable[[str, random.Random], str]) -> Change:
    """Applies `change` to the docstring's sentences, not to its examples."""

    def apply(text: str, rng: random.Random) -> str:
        def lines(found: re.Match[str]) -> str:
            words, mark, examples = found["text"].partition(">>>")
            return found["quote"] + change(words, rng) + mark + examples + found["end"]

        return _DOCSTRING.sub(lines, text, count=1)

    return apply


def _random_case(words: str, rng: random.Random) -> str:
    return "".join(c.upper() if rng.random() < 0.35 else c for c in words)


def _typing_errors(words: str, rng: random.Random) -> str:
    return "".join(
        rng.choice(_NEIGHBOURS[c]) if c in _NEIGHBOURS and rng.random() < 0.05 else c for c in words
    )


def _swapped_letters(words: str, rng: random.Random) -> str:
    def swap(found: re.Match[str]) -> str:
        word = found[0]
        if len(word) < 4 or rng.random() > 0.15:
            return word
        at = rng.randrange(1, len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    return re.sub(r"[A-Za-z]+", swap, words)


def _doubled_blanks(words: str, rng: random.Random) -> str:
    return re.sub(r"(?<=\w) (?=\w)", lambda _: "  " if rng.random() < 0.3 else " ", words)


NAMES: tuple[Change, ...] = (_camel_case, _butter_fingers, _swapped_case)
KINDS: dict[str, tuple[Change, ...]] = {
    "format": (_tabs, _blank_lines, _comments),
    "syntax": (_dead_code, _renamed_variable, _operand_swap),
    "docstring": tuple(
        map(_in_sentence, (_random_case, _typing_errors, _swapped_letters, _doubled_blanks))
    ),
}
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    letter: row[max(0, i - 1) : i] + row[i + 1 : i + 2]
    for row in _ROWS
    for i, letter in enumerate(row)
}


def is_python(text: str) -> bool:
    """Whether a text could be the beginning of a file: it parses with a body behind it."""
    bodies = [step * depth + "pass\n" for step in (" ", "\t") for depth in range(1, 21)]
    for body in ("", *bodies):
        try:
            ast.parse(text + body)
        except SyntaxError:
            continue
        return True
    return False
