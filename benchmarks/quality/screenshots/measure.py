"""What is read in screenshots: drawn ones, captured ones, and what their explanation rests on.

Drawn screens have an editor with code, a list of files and a terminal with a failure, in four fonts
and five sizes of type. Three of the fonts were trained on; JetBrains Mono, the themes and the code
were not. Character errors count spaces and indentation, in the pane with the failure; a traceback
is right if exception, files, lines and functions of all its frames are; `tracebacks_in_project` has
the same with the failing project at hand. Peers are judged by the lines of their reading that are
nearest to the true ones.

--train trains the recognizer that is shipped (extra `screens`), continued by the same command.
--captures takes pictures of Chromium, of terminals and of an editor instead, which show the output
of real programs.
--downstream compares the question about a failure with that about its pasted text.

examples:
  midline-bench quality screenshots --fonts FONTS --json screenshots.json
  midline-bench quality screenshots --fonts FONTS --captures --json captures.json
  midline-bench quality screenshots --fonts FONTS --downstream --json downstream.json
  midline-bench quality screenshots --fonts FONTS --train build/recognizer --minutes 30
"""

import argparse
import json
import random
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.screenshots.fonts import HELD_OUT, font_folder, measured_fonts
from midline.benchmarks.quality.screenshots.scores import error_rate, share, time_ratio
from midline.model.errors import UsageError

SIZES = (8, 10, 12, 14, 18)
CASES = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is measured, and the output."""
    add = parser.add_argument
    add("--fonts", type=Path, metavar="DIR", help="where the fonts are (MIDLINE_FONTS)")
    add("--screens", type=int, default=60, metavar="N", help="screens of each size and font (60)")
    add("--seed", type=int, default=1, metavar="N", help="which screens are drawn (1)")
    add("--all-fonts", action="store_true", help="the three fonts that were trained on, too")
    add("--only", nargs="+", metavar="ARM", help="these arms alone")
    add("--peers", action="store_true", help="rapidocr and Tesseract, too")
    add("--captures", action="store_true", help="screens captured from real programs")
    add("--downstream", action="store_true", help="the questions about 100 failures")
    add("--untimed", action="store_true", help="leave out times, as on a busy machine")
    add("--keep", type=Path, metavar="DIR", help="keep pictures, true texts and readings here")
    add("--train", type=Path, metavar="DIR", help="train the recognizer in this folder")
    add("--minutes", type=float, default=26, metavar="N", help="how long (26)")
    add("--threads", type=int, default=2, metavar="N", help="threads of the recognizer (2)")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Measure what was asked for and print it as JSON."""
    folder = font_folder(args.fonts)
    if args.train:
        from midline.benchmarks.quality.screenshots.train import train

        args.train.mkdir(parents=True, exist_ok=True)
        print(train(args.train, folder, args.minutes))
        return 0
    if args.screens < 1:
        raise UsageError("--screens needs at least 1")
    measured = downstream(args, folder) if args.downstream else screens(args, folder)
    result = {
        "benchmark": "screenshots",
        "machine": describe_machine(),
        "versions": describe_versions(),
        "command": f"midline-bench {shlex.join(sys.argv[1:])}",
        **measured,
    }
    print(json.dumps(result, indent=1))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return 0


