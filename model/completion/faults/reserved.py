"""Reserved words where a name is expected.

Grammars recognize a keyword only where one may stand, and take it for a name anywhere else: of the
C statement `else f = 1;` without an `if` they make a declaration of `f` with the type `else`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

_C = "break case const continue default do else enum extern for goto if return sizeof static"
_C += " struct switch typedef union volatile while"
_CPP = _C + " catch class delete namespace new operator private protected public template throw"
_CPP += " try typename using virtual"
_JAVA = "abstract assert break case catch class const continue default do else enum extends final"
_JAVA += " finally for goto if implements import instanceof interface native new package private"
_JAVA += " protected public return static switch synchronized throw throws transient try void"
_JAVA += " volatile while"
_CSHARP = "abstract as break case catch class const continue default delegate do else enum event"
_CSHARP += " explicit extern finally fixed for foreach goto if implicit in interface internal is"
_CSHARP += " lock namespace new operator out override params private protected public readonly ref"
_CSHARP += " return sealed stackalloc static struct switch throw try using virtual void while"
_JAVASCRIPT = "break case catch class const continue debugger default delete do else enum export"
_JAVASCRIPT += " extends finally for function if in instanceof new return switch throw try typeof"
_JAVASCRIPT += " var void while with"
_GO = "break case chan const continue default defer else fallthrough for func go goto if import"
_GO += " interface map package range return select struct switch type var"
_KOTLIN = "as break class continue do else for fun if in interface is object package return throw"
_KOTLIN += " try typealias val var when while"
_LUA = "and break do else elseif end false for function if in local nil not or repeat return then"
_LUA += " true until while"
_RUBY = "alias and begin break case class def do else elsif end ensure for if in module next not or"
_RUBY += " redo rescue retry return then undef unless until when while yield"
_RUST = "as break const continue else enum extern fn for if impl in let loop match mod move mut pub"
_RUST += " ref return static struct trait type unsafe use where while"
_PHP = "abstract and as break case catch class clone const continue declare default do echo else"
_PHP += " elseif enddeclare endfor endforeach endif endswitch endwhile extends final finally for"
_PHP += " foreach function global goto if implements instanceof insteadof interface namespace new"
_PHP += " or private protected public return static switch throw trait try use var while xor"

_WORDS = {
    "bash": ("(command_name (word) @reserved)", "do done elif else esac fi then }"),
    "c": ("[(identifier) (type_identifier)] @reserved", _C),
    "cpp": ("[(identifier) (type_identifier)] @reserved", _CPP),
    "csharp": ("(identifier) @reserved", _CSHARP),
    "go": ("[(identifier) (type_identifier)] @reserved", _GO),
    "java": ("[(identifier) (type_identifier)] @reserved", _JAVA),
    "javascript": (
        "[(identifier) (shorthand_property_identifier)] @reserved",
        _JAVASCRIPT,
    ),
    "kotlin": ("(identifier) @reserved", _KOTLIN),
    "lua": ("(identifier) @reserved", _LUA),
    "php": (
        "[(expression_statement (name) @reserved)"
        " (binary_expression (name) @reserved)"
        " (assignment_expression right: (name) @reserved)"
        " (argument (name) @reserved)"
        " (function_call_expression function: (name) @reserved)]",
        _PHP,
    ),
    "ruby": ("(identifier) @reserved", _RUBY),
    "rust": ("[(identifier) (type_identifier)] @reserved", _RUST),
}
_WORDS["tsx"] = _WORDS["typescript"] = _WORDS["javascript"]
_MAY_BE_NAMED = frozenset(
    {
        *("alias", "export_specifier", "hash_key_symbol", "import_specifier", "keyword_parameter"),
        *("method", "setter", "singleton_method"),
        *("symbol", "token_tree", "undef"),
    }
)
"""What gives a name to something, or holds text of another language, as macros of Rust do."""


def query_of(language: str) -> str:
    """The query for names of `language` that are reserved words; "" where none is known."""
    if language not in _WORDS:
        return ""
    pattern, words = _WORDS[language]
    listed = " ".join(f'"{word}"' for word in words.split())
    return f"({pattern} (#any-of? @reserved {listed}))"


def is_reserved(node: "Node") -> bool:
    """Whether a reserved word stands where only a name may."""
    parent = node.parent
    if parent is None or parent.type in _MAY_BE_NAMED:
        return False
    if parent.type == "call":  # a method of Ruby's may have any name behind a dot
        is_method = parent.child_by_field_name("method") == node
        return not (is_method and parent.child_by_field_name("receiver") is not None)
    return True
