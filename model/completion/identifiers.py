"""Identifiers in a piece of code: those it binds and those it uses.

They are taken from the syntax tree of the whole file. The rules use node types and fields that the
grammars have in common; unknown ones count as bound.
"""

import builtins
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Tree, TreeCursor

_WORD = re.compile(r"\w+|[^\w\s]")
_NAMES = {"identifier", "simple_identifier", "constant", "name", "variable_name", "type_identifier"}
_DOTS = {".", "?.", "->", "::", "&."}
_BINDING_FIELDS = {"alias", "declarator", "left", "name", "parameter", "parameters", "pattern"}
_NOT_BINDING = re.compile(r"access|argument|binary|call|comparison|invocation|operator|scoped")
_PASSED_ON = re.compile(r"alias|declarator|import|list|name|param|pattern|spec|tuple")
_WHOLE = re.compile(r"char_literal|comment|heredoc|regex|string")

_JAVASCRIPT = """AbortController Array ArrayBuffer BigInt Blob Boolean Buffer DataView Date Error
    Float32Array Float64Array FormData Function Headers Infinity Int16Array Int32Array Int8Array
    Intl JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp
    Request Response Set String Symbol SyntaxError TextDecoder TextEncoder TypeError URL
    URLSearchParams Uint16Array Uint32Array Uint8Array WeakMap WeakSet WebSocket alert arguments
    atob btoa clearInterval clearTimeout console crypto decodeURI decodeURIComponent document
    encodeURI encodeURIComponent event exports fetch global globalThis history isFinite isNaN
    localStorage location module navigator parseFloat parseInt performance process queueMicrotask
    require sessionStorage setImmediate setInterval setTimeout structuredClone undefined window
    __dirname __filename"""
_TYPESCRIPT = f"""{_JAVASCRIPT} Awaited Element Event Exclude Extract HTMLElement InstanceType
    Iterable Iterator NodeJS NonNullable Omit Parameters Partial Pick PromiseLike Readonly
    ReadonlyArray ReadonlyMap ReadonlySet Record Required ReturnType any boolean never number
    object string symbol unknown"""
_RUST = """Box Clone Copy Debug Default DoubleEndedIterator Drop Eq Err ExactSizeIterator Extend Fn
    FnMut FnOnce From FromIterator Into IntoIterator Iterator None Ok Option Ord PartialEq
    PartialOrd Result Self Send Sized Some String Sync ToOwned ToString TryFrom TryInto Vec assert
    assert_eq assert_ne bool char cfg concat core crate dbg debug_assert debug_assert_eq derive drop
    env eprint eprintln f32 f64 file format i128 i16 i32 i64 i8 include_str isize line macro_rules
    matches panic print println self std str stringify super todo u128 u16 u32 u64 u8 unimplemented
    unreachable usize vec write writeln"""
BUILT_IN = {
    "python": frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__", "__path__"},
    "javascript": frozenset(_JAVASCRIPT.split()),
    "typescript": frozenset(_TYPESCRIPT.split()),
    "tsx": frozenset(_TYPESCRIPT.split()),
    "rust": frozenset(_RUST.split()),
}
"""Names that need no declaration, of the languages in which every other name of a file is declared
or imported in it; elsewhere packages, headers and directories bring names that a file does not
show."""


_KEYWORDS = """abstract and as assert async await bool break case catch char class const continue
    def default defer del do done double elif else elsif end enum esac except export extends False
    fi final finally float fn for foreach from func function global goto if impl implements import
    in include instanceof int interface is lambda let local long loop match mod module mut namespace
    new nil None nonlocal not null object of operator or override package pass print private
    protected pub public raise readonly record require rescue return self short static std string
    struct super switch template then this throw throws trait True true try type typedef typeof
    union unless unsafe unsigned until use using val var virtual void when where while with yield
    false"""


_PYTHON_ATTRIBUTES = frozenset(sys.stdlib_module_names).union(
    *(dir(kind) for kind in (bytes, dict, float, int, list, set, str, type(_WORD)))
)


class KnownWords:
    """Tells whether a word occurs around a cursor or belongs to the language.

    The word at the cursor itself, which may be two halves of one, does not count.
    """

    def __init__(self, before: bytes, after: bytes, language: str | None) -> None:
        self._before, self._after = before, after
        self._built_in = BUILT_IN.get(language or "", frozenset()).union(_KEYWORDS.split())
        self._others = _PYTHON_ATTRIBUTES if language == "python" else frozenset()

    def __call__(self, word: str) -> bool:
        """Whether `word` is known; every number is."""
        known = word.isdigit() or word in self._built_in or word in self._others
        return known or word in self._words

    @cached_property
    def _words(self) -> set[str]:
        before = re.sub(r"\w+\Z", "", self._before.decode("utf-8", "replace"))
        after = re.sub(r"\A\w+", "", self._after.decode("utf-8", "replace"))
        return {*re.findall(r"\w+", before), *re.findall(r"\w+", after)}


@dataclass(frozen=True)
class Names:
    """What a piece of code binds and uses.

    `tokens` are its leaves in order, comments left out, a string a single one; `bound` the names
    that it gives a meaning, in order, and `used` those it takes for granted. Members of something
    are neither.
    """

    tokens: tuple[str, ...]
    bound: tuple[str, ...] = ()
    used: frozenset[str] = frozenset()

    @classmethod
    def of_text(cls, text: str) -> "Names":
        """Words and signs of a text without a grammar."""
        return cls(tuple(_WORD.findall(text)))

    @classmethod
    def within(cls, tree: "Tree", start: int, end: int) -> "Names":
        """Of what begins between two offsets, in bytes, of the text that `tree` was made from."""
        tokens: list[str] = []
        bound: dict[str, None] = {}
        used: set[str] = set()
        for node, binds in _leaves(tree.walk(), start, end):
            text = (node.text or b"").decode("utf-8", "replace")
            if "comment" in node.type or not text:
                continue
            if node.type in _NAMES and not (tokens and tokens[-1] in _DOTS):
                if binds:
                    bound.setdefault(text)
                elif binds is False:
                    used.add(text)
            tokens.append(text)
        return cls(tuple(tokens), tuple(bound), frozenset(used.difference(bound)))

    @property
    def shape(self) -> tuple[str, ...]:
        """`tokens` with what is bound numbered in order: code that only names it otherwise is
        the same.
        """
        numbers = {name: f"${number}" for number, name in enumerate(self.bound)}
        return tuple(numbers.get(token, token) for token in self.tokens)


def _leaves(at: "TreeCursor", start: int, end: int) -> Iterator[tuple["Node", bool | None]]:
    """Leaves, and strings and comments, that begin in a range; whether a name there is bound.

    None where it is neither bound nor used: a module's or an argument's.
    """
    path: list[tuple[bool | None, str]] = []  # the same of the nodes above, and their types
    while True:
        node = at.node
        assert node is not None
        if node.end_byte > start and node.start_byte < end:
            binds = _binds(at.field_name, path)
            if node.child_count == 0 or _WHOLE.search(node.type):
                if node.start_byte >= start:
                    yield node, binds
            elif at.goto_first_child():
                path.append((binds, node.type))
                continue
        while not at.goto_next_sibling():
            if not at.goto_parent():
                return
            path.pop()


def _binds(field: str | None, path: list[tuple[bool | None, str]]) -> bool | None:
    above, kind = path[-1] if path else (False, "")
    if field == "module_name" or (field == "name" and "argument" in kind):
        return None
    if field in _BINDING_FIELDS and not _NOT_BINDING.search(kind):
        return True
    return above if _PASSED_ON.search(kind) else False
