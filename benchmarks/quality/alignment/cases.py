"""Lines of MBXP's canonical solutions, cut at a cursor in six ways.

Every line is cut in every way, so that the sets differ only in the place of the cut: `mid-word`
between two letters, `punctuation` between two punctuation characters, `trailing-space` after a
space within the code, `partial-indent` within and `full-indent` after the indentation, `clean` at a
token boundary of the whole line. Cuts that happen to be at a token boundary are kept.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from midline.benchmarks.mbxp.tasks import Task
from midline.model.completion.fim import Cursor, Prompt, WindowLimits, build_prompt
from midline.model.decoding.alignment.token_healing import back_up
from midline.model.tokenizer.tokenizer import Tokenizer

SETS = ("mid-word", "punctuation", "trailing-space", "partial-indent", "full-indent", "clean")
LANGUAGES = (
    "python", "java", "javascript", "typescript", "kotlin", "ruby", "php", "cpp", "csharp",
)  # fmt: skip
_SUFFIXES = {
    "python": "py", "java": "java", "javascript": "js", "typescript": "ts", "kotlin": "kt",
    "ruby": "rb", "php": "php", "cpp": "cpp", "csharp": "cs",
}  # fmt: skip
_LONGEST_LINE = 100
_PREFIX_TOKENS, _SUFFIX_TOKENS = 160, 64
_PLACES = {
    "mid-word": re.compile(r"(?<=[A-Za-z])(?=[A-Za-z])"),
    "punctuation": re.compile(r"(?<=[^\w\s])(?=[^\w\s])"),
    "trailing-space": re.compile(r"(?<=\S )(?=\S)"),
}


@dataclass(frozen=True)
class Line:
    """One line of a solved problem, ASCII, without white space at its end."""

    task_id: str
    language: str
    before: str
    text: str
    after: str

    @property
    def indent(self) -> int:
        """Spaces that it begins with."""
        return len(self.text) - len(self.text.lstrip(" "))

    def places(self, name: str) -> list[int]:
        """Offsets in `text` where a cut of the set `name` may be; clean ones need a tokenizer."""
        if name == "partial-indent":
            return list(range(1, self.indent))
        if name == "full-indent":
            return [self.indent]
        return [match.start() for match in _PLACES[name].finditer(self.text)]


class Layout:
    """The prompt of a line: fill-in-the-middle as in an editor (`fim`), or plain text (`raw`).

    `ids` are the prompt up to the line, `true` the tokens of the whole line after them, `borders`
    the offsets in the line at which they end, 0 included.
    """

    def __init__(self, tokenizer: Tokenizer, line: Line, form: str) -> None:
        self.tokenizer, self.line, self.form = tokenizer, line, form
        self.ids, whole = self.prompt(0, 0).ids, self.prompt(len(line.text), 0).ids
        self.true = whole[len(self.ids) :]
        self._begins_alike = whole[: len(self.ids)] == self.ids
        self.borders = [0]
        for id in self.true:
            self.borders.append(self.borders[-1] + len(tokenizer.token_bytes(id)))

    def prompt(self, at: int, backed_up: int) -> Prompt:
        """The prompt of a cursor at offset `at`, from whose end at most `backed_up` tokens are
        removed.
        """
        line = self.line
        before = (line.before + line.text[:at]).encode()
        if self.form == "raw":
            ids = self.tokenizer.encode(before)
            kept, align = back_up(self.tokenizer, ids, backed_up)
            return Prompt(tuple(self.tokenizer.with_bos(kept)), align, len(ids) - len(kept))
        name = f"solution.{_SUFFIXES.get(line.language, 'txt')}"
        cursor = Cursor(before, line.after.encode(), line.before.count("\n"), name)
        limits = WindowLimits(_PREFIX_TOKENS, _SUFFIX_TOKENS, 0, backed_up_tokens=backed_up)
        return build_prompt(self.tokenizer, cursor, limits)

    @property
    def is_sound(self) -> bool:
        """Whether no token lies across the beginning of the line."""
        return self._begins_alike and self.borders[-1] == len(self.line.text)

    def border_before(self, at: int) -> int:
        """The last token border at or before the offset."""
        return max(border for border in self.borders if border <= at)

    def border_behind(self, at: int) -> int:
        """The first token border at or after the offset."""
        return min(border for border in self.borders if border >= at)


def choose_lines(tasks: Sequence[Task], count: int, seed: int) -> Iterator[Line]:
    """Lines that have a place for every set, one of a problem, the languages in turn."""
    by_language: dict[str, list[Line]] = {}
    dice = random.Random(seed)
    for task in sorted(tasks, key=lambda task: task.task_id):
        lines = [line for line in lines_of(task) if is_fit(line)]
        if lines:
            by_language.setdefault(task.language, []).append(dice.choice(lines))
    for lines in by_language.values():
        dice.shuffle(lines)
    in_turn = (
        line for row in zip_longest(*by_language.values()) for line in row if line is not None
    )
    return (line for _, line in zip(range(count), in_turn, strict=False))


def lines_of(task: Task) -> Iterator[Line]:
    """The lines of a problem's solution that begin in it."""
    whole = task.prompt + (task.canonical_solution or "")
    at = len(task.prompt)
    if not task.prompt.endswith("\n"):
        at = whole.find("\n", at) + 1 or len(whole)
    while at < len(whole):
        end = whole.find("\n", at)
        end = len(whole) if end < 0 else end
        yield Line(task.task_id, task.language, whole[:at], whole[at:end].rstrip(), whole[end:])
        at = end + 1


def is_fit(line: Line) -> bool:
    """Whether the line is plain enough and has a place for every set."""
    if not line.text.isascii() or "\t" in line.text or len(line.text) > _LONGEST_LINE:
        return False
    return all(line.places(name) for name in SETS if name != "clean")


def cuts(layout: Layout, seed: int) -> dict[str, int]:
    """One offset for each set, the same in every run; no clean one in a line of two tokens."""
    dice = random.Random(f"{seed} {layout.line.task_id}")
    places = {name: layout.line.places(name) for name in SETS if name != "clean"}
    code = range(layout.line.indent + 1, len(layout.line.text))
    places["clean"] = [at for at in layout.borders if at in code]
    return {name: dice.choice(found) for name, found in places.items() if found}
