"""The study's page: our own domain, few-shot learning on public data, and the answers by rule."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.quality.intents.few_shot import NOISES, RIVALS
from midline.benchmarks.quality.intents.generated_data import FINE_TUNED

Record = dict[str, Any]
INTRODUCTION = """\
# Intents and slots, learned from generated data

Written by `midline-bench quality intents --page`; the figures are in the `intents*.json` beside it.
Intervals are of 95%: of the utterances where there is one model, of the draws of examples where
there are several. Differences are paired, by utterance or by draw. A dash is what was not measured.
"""
OWN = """\
## Our own domain

The frozen utterances of `benchmarks/quality/intents/frozen`. Exact: the intent and all slots are
right, of the utterances in scope. AUROC: how well those out of scope are told from the others.
Novel: exact frames of the utterances whose form is none that templates make.

| model | intents | slot F1 | exact | novel | AUROC | p95, ms | exact, less the student |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""
RULE = """\
The rule, stated before the encoder was measured: it ships only if its exact frames are better than
the student's by a difference whose interval lies above zero.
"""
PUBLIC = """\
What counts as an answer, stated before the runs: generation helps at a size, and a rival resists
noise, if the difference has an interval above zero. Intervals are not widened for their number: of
forty differences that are none, one would have an interval above zero, and one below.
"""
SIZES = """\
Examples alone, and with what the writer wrote from the smallest draw of examples; differences in
points of the intents told right, and of slot F1.
"""
NOISE = """\
Wrong labels among the generated utterances: intents told right and slot F1 of plain training, and
what each rival adds to it in points; without an interval, what it adds in fewer than three draws.
"""
MEASURES = {"intent_accuracy": "intents", "slot_f1": "slot F1", "auroc": "AUROC"}


def write_page(path: Path, records: Sequence[Record]) -> None:
    """Writes the page of the records of any calls: of our own domain, and of public data."""
    own = [record for record in records if "models" in record]
    public = [record for record in records if record.get("rows")]
    parts = [INTRODUCTION, *(part for record in own for part in _own(record))]
    if public:
        parts += ["## Public data\n", PUBLIC]
    parts += [part for record in public for part in _public(record)]
    path.write_text("\n".join(parts), "utf-8")


def _own(record: Record) -> Iterator[str]:
    yield OWN + "".join(_own_line(name, record) for name in record["models"])
    yield RULE


def _own_line(name: str, record: Record) -> str:
    row = record["models"][name]
    times = row["milliseconds"]
    less = record.get(f"{name.replace('-', '_')}_minus_student")
    cells = [
        name,
        f"{row['intent_accuracy']['value']:.1%} of {row['in_scope']}",
        f"{row['slot_f1']:.3f}",
        _share(row["exact_frame"]),
        _share(row["novel"]["exact_frame"]),
        f"{row['out_of_scope_auroc']['value']:.3f}",
        f"{times['p95']:.1f}" if times else "-",
        _points(less["difference"], less["interval"]) if less else "-",
    ]
    return _row(cells)


def _share(found: dict[str, Any]) -> str:
    low, high = found["interval"]
    return f"{found['value']:.1%} [{low:.1%}, {high:.1%}]"


def _public(record: Record) -> Iterator[str]:
    first = record["rows"][0]
    writer = record["generator"]
    by = f"{writer.removesuffix(FINE_TUNED)}, fine-tuned on each draw of examples"
    by = by if writer.endswith(FINE_TUNED) else f"{writer}, with the examples in its prompt"
    kept, lines = record["filters"].get("kept", 0), sum(record["filters"].values())
    yield f"### {first['data']}, the {first['learner']}\n"
    yield f"Written by {by}: {kept} of {lines} lines kept.\n"
    yield SIZES
    yield "".join(_sizes(record))
    if any(row["noise"] for row in record["rows"]):
        yield NOISE
        yield "".join(_noises(record))
    yield "\n".join(f"- {sentence}" for sentence in answers(record)) + "\n"


