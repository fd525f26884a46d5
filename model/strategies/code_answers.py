"""Code from answers in words, and its place behind an unfinished program.

Strategies that converse get a whole function, while the user's prompt wants its rest: the body is
taken out and indented as the prompt is. Where that is not possible, because helpers stand beside
the function, the whole answer goes behind an empty body, and the later definition counts.
"""

import ast
import re
import textwrap
from collections.abc import Sequence

from midline.model.strategies.problem import Problem

_FENCE = re.compile(r"^[ \t]*```[ \t]*([\w+#-]*)[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.S | re.M)
_KEPT = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom,
         ast.Assign, ast.AnnAssign)  # fmt: skip


def extract_code(answer: str, entry_point: str = "") -> str:
    """The code block of an answer that names `entry_point`, else the first, else all of it."""
    blocks = [found[2] for found in _FENCE.finditer(answer)]
    named = [block for block in blocks if entry_point and entry_point in block]
    if named or blocks:
        return (named or blocks)[0].strip("\n")
    return answer.strip("\n")


def continuation(problem: Problem, answer: str) -> str:
    """What goes behind `problem.prompt` so that the function does what `answer` says.

    The text itself where the problem is not a program, or its answer no code.
    """
    if problem.form != "code":
        return answer
    code = extract_code(answer, problem.entry_point)
    if problem.language == "python":
        return _python_continuation(problem, code)
    return _javascript_continuation(problem, code)


def program(problem: Problem, text: str) -> str:
    """The program of a candidate, ready for calls of the entry point."""
    if problem.form == "code":
        return problem.prompt + text + "\n"
    return extract_code(text, problem.entry_point) + "\n"


def whole_function(problem: Problem, text: str) -> str:
    """The candidate as it is shown to a model: with the prompt's code in front, if there is any."""
    return program(problem, text).strip("\n")


def _python_continuation(problem: Problem, code: str) -> str:
    tree = _parsed(code)
    if tree is None:
        if _defines(code, problem.entry_point):
            return _behind_empty_body(problem, code)
        return textwrap.indent(textwrap.dedent(code), _indentation(problem.prompt)) + "\n"
    kept = [node for node in tree.body if isinstance(node, _KEPT)]
    functions = [
        n for n in kept if isinstance(n, ast.FunctionDef) and n.name == problem.entry_point
    ]
    before = _parsed(problem.prompt)
    known = {ast.unparse(node) for node in _imports(before.body if before else [])}
    kept = [node for node in kept if ast.unparse(node) not in known]
    imports = _imports(kept)
    if not functions:
        return textwrap.indent(code, _indentation(problem.prompt)) + "\n"
    if len(kept) == len(imports) + 1 and not any(map(_is_star, imports)):
        body = _body(code, functions[0])
        if body:
            lines = [ast.unparse(node) for node in imports]
            return textwrap.indent("\n".join([*lines, body]), _indentation(problem.prompt)) + "\n"
    return _behind_empty_body(problem, "\n".join(_source(code, node) for node in kept))


def _imports(nodes: Sequence[ast.stmt]) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def _is_star(node: ast.Import | ast.ImportFrom) -> bool:
    """Whether the import is possible at the top of a module alone."""
    return any(alias.name == "*" for alias in node.names) or (
        isinstance(node, ast.ImportFrom) and node.module == "__future__"
    )


def _behind_empty_body(problem: Problem, code: str) -> str:
    is_whole = _parsed(problem.prompt) is not None
    return ("" if is_whole else _indentation(problem.prompt) + "pass\n") + f"\n\n{code}\n"


def _body(code: str, function: ast.FunctionDef) -> str:
    """The statements of a function without its documentation, not indented; empty if one-lined."""
    statements = function.body
    if ast.get_docstring(function, clean=False) is not None:
        statements = statements[1:]
    if not statements or statements[0].lineno == function.lineno:
        return ""
    lines = code.splitlines()[statements[0].lineno - 1 : function.end_lineno]
    return textwrap.dedent("\n".join(lines))


def _source(code: str, node: ast.stmt) -> str:
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return "\n".join(code.splitlines()[first - 1 : node.end_lineno])


def _parsed(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _defines(code: str, name: str) -> bool:
    return re.search(rf"\b(?:def|function)\s+{re.escape(name)}\s*\(", code) is not None


def _indentation(prompt: str) -> str:
    """Of the body that the prompt leaves open: its last indented line's, or four spaces deeper."""
    lines = [line for line in prompt.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    own = last[: len(last) - len(last.lstrip())]
    return own + "    " if last.rstrip().endswith(":") else own or "    "


def _javascript_continuation(problem: Problem, code: str) -> str:
    name = re.escape(problem.entry_point)
    if not re.search(rf"\b{name}\b", code):
        return code + ("\n" if code.rstrip().endswith("}") else "\n}\n")
    code = re.sub(rf"\b(?:const|let|var)\s+{name}\s*=", f"{problem.entry_point} =", code)
    return f"}}\n{code}\n"
