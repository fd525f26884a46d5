"""A documentation comment where its language has it: in a Python body, above the code elsewhere."""

import inspect
import re
import textwrap

from midline.model.errors import MidlineError
from midline.server.routing.actions.documentation_style import styled
from midline.server.routing.definitions import Definition
from midline.server.routing.edits import Edit, TextEdit, changed_texts, check_syntax
from midline.server.routing.targets import Target
from midline.server.routing.workspace import Workspace

_WIDTH = 88
_TRIPLE = re.compile(r"(\"\"\"|''')(.*?)(?:\1|\Z)", re.DOTALL)
_FENCE = re.compile(r"^\s*(```|~~~).*$", re.MULTILINE)
_COMMENT_SIGNS = re.compile(r"^\s*(?:/\*\*?|\*/|\*(?!\*)|///?|#|--)\s?|\s*\*/\s*$", re.MULTILINE)
_CODE_LINE = re.compile(r"^\s*(def |class |function |func |fn |public |private |import |return\b)")
_DIRECTIVE = re.compile(rb"\s*(#!|#\s*-\*-|//go:|//\s*nolint|# *frozen_)")
"""Comments that tools read."""
_LINE_SIGNS = {
    "csharp": "///", "go": "//", "rust": "///", "swift": "///", "ruby": "#", "bash": "#",
    "perl": "#", "lua": "---",
}  # fmt: skip


def documentation_edit(target: Target, answer: str, workspace: Workspace) -> Edit:
    """The edit that documents the target with what the model wrote.

    Raises MidlineError if that is no text.
    """
    definition = target.definition
    assert definition is not None
    language = definition.source.language
    text = styled(documentation_text(answer), definition.name, language)
    is_python = language == "python"
    edit = _python(definition, text) if is_python else _above(target, text, language)
    done = Edit(f"{definition.name} is documented", (edit,))
    check_syntax(changed_texts(done, workspace))
    return done


def documentation_text(answer: str) -> str:
    """The prose of an answer, without the code, quotes and comment signs around it."""
    triple = _TRIPLE.search(answer)
    text = triple[2] if triple else _COMMENT_SIGNS.sub("", _FENCE.sub("", answer))
    kept: list[str] = []
    for line in inspect.cleandoc(text).splitlines():
        if _CODE_LINE.match(line):
            break
        kept.append(line.rstrip())
    found = "\n".join(kept).strip().strip("`\"'").strip()
    if not found:
        raise MidlineError("the model wrote no documentation, and nothing was changed; try again")
    return found


def _wrapped(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(line, max(width, 40), subsequent_indent=indent) or [""]
    return lines


def _python(definition: Definition, text: str) -> TextEdit:
    body = definition.node.child_by_field_name("body")
    if body is None or not body.named_children:
        raise MidlineError(f"{definition.name} has no body that a docstring could stand in")
    data, first = definition.source.data, body.named_children[0]
    line_start = data.rfind(b"\n", 0, first.start_byte) + 1
    before = data[line_start : first.start_byte].decode()
    own_line = not before.strip()
    indent = before if own_line else _indent(data, definition.node.start_byte) + "    "
    escaped = text.replace("\\", "\\\\").replace('"""', "'''")
    lines = _wrapped(escaped, _WIDTH - len(indent))
    if len(lines) == 1 and not lines[0].endswith('"'):
        quoted = f'"""{lines[0]}"""'
    else:
        rest = "".join(f"{indent}{line}".rstrip() + "\n" for line in lines[1:])
        quoted = f'"""{lines[0]}\n{rest}{indent}"""'
    if _is_docstring(first):
        return TextEdit(definition.source.path, first.start_byte, first.end_byte, quoted.encode())
    start = first.start_byte if own_line else body.start_byte
    lead = "" if own_line else f"\n{indent}"
    edit = f"{lead}{quoted}\n{indent}".encode()
    return TextEdit(definition.source.path, start, start, edit)


def _is_docstring(node: object) -> bool:
    kind = getattr(node, "type", "")
    children = getattr(node, "named_children", [])
    return kind == "expression_statement" and bool(children) and children[0].type == "string"


def _indent(data: bytes, start: int) -> str:
    line = data[data.rfind(b"\n", 0, start) + 1 : start].decode("utf-8", "replace")
    return line if not line.strip() else ""


def _above(target: Target, text: str, language: str) -> TextEdit:
    definition = target.definition
    assert definition is not None
    data = definition.source.data
    indent = _indent(data, target.start)
    lines = _wrapped(text.replace("*/", "* /"), _WIDTH - len(indent) - 3)
    sign = _LINE_SIGNS.get(language)
    if sign is not None:
        block = f"\n{indent}".join(f"{sign} {line}".rstrip() for line in lines)
    elif len(lines) == 1:
        block = f"/** {lines[0]} */"
    else:
        inner = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
        block = f"/**\n{inner}{indent} */"
    start = _documented_from(data, target.start, sign or "/**")
    return TextEdit(definition.source.path, start, target.start, f"{block}\n{indent}".encode())


def _documented_from(data: bytes, at: int, sign: str) -> int:
    """Where the documentation begins that stands right above `at`; `at` where there is none."""
    line_start = data.rfind(b"\n", 0, at) + 1
    above, start = data[:line_start], at
    lines = above.splitlines(keepends=True)
    if sign == "/**":
        begin = above.rfind(b"/**")
        is_above = begin >= 0 and above.endswith((b"*/\n", b"*/\r\n"))
        return begin if is_above and above.count(b"*/", begin) == 1 else at
    while lines and lines[-1].lstrip().startswith(sign.encode()):
        if _DIRECTIVE.match(lines[-1]):
            break
        line = lines.pop()
        line_start -= len(line)
        start = line_start + len(line) - len(line.lstrip())
    return start
