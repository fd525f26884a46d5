"""The end of a completed function, found with tree-sitter.

In languages with braces a function ends at the brace that closes it, in Ruby at the `end` of the
method, in Python before the first token at column 0. Only tokens are used, not the shape of the
tree, so text that does not parse is handled, too.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from midline.model.completion import syntax
from midline.model.errors import MidlineError
from midline.model.tokenizer.base import TokenizerBase

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

OPENING = {"{", "${", "#{", "@{", "%{"}
CLOSING = {"}"}
CLOSERS = {"java": "\n}\n"}
"""What the program still needs after the function: Java's tests stand outside the class."""
TEXT_TYPES = ("string", "comment", "heredoc")
CHECK_EVERY = 8
"""Most tokens between two checks for the end of the function."""


class FunctionEnd:
    """Finds the end of the function that `prompt` leaves open, in completions of it."""

    def __init__(self, language: str, prompt: str) -> None:
        self.language = language
        self.prompt = prompt.encode()
        self.parser = parser(language)
        self.depth = 0
        if language not in ("python", "ruby"):
            self.depth = sum(change for _, change in _braces(self._parse(b"")))

    def find(self, completion: str) -> int | None:
        """Length, in characters, of the part of `completion` up to the function's end."""
        data = completion.encode("utf-8", "replace")
        end = self._end(data)
        return None if end is None else len(data[:end].decode("utf-8", "replace"))

    def may_end(self, addition: str) -> bool:
        """Whether the function can have ended within `addition`; far cheaper than parsing."""
        if self.language == "python":
            return "\n" in addition or not addition[:1].isspace()
        return ("end" if self.language == "ruby" else "}") in addition

    def finished(self, completion: str) -> str:
        """`completion` cut at the function's end, with what the program needs after it."""
        end = self.find(completion)
        if end is None:
            return completion
        return completion[:end].rstrip() + CLOSERS.get(self.language, "\n")

    def _end(self, data: bytes) -> int | None:
        if self.language == "python":
            return self._first_outside(data)
        root = self._parse(data)
        if self.language == "ruby":
            return self._end_of_method(root)
        depth = 0
        for node, change in _braces(root):
            depth += change
            if change < 0 and depth < self.depth and node.start_byte >= len(self.prompt):
                return node.end_byte - len(self.prompt)
        return None

    def _first_outside(self, data: bytes) -> int | None:
        for node in _leaves(self._parse(data)):
            begins = node.start_byte >= len(self.prompt) and node.start_point[1] == 0
            if begins and node.end_byte > node.start_byte and not _inside_string(node):
                return node.start_byte - len(self.prompt)
        return None

    def _end_of_method(self, root: "Node") -> int | None:
        name = self.prompt.rfind(b"def ")
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if node.type == "method" and node.start_byte == name:
                last = node.children[-1]
                complete = last.type == "end" and not last.is_missing
                return node.end_byte - len(self.prompt) if complete else None
            waiting += node.children
        return None

    def _parse(self, completion: bytes) -> "Node":
        return self.parser.parse(self.prompt + completion).root_node


class StopAtEnd:
    """Stop condition: whether the function has ended; parses only where it can have."""

    def __init__(self, tokenizer: TokenizerBase, end: FunctionEnd) -> None:
        self.tokenizer, self.end = tokenizer, end
        self.seen: dict[int, int] = {}

    def __call__(self, sample: int, ids: list[int]) -> bool:
        """See `Stop`."""
        seen = self.seen.get(sample, 0)
        addition = self.tokenizer.decode(ids[max(0, seen - 1) :])
        if not self.end.may_end(addition) and len(ids) - seen < CHECK_EVERY:
            return False
        self.seen[sample] = len(ids)
        return self.end.find(self.tokenizer.decode(ids)) is not None


def parser(language: str) -> "Parser":
    """The parser of `language`; MidlineError if its grammar is not installed."""
    found = syntax.parser(language)
    if found is None:
        package = syntax.GRAMMARS[language].package
        raise MidlineError(
            f"stopping at a function's end needs {package}; `pip install {package}` brings it"
        )
    return found


def _leaves(root: "Node") -> Iterator["Node"]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.children:
            waiting += reversed(node.children)
        else:
            yield node


def _braces(root: "Node") -> Iterator[tuple["Node", int]]:
    for node in _leaves(root):
        if node.is_missing:
            continue
        if node.type in OPENING:
            yield node, 1
        elif node.type in CLOSING:
            yield node, -1


def _inside_string(node: "Node") -> bool:
    ancestor: Node | None = node
    while ancestor is not None:
        if ancestor.type.startswith(TEXT_TYPES) and ancestor.type != "comment":
            return True
        ancestor = ancestor.parent
    return False
