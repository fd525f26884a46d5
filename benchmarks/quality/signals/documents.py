"""Documents to compare signals on: sources that a machine has, and texts made here."""

import hashlib
import random
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from midline.benchmarks.quality.tokenizer.corpus import odd_texts
from midline.benchmarks.quality.typing.files import candidates
from midline.model.completion.languages import language_of_text

TEXTS = Path(__file__).resolve().parent.parent / "texts"
MOST_CHARACTERS = 100_000
"""Longer files are cut, since RedPajama's code takes seconds for each megabyte."""
MEGABYTE = 1 << 20
_PACKAGES = ("numpy", "torch", "pygls", "matplotlib", "nanobind", "jinja2")
_PROSE_SUFFIXES = (".txt", ".rst")
_SENTENCES = {
    "chinese": "敏捷的棕色狐狸跳过了懒狗。你好,世界!",
    "japanese": "素早い茶色の狐が、のろまな犬を飛び越える。",
    "korean": "다람쥐 헌 쳇바퀴에 타고파. 한국어 문장입니다!",
    "arabic": "مرحبا بالعالم، هذا نص قصير. ٣٤٥ كلمة؟",
    "hindi": "नमस्ते दुनिया। यह एक छोटा पाठ है ½ और २३।",
    "russian": "Привет, МИР! Съешь же ещё этих мягких французских булок…",
    "greek": "ΞΕΣΚΕΠΑΖΩ ΤΗΝ ΨΥΧΟΦΘΟΡΑ ΒΔΕΛΥΓΜΙΑΣ. Καλημέρα, ΟΔΟΣ.",
    "thai": "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า",
    "turkish": "İstanbul'da ılık bir SABAH; I ve İ ayrı harflerdir.",
    "emoji": "😀👩\u200d👧 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟏𝟐𝟑 🏳\ufe0f\u200d🌈",
}


@dataclass(frozen=True)
class Document:
    """A text to compute signals of; `group` is what it is counted under."""

    group: str
    name: str
    text: str


def made_documents() -> Iterator[Document]:
    """Documents that do not depend on the machine: texts of Midline's own, odd and extreme ones."""
    for path in sorted(TEXTS.glob("*.txt")):
        yield Document("own", path.name, path.read_text("utf-8"))
    for name, sentence in _SENTENCES.items():
        yield Document("non-latin", name, f"{sentence}\n" * 3 + sentence)
    yield from (Document("extreme", name, text) for name, text in _extremes().items())
    for number, odd in enumerate(odd_texts(40, [], seed=22)):
        yield Document("odd", f"odd-{number}", odd.text)
    yield from _repetitive()


def _extremes() -> dict[str, str]:
    return {
        "empty": "",
        "word": "word",
        "blank": "  ",
        "line-feed": "\n",
        "line-feeds": "\n\n\n",
        "punctuation": "?!...\n{}[]#\n",
        "no-last-line-feed": "one two\nthree",
        "carriage-returns": "one\r\ntwo\r\n\r\nthree\rfour\r\n",
        "separators": "a\x1cb\x1dc\x1ed\x1fe\x85f\u2028g\u2029h\x0bi\x0cj\n",
        "surrogate": "bad \udcff byte\n",
        "bullets": "• one\n‣ two\n - three\n– four\n\n  ▪ five\n",
        "ellipses": "wait...\nwait…  \nwait.\n",
        "filler": "Lorem ipsum dolor sit amet. lorem, ipsum! LOREM\nIPSUM javascript JavaScript\n",
        "lists": "the of and damn it to hell, DAMN! a bad phrase here\n",
    }


def _repetitive() -> Iterator[Document]:
    """Texts that repeat passages of 1 to 12 words, for the n-gram signals."""
    dice = random.Random("repetition")
    words = [
        "alpha",
        "Beta",
        "gamma,",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
    ]
    for number in range(30):
        passage = [dice.choice(words) for _ in range(dice.randint(1, 12))]
        parts = []
        for _ in range(dice.randint(2, 20)):
            extra = [dice.choice(words) for _ in range(dice.randint(0, 4))]
            parts.append(" ".join(passage + extra) + dice.choice((".", "\n", " ")))
        yield Document("repetition", f"repetition-{number}", " ".join(parts))


def megabyte() -> Document:
    """A megabyte of different words in short lines."""
    dice = random.Random("megabyte")
    letters = "etaoinshrdlucmfwypvbgkqjxz"
    vocabulary = ["".join(dice.choices(letters, k=dice.randint(2, 9))) for _ in range(20_000)]
    parts, size = [], 0
    while size < MEGABYTE:
        line = " ".join(dice.choices(vocabulary, k=dice.randint(3, 15))) + ".\n"
        parts.append(line)
        size += len(line)
    return Document("extreme", "megabyte", "".join(parts))


def installed_documents(per_language: int) -> Iterator[Document]:
    """Files of installed packages and tools, up to `per_language` of each language and of prose.

    Which ones is decided by a hash of the path inside its folder, so that two machines with the
    same packages take the same files.
    """
    yield from _spread(_installed_files(), per_language)


def folder_documents(folders: Sequence[Path], per_language: int) -> Iterator[Document]:
    """Files of `folders`, chosen in the same way."""
    files = ((root, path) for root in folders for path in root.rglob("*") if path.is_file())
    yield from _spread(files, per_language)


def _spread(files: Iterable[tuple[Path, Path]], per_language: int) -> Iterator[Document]:
    """Up to `per_language` files of each language and of prose; `files` are (root, path)."""
    found: dict[str, list[tuple[str, Path]]] = {}
    for root, path in files:
        name = path.relative_to(root).as_posix()
        language = language_of_text(path.name)
        if not language and path.suffix in _PROSE_SUFFIXES:
            language = "prose"
        if language:
            digest = hashlib.sha256(name.encode()).hexdigest()
            found.setdefault(language, []).append((digest, path))
    for language, paths in sorted(found.items()):
        kept = 0
        for _, path in sorted(paths):
            text = _text(path)
            if kept < per_language and text:
                kept += 1
                yield Document(language, path.name, text)


def _installed_files() -> Iterator[tuple[Path, Path]]:
    roots = [Path(sysconfig.get_paths()["stdlib"])]
    roots += [
        Path(spec.origin).parent for name in _PACKAGES if (spec := find_spec(name)) and spec.origin
    ]
    for root in roots:
        for path in root.rglob("*"):
            if path.is_file() and "site-packages" not in path.relative_to(root).parts:
                yield root, path
    for paths in candidates().values():
        yield from ((path.parent, path) for path in paths)


def _text(path: Path) -> str:
    try:
        return path.read_bytes()[: 4 * MOST_CHARACTERS].decode("utf-8", "replace")[:MOST_CHARACTERS]
    except OSError:
        return ""
