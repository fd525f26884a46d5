"""Calls of `midline` whose answers two installations have to agree on, made of fixed texts."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from midline.benchmarks.quality.cursor.cases import load_cases
from midline.benchmarks.quality.prompts import PromptText, load_prompts

MODES = ("greedy", "sampled", "aligned", "sparse", "cursors")
_SHORTEST, _LONGEST = 200, 800
"""Characters of a prompt."""
_SUFFIXES = {"python": ".py", "typescript": ".ts", "java": ".java", "cpp": ".cpp"}


@dataclass(frozen=True)
class Call:
    """Arguments of one call of `midline`, and the file they name with its text, if any."""

    mode: str
    name: str
    arguments: tuple[str, ...]
    file: str = ""
    text: str = ""

    def command(self, executable: str, folder: Path) -> list[str]:
        """The whole command line, once the file is written into `folder`."""
        return [executable, *(word.replace("{folder}", str(folder)) for word in self.arguments)]


def calls(mode: str, count: int, max_tokens: int, sparsity: float) -> list[Call]:
    """`count` calls of a mode, or, of the marked cursors, all that there are up to `count`.

    greedy, sampled and sparse continue cut-off code with `midline generate`; aligned completes in
    the middle of a word with `midline complete`.
    """
    if mode == "cursors":
        return list(_cursors(count, max_tokens))
    texts = load_prompts()
    dice = random.Random(mode)
    found = []
    for number in range(count):
        text = texts[number % len(texts)]
        name = f"{text.name}/{number}"
        if mode == "aligned":
            found.append(_in_a_word(name, text, dice, max_tokens))
        else:
            cut = dice.randrange(_SHORTEST, max(_SHORTEST + 1, len(text.text)))
            prompt = text.text[max(0, cut - _LONGEST) : cut]
            how = _how(mode, number, sparsity)
            words = ("generate", prompt, "--prompt", "raw", *how, *_shared(max_tokens))
            found.append(Call(mode, name, words))
    return found


def _how(mode: str, number: int, sparsity: float) -> tuple[str, ...]:
    if mode == "sampled":
        return ("--sparsity", "0", "--samples", "3", "--temperature", "0.8", "--seed", str(number))
    level = sparsity if mode == "sparse" else 0.0
    return ("--temperature", "0", "--sparsity", f"{level:g}")


def _shared(max_tokens: int) -> tuple[str, ...]:
    return ("--max-tokens", str(max_tokens), "--json")


def _in_a_word(name: str, text: PromptText, dice: random.Random, max_tokens: int) -> Call:
    """A completion at a place with a letter on either side, the rest of its line taken away."""
    code = text.text
    inside = [
        at for at in range(_SHORTEST, len(code)) if code[at - 1].isalpha() and code[at].isalpha()
    ]
    at = dice.choice(inside)
    end = code.find("\n", at)
    before, after = code[:at], code[end:] if end >= 0 else ""
    file = f"case{_SUFFIXES.get(text.language, '.txt')}"
    return _completion("aligned", name, file, before, after, max_tokens)


def _cursors(count: int, max_tokens: int) -> Iterator[Call]:
    for case in load_cases()[:count]:
        yield _completion("cursors", case.place, case.file, case.before, case.after, max_tokens)


def _completion(mode: str, name: str, file: str, before: str, after: str, max_tokens: int) -> Call:
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    place = f"{{folder}}/{file}:{line}:{column}"
    words = ("complete", place, "--sparsity", "0", *_shared(max_tokens))
    return Call(mode, name, words, file, before + after)