def screens(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All arms on drawn or captured screens."""
    from midline.benchmarks.quality.screenshots.arms import arms
    from midline.benchmarks.quality.screenshots.judging import judge
    from midline.model.vision.recognizer import load_recognizer

    recognizer = load_recognizer(args.threads)
    cases = _captured(folder) if args.captures else _drawn(args, folder)
    rows: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    number = 0
    for case in cases:
        for name, arm in arms(args.peers).items():
            if args.only and name not in args.only:
                continue
            began = time.perf_counter()
            texts = arm(case.picture, recognizer)
            seconds = time.perf_counter() - began
            judged = judge(case, texts)
            if not args.untimed:
                judged["seconds"] = seconds
            rows.setdefault((name, case.font, case.size), []).append(judged)
        print(
            f"{case.font} {case.size} px: {judged['wrong']} characters wrong"
            f"{'' if judged['frames'] else ', not all frames exact'}",
            file=sys.stderr,
            flush=True,
        )
        if args.keep:
            number += 1
            _keep(args.keep / f"{number:03}", case, texts)
    return {
        **(_by_kind(rows, args.only[0] if args.only else "selected") if args.captures else {}),
        "rows": [_row(f"{key[2]}", key, found) for key, found in sorted(rows.items())],
        "groups": [_row(group, key, found) for group, key, found in _groups(rows)],
        **_times_of_selected(rows),
    }


def _times_of_selected(rows: dict[tuple[str, str, int], list[dict[str, Any]]]) -> dict[str, Any]:
    """How many times as long the other ways of reading take, on the same screens."""
    seconds: dict[str, list[float]] = {}
    for (arm, _, _), found in sorted(rows.items()):
        seconds.setdefault(arm, []).extend(f["seconds"] for f in found if "seconds" in f)
    selected = seconds.pop("selected", [])
    if not selected or not seconds:
        return {}
    return {"over_selected": {arm: time_ratio(t, selected) for arm, t in seconds.items()}}


def _keep(path: Path, case: Any, texts: Sequence[str]) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(case.picture).save(path.with_suffix(".png"))
    path.with_suffix(".true.txt").write_text(case.text + "\n", "utf-8")
    path.with_suffix(".read.txt").write_text("\n----\n".join(texts) + "\n", "utf-8")


def _by_kind(rows: dict[tuple[str, str, int], list[dict[str, Any]]], arm: str) -> dict[str, Any]:
    """What an arm reads in captures of each kind, and in all."""
    found = [
        (key[1].partition(",")[0], f)
        for key, judged in rows.items()
        for f in judged
        if key[0] == arm
    ]
    kinds = sorted({kind for kind, _ in found})
    return {
        "captured": _all_of([f for _, f in found]),
        "kinds": [{"kind": k, **_all_of([f for kind, f in found if kind == k])} for k in kinds],
    }


def _groups(
    rows: dict[tuple[str, str, int], list[dict[str, Any]]],
) -> Iterator[tuple[str, tuple[str, str, int], list[dict[str, Any]]]]:
    """Sizes of type together, as the targets have them: 8, 10, and 12 pixels and more; all."""
    for arm, font in sorted({(arm, font) for arm, font, _ in rows}):
        for name, fits in (("12+", lambda size: size >= 12), ("all", lambda size: True)):
            found = [f for key, f in rows.items() if key[:2] == (arm, font) and fits(key[2])]
            if found:
                yield name, (arm, font, 0), [one for several in found for one in several]


def _row(size: str, key: tuple[str, str, int], found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "arm": key[0],
        "font": key[1],
        "held_out": key[1] == HELD_OUT,
        "size": size,
        **_all_of(found),
    }


def _all_of(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    seconds = [f["seconds"] for f in found if "seconds" in f]
    project = [f["in_project"] for f in found if "in_project" in f]
    timed = {"median_seconds": round(statistics.median(seconds), 3)} if seconds else {}
    return {
        "characters": error_rate([(f["wrong"], f["count"]) for f in found]),
        "tracebacks": share([f["frames"] for f in found]),
        **({"tracebacks_in_project": share(project)} if project else {}),
        **timed,
    }


def _drawn(args: argparse.Namespace, folder: Path):  # type: ignore[no-untyped-def]
    from midline.benchmarks.quality.screenshots.screens import HELD_OUT_STYLES, draw_screen

    fonts = measured_fonts(folder)
    names = list(fonts) if args.all_fonts else [HELD_OUT]
    for name in names:
        for size in SIZES:
            for number in range(args.screens):
                rng = random.Random(f"{name} {size} {number} {args.seed}")
                yield draw_screen(rng, (name, fonts[name]), size, HELD_OUT_STYLES)


def _captured(folder: Path):  # type: ignore[no-untyped-def]
    from midline.benchmarks.quality.screenshots.captures import capture_all

    return capture_all(measured_fonts(folder))


def downstream(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """How often exception, file and line, and the whole question, are those of the pasted text."""
    fonts = measured_fonts(folder)
    same: dict[str, list[bool]] = {"place": [], "question": []}
    for number in range(CASES):
        rng = random.Random(f"downstream {number}")
        size = SIZES[number % len(SIZES)]
        place, asked = _compared(rng, (HELD_OUT, fonts[HELD_OUT]), size, args.threads)
        same["place"].append(place)
        same["question"].append(asked)
    return {"downstream": {name: share(values) for name, values in same.items()}}


def _compared(
    rng: random.Random, font: tuple[str, Path], size: int, threads: int
) -> tuple[bool, bool]:
    from midline.benchmarks.quality.screenshots.screens import HELD_OUT_STYLES, draw_screen
    from midline.benchmarks.quality.screenshots.tracebacks import python_case, write_project
    from midline.model.vision.failure import find_failure
    from midline.server.routing.outcome import Ask
    from midline.server.routing.screen_failure import located, question, read_screenshot
    from midline.server.routing.workspace import Workspace

    case = python_case(rng)
    screen = draw_screen(rng, font, size, HELD_OUT_STYLES, case)
    with tempfile.TemporaryDirectory() as folder:
        write_project(case, Path(folder))
        workspace = Workspace.around(Path(folder).resolve())
        from midline.model.vision.opening import PictureError

        failure = find_failure(case.text)
        assert failure is not None
        pasted = located(failure, case.text, workspace)
        try:
            read = read_screenshot(screen.picture, workspace, threads=threads)
        except PictureError:
            return False, False
        one, other = (question(reading, workspace) for reading in (pasted, read))
        same_class = read.failure is not None and read.failure.exception == failure.exception
        is_same = same_class and read.places[:1] == pasted.places[:1]
        asked = isinstance(one, Ask) and isinstance(other, Ask) and one.prompt == other.prompt
    return is_same, asked