def _sizes(record: Record) -> Iterator[str]:
    measures = _measures(record["rows"])
    published = {row["size"]: row for row in record.get("published", [])}
    head = ["examples an intent", "draws"]
    for name in measures.values():
        head += [name, "with generated", "difference"]
    if published:
        head += ["Snips, intents", "Snips, slot F1"]
    yield _row(head) + _row(["---"] * len(head))
    plain = [row for row in record["rows"] if row["rival"] == "plain" and not row["noise"]]
    for size in sorted({row["size"] for row in plain}):
        alone, both = (_first(plain, size=size, generated=made) for made in (False, True))
        less = _first(record["differences"], size=size, noise=0.0, rival="plain")
        cells = [str(size), str((alone or both or {}).get("seeds", "-"))]
        for measure in measures:
            cells += [_value(alone, measure), _value(both, measure), _difference(less, measure)]
        if published:
            cells += [_number(published.get(size), n) for n in ("intent_recall", "slot_f1")]
        yield _row(cells)


def _noises(record: Record) -> Iterator[str]:
    measures = _measures(record["rows"])
    columns = [(noise, measure) for noise in NOISES for measure in measures]
    head = ["rival", *(f"{measures[m]}, {noise:.0%} wrong" for noise, m in columns)]
    yield _row(head) + _row(["---"] * len(head))
    size = min(row["size"] for row in record["rows"] if row["generated"])
    for rival in RIVALS:
        is_plain = rival == "plain"
        source, cell = (
            record["rows" if is_plain else "differences"],
            _value if is_plain else _difference,
        )
        found = [
            cell(_first(source, size=size, generated=True, noise=noise, rival=rival), measure)
            for noise, measure in columns
        ]
        if set(found) != {"-"}:
            yield _row([rival, *found])


def answers(record: Record) -> list[str]:
    """Where generation helps and harms, and which rivals are better and worse than plain training
    under which noise, by the rule."""
    names = _measures(record["rows"])
    rows = sorted(record["differences"], key=lambda row: int(row["size"]))
    clean = [row for row in rows if row["rival"] == "plain" and not row["noise"]]
    said = []
    if clean:
        found = _parted(clean, lambda row: f"with {row['size']} examples", names)
        said.append(f"Generated utterances: {_said(found, 'they help', 'they harm', 'nowhere')}.")
    for noise in NOISES:
        rivals = [row for row in rows if row["rival"] != "plain" and row["noise"] == noise]
        if any(row[name] and row[name]["interval"] for row in rivals for name in names):
            found = _parted(rivals, lambda row: str(row["rival"]), names)
            words = _said(found, "better than plain training is", "worse is", "nothing")
            said.append(f"With {noise:.0%} wrong labels, {words}.")
    return said


def _parted(
    rows: Sequence[dict[str, Any]], label: Callable[[dict[str, Any]], str], names: dict[str, str]
) -> tuple[list[str], list[str]]:
    """The differences whose interval lies above zero, and those below, in words."""
    above, below = [], []
    for row in rows:
        for measure, name in names.items():
            if row[measure] and row[measure]["interval"]:
                low, high = row[measure]["interval"]
                words = f"{label(row)} ({name} {_difference(row, measure)})"
                above += [words] * (low > 0)
                below += [words] * (high < 0)
    return above, below


def _said(found: tuple[list[str], list[str]], better: str, worse: str, none: str) -> str:
    return "; ".join(
        f"{words} {', '.join(those) or none}"
        for words, those in zip((better, worse), found, strict=True)
    )


def _measures(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    return {name: said for name, said in MEASURES.items() if any(row[name] for row in rows)}


def _first(rows: Sequence[dict[str, Any]], **wanted: Any) -> dict[str, Any] | None:
    return next((r for r in rows if all(r[name] == value for name, value in wanted.items())), None)


def _value(row: dict[str, Any] | None, measure: str) -> str:
    return f"{row[measure]['value']:.3f}" if row and row[measure] else "-"


def _difference(row: dict[str, Any] | None, measure: str) -> str:
    found = row and row[measure]
    return _points(found["value"], found["interval"]) if found else "-"


def _points(value: float, interval: Sequence[float] | None) -> str:
    said = f"{100 * value:+.1f}"
    return f"{said} [{100 * interval[0]:+.1f}, {100 * interval[1]:+.1f}]" if interval else said


def _number(row: dict[str, Any] | None, name: str) -> str:
    return f"{row[name]:.3f}" if row else "-"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"
