"""What the documents name is there: every path, command and link."""

import re
from pathlib import Path

import pytest

from midline.benchmarks.figures.command import choose
from midline.benchmarks.figures.figure import load_figures
from midline.benchmarks.main import PROGRAM as BENCH
from midline.server.cli.command_line import Program
from midline.server.cli.main import PROGRAM as MIDLINE

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "ARCHITECTURE.md",
    "docs/glossary.md",
    "docs/configuration.md",
    "docs/measurements.md",
    "docs/privacy.md",
)
FOLDERS = "kernels|model|server|benchmarks|tests|editor-clients|docs"
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./-]*)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")
CALL = re.compile(r"(midline(?:-bench)?)((?: [a-z][a-z-]*)+)")
TERM = re.compile(r"^\| (?!term )([^|]+) \| ([^|]+) \| ([^|]*) \| (`[^|]+) \|$", re.MULTILINE)

# What a stranger asks of the tree: a word of the question, and the path that answers it.
QUESTIONS = {
    "Where do samples of one prompt share its keys and values?":
        ("bifurcated attention", "kernels/csrc/decoder/bifurcated_attention.cpp"),
    "Where would I add Rust to MBXP?": ("Rust", "benchmarks/mbxp/languages"),
    "Where is a word half typed continued correctly?":
        ("token healing", "model/decoding/alignment/token_healing.py"),
    "Where are repeated passages drafted?":
        ("prompt lookup decoding", "model/decoding/speculative/prompt_lookup.py"),
    "Where is decided which weights a step skips?": ("TEAL", "model/teal"),
    "Where are TEAL's thresholds calibrated?": ("TEAL", "model/compression/teal_calibration.py"),
    "Where is a draft verified?":
        ("speculative decoding", "model/decoding/continuous_batching.py"),
    "Where is decided whether it is time to answer a keystroke?":
        ("time to answer", "server/lsp/suggestions.py"),
    "Where does a keystroke reach the arithmetic?":
        ("product of one row", "kernels/csrc/simd/gemv.inc"),
    "Where is a language of MBXP told what a forgery needs?":
        ("Rust", "benchmarks/mbxp/languages/reach.toml"),
    "Where is a prompt recognized that was read before?":
        ("prefix tree", "model/runtime/prefix_tree.py"),
    "Where would an ONNX engine go?": ("ONNX", "model/engines/base.py"),
    "Where is a block format of GGUF decoded?":
        ("a block format", "kernels/csrc/packing/gguf_blocks.h"),
    "Where would an instruction set go?": ("an instruction set", "kernels/csrc/dispatch.cpp"),
    "Where does a generated program run?": ("a kind of isolation", "model/sandbox"),
    "Where is the prompt of a completion laid out?":
        ("fill-in-the-middle", "model/completion/fim.py"),
    "Where does a claim of speed get its command?":
        ("a measurement", "benchmarks/figures.toml"),
}  # fmt: skip


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_and_link_leads_somewhere(name: str) -> None:
    text = text_of(name)
    folder = (ROOT / name).parent
    assert [path for path in PATH.findall(text) if not (ROOT / path).exists()] == []
    assert [link for link in LINK.findall(text) if not (folder / link).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_exists(name: str) -> None:
    for program, words in CALL.findall(text_of(name)):
        command: str | Program | None = {"midline": MIDLINE, "midline-bench": BENCH}[program]
        for word in words.split():
            if not isinstance(command, Program):
                break
            command = command.commands.get(word)
            assert command is not None, f"{program}{words}"


def test_every_figure_of_the_measurements_is_one_that_can_be_measured() -> None:
    """The last column of the tables that have a column of figures."""
    tables = re.findall(r"(?m)^\|.*\| figure \|\n(?:\|.*\n)+", text_of("docs/measurements.md"))
    rows = [row for table in tables for row in table.splitlines()[2:]]
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[-2])]
    assert len(tables) == 3 and len(names) >= len(rows)
    for name in names:
        assert choose(load_figures(), [name])


def test_the_glossary_has_twenty_to_fifty_terms_in_order_each_with_a_path() -> None:
    text = text_of("docs/glossary.md")
    terms = TERM.findall(text)
    rows = [line for line in text.splitlines() if line.startswith("| ") and "| term" not in line]
    assert len(terms) == len(rows) and 20 <= len(terms) <= 50
    for section in text.split("\n## ")[1:]:
        names = [name.lower() for name, *_ in TERM.findall(section)]
        assert names == sorted(names)
    for _, _, _, here in terms:
        assert PATH.findall(here)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_stranger_finds_the_place_by_one_word(question: str) -> None:
    word, path = QUESTIONS[question]
    lines = [line for name in DOCUMENTS[2:] for line in text_of(name).splitlines()]
    named = [line for line in lines if word.lower() in line.lower()]
    assert [line for line in named if f"`{path}`" in line], question
    assert (ROOT / path).exists()


def test_the_readme_has_the_count_that_figures_prints() -> None:
    statuses = [figure.status(figure.recorded()) for figure in load_figures()]
    measured = len(statuses) - statuses.count("not measured")
    missed = statuses.count("missed")
    count = f"{missed} of the {measured} figures measured so far miss their target"
    assert count in " ".join(text_of("README.md").split())
