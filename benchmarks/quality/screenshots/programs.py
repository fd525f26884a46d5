"""Small programs that fail, each in its own way; their error output is what captures show."""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = {
    "key.py": """\
def total_of(rows):
    return sum(r['price'] for r in rows)


print(total_of([{}]))
""",
    "zero.py": """\
def mean(values):
    return sum(values) / len(values)


mean([])
""",
    "chain.py": """\
import json


def load(text):
    return json.loads(text)


load('{')
""",
    "attribute.py": """\
class Cart:
    pass


def show(cart):
    print(cart.items)


show(Cart())
""",
    "types.py": """\
def join(names):
    return ', '.join(names)


join(['a', 1])
""",
    "index.py": """\
def last_of(rows):
    return rows[len(rows)]


last_of([1, 2, 3])
""",
    "file.py": """\
from pathlib import Path

Path('/nonexistent/settings.toml').read_text()
""",
    "value.py": """\
def parse(text):
    return int(text)


parse('12O')
""",
    "syntax.py": """\
def broken(:
    pass
""",
    "name.py": """\
def area(width):
    return width * heigth


area(2)
""",
    "recursion.py": """\
import sys

sys.setrecursionlimit(40)


def down(n):
    return down(n + 1)


down(0)
""",
    "raised.py": """\
def check(port):
    if port > 65535:
        raise ValueError(f'port {port} is above 65535')


check(70000)
""",
    "rates.c": """\
int rate_of(int country) {
    return tabel[country];
}
""",
    "server.js": """\
function listen(port) {
  return port.toFixed(0);
}
listen(undefined);
""",
}
_RUNNERS = {".py": [sys.executable], ".c": ["gcc", "-fsyntax-only"], ".js": ["node"]}


@dataclass(frozen=True)
class Output:
    """A program's name and source, and what it wrote to its standard error."""

    name: str
    source: str
    text: str


def outputs() -> list[Output]:
    """The error output of each program that can be run here."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name, source in PROGRAMS.items():
            path = Path(folder) / name
            path.write_text(source, "utf-8")
            runner = _RUNNERS[path.suffix]
            if shutil.which(runner[0]) is None:
                continue
            done = subprocess.run(
                [*runner, name], cwd=folder, capture_output=True, text=True, check=False
            )
            text = done.stderr.replace(folder, "/srv/shop").rstrip("\n")
            shown = "\n".join(line.rstrip() for line in text.split("\n"))
            found.append(Output(name, source, shown))
    return found
