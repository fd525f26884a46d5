"""A small project on disk, and what a sentence does in it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from midline.model.intents.student import load_student
from midline.server.routing.frame import Frame, read_frame
from midline.server.routing.outcome import Outcome
from midline.server.routing.router import Router
from midline.server.routing.targets import Cursor
from midline.server.routing.workspace import Workspace

UTILS = '''"""Small helpers."""


def foo(values, limit=3):
    total = 0
    for value in values:
        if value > limit:
            total += value * 2
    result = total + limit
    return result


class Cart:
    def add(self, item):
        self.items.append(foo([item]))
        return self

    def reset(self):
        self.items = []
'''
MAIN = """import utils
from utils import Cart, foo


def run():
    # foo is called
    cart = Cart().add(1)
    print(foo([1, 2]), utils.foo([3]), "foo")
    return cart
"""
OTHER = "def local():\n    foo = 1\n    return foo\n"

Act = Callable[..., Outcome]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A git project with three Python files."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    (root / "src").mkdir()
    (root / "utils.py").write_text(UTILS)
    (root / "src" / "main.py").write_text(MAIN)
    (root / "other.py").write_text(OTHER)
    return root


@pytest.fixture
def act(project: Path) -> Act:
    """What a sentence or a frame ends in."""

    def act(what: str | Frame, cursor: Cursor | None = None) -> Outcome:
        frame = read_frame(what, load_student()) if isinstance(what, str) else what
        names = ("temperature", "maxTokens", "enabled", "debounceMilliseconds", "threads")
        return Router(Workspace(project), names, "qwen2.5-coder-0.5b", cursor).act(frame)

    return act


def frame(intent: str, text: str = "", **slots: str) -> Frame:
    """A frame without a model."""
    return Frame(intent, slots, text or intent, 1.0)
