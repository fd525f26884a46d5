"""Texts for comparing tokenizers: source code in many languages, and generated odd texts."""

import random
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from midline.benchmarks.mbxp.tasks import load_tasks

_POOLS = (
    "abcXYZ 'sS\n\r\t0123456789",
    "    \t\t\n\n\r\n",
    "é\u0301n\u0303ßſK'ſàöüçñ",
    "世界こんにちは한국어中文编程",
    "العربية हिन्दी ไทย עברית Привет",
    "😀👩\u200d👩\u200d👧🏳\ufe0f\u200d🌈🇨🇭",
    "\u3000\u2003\u200b\u2028\u2029\x85\xa0\ufeff\x0b\x0c",
    "٣٤५Ⅻ²½①",
    "_-+=(){}[];:'\"\\/`~!@#$%^&*<>|",
    "\x00\x01\x1f\x7f\ufffd\uffff",
)
_FRAGMENTS = ("'ll", "'RE", "'Ve", "'d", "'M", "'T", "'s", "<tool_call>", "</tool_call>", "</s>")


@dataclass(frozen=True)
class Text:
    """One text to tokenize; `language` names the group it is counted in."""

    language: str
    text: str


def source_texts(data: Path, bytes_per_language: int) -> Iterator[Text]:
    """Whole MBXP programs of every language in `data`, and Python and C that Python brings."""
    spent: dict[str, int] = {}
    for task in load_tasks(data).values():
        program = task.prompt + (task.canonical_solution or "") + task.test
        if spent.setdefault(task.language, 0) < bytes_per_language:
            spent[task.language] += len(program.encode())
            yield Text(task.language, program)
    paths = sysconfig.get_paths()
    yield from _files("python-library", Path(paths["stdlib"]), "*.py", bytes_per_language)
    yield from _files("c-headers", Path(paths["include"]), "*.h", bytes_per_language)


def _files(language: str, folder: Path, pattern: str, limit: int) -> Iterator[Text]:
    """Files of `folder`, by name, until `limit` bytes; no file counts for more than a fifth."""
    spent = 0
    for path in sorted(folder.glob(pattern)):
        if spent >= limit:
            return
        text = path.read_bytes()[: limit // 5].decode("utf-8", "replace")
        spent += len(text.encode())
        yield Text(language, text)


def odd_texts(count: int, specials: list[str], seed: int = 7) -> Iterator[Text]:
    """`count` random mixtures of scripts, white space, digits and literal special tokens."""
    rng = random.Random(seed)
    fragments = [*_FRAGMENTS, *specials]
    for _ in range(count):
        parts = []
        for _ in range(rng.randint(1, 30)):
            pool = rng.choice(_POOLS)
            parts.append(rng.choice(fragments if rng.random() < 0.1 else pool))
        yield Text("odd", "".join(parts))
