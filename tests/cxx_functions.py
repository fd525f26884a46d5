"""Lengths of the functions in a C++ source, found by its braces."""

import re
from collections.abc import Iterator

# Comments, literals and preprocessor lines, whose braces mean nothing, and access specifiers.
_NOT_CODE = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])+'
    | ^[ \t]*\#[^\n]* | ^[ \t]*(?:public|private|protected):""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
_SCOPE = re.compile(r"\b(?:namespace|struct|class|union|enum|extern)\b[^()]*\Z")
_ATTRIBUTE = re.compile(r"__attribute__\(\([^()]*(?:\([^()]*\)[^()]*)*\)\)")
_NAME = re.compile(r"([\w:~]+|operator\W+)\s*\(")


def function_lengths(source: str) -> Iterator[tuple[str, int, int]]:
    """Name, first line and number of lines of each function definition, methods included.

    Lambdas and local classes count for the function that contains them.
    """
    code = _NOT_CODE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), source)
    opened: list[tuple[str, int] | None] = []  # (name, start) of a function, None of a scope
    head = 0  # where the declaration begins that a brace belongs to
    for found in re.finditer(r"[{};]", code):
        inside = not any(opened)
        if found[0] == "{":
            declaration = code[head : found.start()]
            start = head + len(declaration) - len(declaration.lstrip())
            if inside and _SCOPE.search(declaration):
                opened.append(None)
            else:
                name = _NAME.search(_ATTRIBUTE.sub("", declaration))
                opened.append((name[1] if name else "", start))
        elif found[0] == "}" and opened:  # none: a namespace that an including file opens
            function = opened.pop()
            if function and function[0] and not any(opened):
                name, start = function
                first = code.count("\n", 0, start) + 1
                yield name, first, code.count("\n", start, found.end()) + 1
        if not any(opened):
            head = found.end()
