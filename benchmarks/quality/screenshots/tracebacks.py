"""Tracebacks of made-up programs, and the projects that they belong to."""

import random
from dataclasses import dataclass, field
from pathlib import Path

_WORDS = """
account address amount archive batch billing branch buffer cache cart channel client config cursor
customer delivery device document event export field filter folder gateway handler header image
index invoice item journal key ledger limit loader message metric model network note order packet
page parser payment policy price product profile queue rate record report request result route
rule schema score search session shipment signal source stock stream table task ticket token total
transfer update upload user value vendor version worker writer
"""
WORDS = _WORDS.split()
EXCEPTIONS = (
    "KeyError", "TypeError", "ValueError", "AttributeError", "IndexError", "RuntimeError",
    "ZeroDivisionError", "FileNotFoundError", "json.decoder.JSONDecodeError", "PermissionError",
    "UnicodeDecodeError", "sqlite3.OperationalError", "requests.exceptions.ConnectionError",
)  # fmt: skip
FORMS = ("python", "python", "python", "javascript", "java", "rustc", "compiler")


@dataclass(frozen=True)
class Case:
    """The text of a failure, and a project's files by their names in which it failed."""

    text: str
    files: dict[str, str] = field(default_factory=dict)


def _name(rng: random.Random) -> str:
    return "_".join(rng.sample(WORDS, rng.randint(1, 2)))


def _call(rng: random.Random) -> str:
    return rng.choice(
        (
            f'{_name(rng)} = {_name(rng)}["{_name(rng)}"]',
            f"return {_name(rng)}({_name(rng)}, {_name(rng)}={rng.randint(0, 99)})",
            f"for {_name(rng)} in self.{_name(rng)}.{_name(rng)}():",
            f"{_name(rng)}.append(({_name(rng)} + {rng.randint(1, 9)}) / {_name(rng)})",
            f"if {_name(rng)} > {rng.random():.2f} and not {_name(rng)}:",
            f'raise {rng.choice(EXCEPTIONS[:6])}(f"no {_name(rng)} in {{{_name(rng)}}}")',
        )
    )


def _message(rng: random.Random) -> str:
    return rng.choice(
        (
            f"'{_name(rng)}'",
            f"'{_name(rng).title()}' object has no attribute '{_name(rng)}'",
            f"unsupported operand type(s) for +: 'int' and 'str' ({rng.randint(1, 999)})",
            f"[Errno 2] No such file or directory: '/var/lib/{_name(rng)}.json'",
            f"Expecting value: line {rng.randint(1, 9)} column {rng.randint(1, 99)}",
            f"{_name(rng)} must be in 0..{rng.randint(2, 99)}, it is {rng.randint(100, 9999)}",
        )
    )


def python_case(rng: random.Random) -> Case:
    """A traceback of Python with two to six frames, and the files of the project."""
    root = f"/home/{rng.choice(WORDS)}/{rng.choice(WORDS)}"
    lines, files = ["Traceback (most recent call last):"], {}
    names = rng.sample(WORDS, rng.randint(2, 6))
    for depth, name in enumerate(names):
        number, source = rng.randint(6, 60), _call(rng)
        function = "<module>" if depth == 0 else _name(rng)
        path = f"{name}.py" if depth == 0 else f"{rng.choice(WORDS)}/{name}.py"
        head = "import os" if depth == 0 else f"def {function}({_name(rng)}):"
        indent = "" if depth == 0 else "    "
        files[path] = _file(rng, number, f"{indent}{source}", head, f"{indent}pass")
        lines += [f'  File "{root}/{path}", line {number}, in {function}', f"    {source}"]
        if rng.random() < 0.4:
            start = rng.randint(0, max(len(source) - 6, 0))
            lines.append(" " * (4 + start) + "^" * min(rng.randint(3, 14), len(source) - start))
    lines.append(f"{rng.choice(EXCEPTIONS)}: {_message(rng)}")
    return Case("\n".join(lines), files)


def _file(rng: random.Random, number: int, source: str, head: str, other: str) -> str:
    """A file with `source` at a line, `head` up to four lines above it, else lines of `other`."""
    before = rng.randint(1, min(4, number - 1))
    lines = [other for _ in range(number + rng.randint(1, 9))]
    lines[number - 1 - before], lines[number - 1] = head, source
    return "\n".join([*lines, ""])


def failure_case(rng: random.Random, form: str) -> Case:
    """A failure in one of the forms."""
    makers = {
        "python": python_case,
        "javascript": _javascript,
        "java": _java,
        "rustc": _rustc,
        "compiler": _compiler,
    }
    return makers[form](rng)


def _javascript(rng: random.Random) -> Case:
    root = f"/srv/{rng.choice(WORDS)}/src"
    lines, files = (
        [f"{rng.choice(('TypeError', 'RangeError', 'ReferenceError'))}: {_message(rng)}"],
        {},
    )
    for _ in range(rng.randint(2, 7)):
        function, name, number = _name(rng), f"{_name(rng)}.js", rng.randint(2, 999)
        lines.append(f"    at {function} ({root}/{name}:{number}:{rng.randint(1, 80)})")
        files[f"src/{name}"] = _file(
            rng, number, f"  {_name(rng)}();", f"function {function}() {{", "}"
        )
    return Case("\n".join(lines), files)


def _java(rng: random.Random) -> Case:
    kind = rng.choice(("IllegalStateException", "NullPointerException", "RuntimeException"))
    lines, files = [f'Exception in thread "main" java.lang.{kind}: {_message(rng)}'], {}
    for _ in range(rng.randint(2, 7)):
        name, number, method = rng.choice(WORDS).title(), rng.randint(2, 900), rng.choice(WORDS)
        package = rng.choice(WORDS)
        lines.append(f"    at com.{package}.{name}.{method}({name}.java:{number})")
        files[f"com/{package}/{name}.java"] = _file(
            rng, number, f"{_name(rng)}();", f"void {method}() {{", "}"
        )
    return Case("\n".join(lines), files)


def _rustc(rng: random.Random) -> Case:
    number, file = rng.randint(2, 400), f"src/{_name(rng)}.rs"
    source = f"let {_name(rng)} = {_name(rng)}.{_name(rng)}(&{_name(rng)});"
    pad = " " * len(str(number))
    text = (
        f"error[E0{rng.randint(100, 800)}]: cannot find value `{_name(rng)}` in this scope\n"
        f"{pad}--> {file}:{number}:{rng.randint(1, 60)}\n{pad} |\n"
        f"{number} |     {source}\n{pad} |         ^^^^^^^ not found in this scope"
    )
    return Case(text, {file: _file(rng, number, f"    {source}", "fn main() {", "}")})


def _compiler(rng: random.Random) -> Case:
    file = f"src/{_name(rng)}.c"
    rows = []
    for _ in range(rng.randint(1, 4)):
        number = rng.randint(1, 900)
        rows += [
            f"{file}:{number}:{rng.randint(1, 70)}: error: '{_name(rng)}' undeclared",
            f"{number:5} |     {_name(rng)} = {_name(rng)};",
        ]
    return Case("\n".join(rows), {file: "\n".join(f"int {_name(rng)};" for _ in range(900))})


def write_project(case: Case, folder: Path) -> None:
    """Write a case's files below a folder."""
    for name, text in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
