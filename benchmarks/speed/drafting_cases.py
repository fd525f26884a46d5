"""Cases for prompt lookup decoding: edits and unrelated code, from the project's own texts.

Edits are renames (a chat answer that repeats the text with another name), repeated patterns (a
renamed copy of a text after the original, half of it written) and test tables (rows that follow the
first three). Unrelated cases continue the same code from its middle, without a copy in the prompt.
"""

import re
from collections import Counter
from dataclasses import dataclass

from midline.benchmarks.quality.prompts import PromptText, load_prompts
from midline.model.completion.fim import Cursor, build_prompt
from midline.model.tokenizer.chat_template import render_chat
from midline.model.tokenizer.tokenizer import Tokenizer

SUFFIXES = {"python": ".py", "typescript": ".ts", "java": ".java", "cpp": ".cpp"}
NAMES = ("ledger", "shipment", "voyage", "parcel")
"""New names of identifiers, used in turn."""
ROWS_WRITTEN = 3
_WORD = re.compile(r"\b[A-Za-z_][A-Za-z_0-9]{3,}\b")
_COMMON = re.compile(
    r"auto|bool|char|class|const|dict|double|else|error|export|extends|false|final|float|from|"
    r"function|import|include|interface|list|long|main|namespace|number|package|private|public|"
    r"return|self|size_t|static|std|string|String|struct|template|this|throw|true|undefined|"
    r"uint64_t|value|void|while|with|override"
)


@dataclass(frozen=True)
class Case:
    """One request: the prompt's ids, the bytes it begins with, and how much is written."""

    name: str
    kind: str
    ids: tuple[int, ...]
    align: bytes
    max_tokens: int


def edit_cases(tokenizer: Tokenizer) -> list[Case]:
    """Renames, repeated patterns and test tables; renames need a model that chats."""
    texts = load_prompts()
    chats = tokenizer.chat_template is not None
    return [
        *([_rename(tokenizer, text, n) for text in texts for n in range(2)] if chats else []),
        *(_repeated(tokenizer, text, NAMES[i % len(NAMES)]) for i, text in enumerate(texts)),
        *(_table(tokenizer, subject, kind) for subject in SUBJECTS for kind in TABLES),
    ]


def unrelated_cases(tokenizer: Tokenizer) -> list[Case]:
    """Every text continued from a quarter, a half and three quarters of its lines on."""
    cases = []
    for text in load_prompts():
        lines = text.text.splitlines(keepends=True)
        for quarter in (1, 2, 3):
            cut = len(lines) * quarter // 4
            before, after = "".join(lines[:cut]), "".join(lines[cut + 8 :])
            name = f"{text.name}-{quarter}"
            cases.append(_fill(tokenizer, name, "unrelated", text.language, before, after, 48))
    return cases


def frequent_names(text: str) -> list[str]:
    """Identifiers of at least four letters, no keywords among them, the most frequent first."""
    counts = Counter(word for word in _WORD.findall(text) if not _COMMON.fullmatch(word))
    return sorted(counts, key=lambda word: (-counts[word], word))


def renamed(text: str, old: str, new: str) -> str:
    """`text` with the identifier `old` written `new`, capitalized as it was."""
    new = new.capitalize() if old[0].isupper() else new
    return re.sub(rf"\b{old}\b", new, text)


def _rename(tokenizer: Tokenizer, text: PromptText, rank: int) -> Case:
    old = frequent_names(text.text)[rank]
    new = NAMES[(rank + len(text.name)) % len(NAMES)]
    new = new.capitalize() if old[0].isupper() else new
    question = (
        f"Rename `{old}` to `{new}` in this code. Answer with the whole code and nothing else.\n\n"
        f"```{text.language}\n{text.text}```"
    )
    ids = render_chat(tokenizer, [{"role": "user", "content": question}])
    return Case(f"{text.name}-{old}", "rename", tuple(ids), b"", 192)


def _repeated(tokenizer: Tokenizer, text: PromptText, name: str) -> Case:
    copy = text.text
    for old in frequent_names(copy)[:2]:
        copy = renamed(copy, old, f"{name}{old.capitalize()}")
    lines = copy.splitlines(keepends=True)
    before = text.text + "\n" + "".join(lines[: len(lines) // 3])
    return _fill(tokenizer, text.name, "repeated", text.language, before, "", 128)


def _table(tokenizer: Tokenizer, subject: str, kind: str) -> Case:
    head, row, language = TABLES[kind]
    rows = [
        row.format(a=a, b=b, n=f"{subject} {i}", f=subject)
        for i, (a, b) in enumerate(SUBJECTS[subject][:ROWS_WRITTEN], 1)
    ]
    before = head.format(f=subject) + "".join(rows)
    return _fill(tokenizer, f"{subject}-{kind}", "table", language, before, "", 96)


def _fill(
    tokenizer: Tokenizer, name: str, kind: str, language: str, before: str, after: str, tokens: int
) -> Case:
    cursor = Cursor(
        before.encode(),
        after.encode(),
        before.count("\n"),
        f"{name.partition('-')[2]}{SUFFIXES.get(language, '.go')}",
    )
    prompt = build_prompt(tokenizer, cursor)
    return Case(name, kind, prompt.ids, prompt.align, tokens)


TABLES = {
    "pytest": (
        "import pytest\n\nfrom tools import {f}\n\n\n"
        '@pytest.mark.parametrize(\n    ("text", "wanted"),\n    [\n',
        '        pytest.param("{a}", "{b}", id="{n}"),\n',
        "python",
    ),
    "each": (
        'import {{ {f} }} from "./tools";\n\nconst cases = [\n',
        '  {{ name: "{n}", input: "{a}", expected: "{b}" }},\n',
        "typescript",
    ),
    "junit": (
        "class ToolsTest {{\n    @Test\n    void {f}GivesWhatIsExpected() {{\n",
        '        assertEquals("{b}", Tools.{f}("{a}"), "{n}");\n',
        "java",
    ),
    "go": (
        "package tools\n\nfunc Test_{f}(t *testing.T) {{\n\ttests := []struct {{\n"
        "\t\tname  string\n\t\tinput string\n\t\twant  string\n\t}}{{\n",
        '\t\t{{\n\t\t\tname:  "{n}",\n\t\t\tinput: "{a}",\n\t\t\twant:  "{b}",\n\t\t}},\n',
        "go",
    ),
}
"""Beginning of a file, one row of its table, and the language."""

SUBJECTS = {
    "slug": [("Hello World", "hello-world"), ("A  B", "a-b"), ("Over & Out", "over-and-out")],
    "roman": [("4", "IV"), ("9", "IX"), ("14", "XIV")],
    "duration": [("90s", "1m30s"), ("3600s", "1h"), ("61s", "1m1s")],
    "initials": [("Ada Lovelace", "AL"), ("Alan Turing", "AT"), ("Grace Hopper", "GH")],
}
"""Functions under test, and what the rows already written give and expect."""
