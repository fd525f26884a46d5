"""The actions that are offered at a place of a file, and the frames that they stand for.

What is offered makes sense there: documentation and tests of the definition around the cursor, a
fix of a problem that a client has shown, a body where there is none yet.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from midline.server.routing.actions.testing import is_test_file
from midline.server.routing.definitions import Definition, definition_at
from midline.server.routing.frame import Frame
from midline.server.routing.stubs import stub_of
from midline.server.routing.targets import Cursor
from midline.server.routing.workspace import SourceFile

REWRITE, QUICK_FIX, SOURCE = "refactor.rewrite", "quickfix", "source"
"""Kinds of the protocol."""
LANGUAGES = (
    "Python", "JavaScript", "TypeScript", "Go", "Rust", "C++", "C", "Java", "C#", "Kotlin",
    "Swift", "Ruby", "PHP", "Scala", "Perl", "Lua", "Bash",
)  # fmt: skip
"""What is offered to translate to."""
_MAX_TITLE = 60
_FIXES = "best of 3"
"""Answers of which the likeliest is taken that changes something and parses."""


@dataclass(frozen=True)
class Site:
    """A place in a file: the cursor or selection, and the definition around it."""

    source: SourceFile
    cursor: Cursor
    definition: Definition | None

    @classmethod
    def at(cls, source: SourceFile, cursor: Cursor) -> "Site":
        """The place of `cursor`."""
        return cls(source, cursor, definition_at(source, cursor.first, cursor.last))

    @property
    def what(self) -> str:
        """How the target of an explanation or translation is called; "" where there is none."""
        if self.cursor.is_selection:
            return "the selection"
        return self.definition.name if self.definition else ""


@dataclass(frozen=True)
class CodeAction:
    """An action that can be offered, by the name that `midline.action` takes."""

    name: str
    kind: str
    title: Callable[[Site], str]
    """What the client shows; "" where the action makes no sense."""
    wish: Callable[[Site], str] = lambda site: ""
    """What the model is asked for, if the prompt of the intent does not say it all."""
    keeps_selection: bool = False
    """Whether a selection is the target; otherwise the definition around it is."""


def _docstring(site: Site) -> str:
    return f"Write docstring of {site.definition.name}" if site.definition else ""


def _complete(site: Site) -> str:
    definition = site.definition
    if definition is None or definition.kind != "function" or stub_of(definition) is None:
        return ""
    return f"Complete the body of {definition.name}"


def _tests(site: Site) -> str:
    definition = site.definition
    if definition is None or definition.kind != "function" or is_test_file(site.source.path):
        return ""
    return f"Write tests of {definition.name}"


ACTIONS = (
    CodeAction("complete", REWRITE, _complete),
    CodeAction("docstring", REWRITE, _docstring),
    CodeAction("tests", SOURCE, _tests, lambda site: f"Write tests of {site.what}."),
    CodeAction(
        "explain",
        SOURCE,
        lambda site: f"Explain {site.what}" if site.what else "",
        lambda site: f"Explain what {site.what} does.",
        keeps_selection=True,
    ),
    CodeAction(
        "translate",
        SOURCE,
        lambda site: f"Translate {site.what} to ..." if site.what else "",
        keeps_selection=True,
    ),
)
"""All but `fix`, which belongs to a diagnostic."""
NAMES = frozenset({"fix", *(action.name for action in ACTIONS)})


def is_wanted(kind: str, only: tuple[str, ...] | None) -> bool:
    """Whether a client that asks for the kinds `only` gets actions of `kind`, a kind or below."""
    return only is None or any(
        wanted == "" or kind == wanted or kind.startswith(f"{wanted}.") for wanted in only
    )


def offered(site: Site, only: tuple[str, ...] | None) -> Iterator[tuple[CodeAction, str]]:
    """The actions that make sense at a place, with their titles."""
    for action in ACTIONS:
        if is_wanted(action.kind, only) and (title := action.title(site)):
            yield action, title


def fix_title(message: str) -> str:
    """How the fix of a diagnostic is called."""
    first = (message.strip() or "this problem").splitlines()[0].rstrip(".")
    return f"Fix: {first if len(first) <= _MAX_TITLE else first[: _MAX_TITLE - 3] + '...'}"


def title_of(name: str, site: Site) -> str:
    """What an action is called where it runs."""
    titles = {action.name: action.title for action in ACTIONS}
    return (titles[name](site) if name in titles else "") or name


def action_frame(name: str, site: Site, message: str = "", language: str = "") -> Frame:
    """The frame that an action stands for."""
    if name == "fix":
        line = _line(site)
        about = f" in the line `{line}`" if line else ""
        text = f"This code has a problem{about}: {message.strip()}\nFix this problem only."
        slots = {"budget": _FIXES, "line": str(site.cursor.first)}
        return Frame("fix", slots, text, 1.0)
    action = next(action for action in ACTIONS if action.name == name)
    slots = {"language": language} if language else {}
    return Frame(name, slots, action.wish(site), 1.0)


def _line(site: Site) -> str:
    """The text of the line that the cursor is in."""
    lines = site.source.data.splitlines()[site.cursor.first - 1 : site.cursor.first]
    return lines[0].decode("utf-8", "replace").strip() if lines else ""
