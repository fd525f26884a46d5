"""Reading a screen: panes found at low resolution, ranked by a glance, and the best read closely.

The ladder: the picture reduced, in which panes are found; each pane as it is, in which lines are
found and a few of them read; and the lines of the selected panes, enlarged to the height at which
characters are told apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from midline.model.cancellation import Cancellation
from midline.model.vision.ink import Ink, ink_of, redness_of
from midline.model.vision.layout import PaneText, ReadLine, lay_out
from midline.model.vision.line_image import LineBox, line_image
from midline.model.vision.lines import find_lines
from midline.model.vision.opening import Picture, PictureError
from midline.model.vision.recognizer import Mark, Recognizer
from midline.model.vision.regions import Region, find_regions
from midline.model.vision.selection import Glance, ranked, selected

LEAST_CONFIDENCE = 0.7
"""A line whose characters are less sure on the average is no text."""
LEAST_CHARACTERS = 4
SAMPLED_LINES = 8


@dataclass(frozen=True)
class Pane:
    """A region with its lines, as they are found at the middle step; what is read so far."""

    region: Region
    ink: Ink
    boxes: Sequence[LineBox]
    read: Mapping[LineBox, ReadLine] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadPane:
    """A pane that was read closely."""

    region: Region
    text: PaneText
    confidence: float


@dataclass(frozen=True)
class Screen:
    """What was read: the selected panes, best first, and all regions that were looked at."""

    panes: list[ReadPane]
    regions: list[Region]
    foreign: float
    """Share of the characters that are of a script which is not read."""

    @property
    def text(self) -> str:
        """The text of the best pane."""
        return self.panes[0].text.text


def read_screen(
    picture: Picture,
    recognizer: Recognizer,
    *,
    asked: str = "",
    everything: bool = False,
    cancel: Cancellation | None = None,
) -> Screen:
    """Read the panes that matter, or all of them with `everything`.

    asked: words of the user's question, which a pane may share. Raises PictureError if there is no
    text, or none in a script that is read.
    """
    panes = find_panes(picture)
    if everything:
        chosen = panes
    else:
        panes = begun(panes, recognizer, cancel)
        order = ranked([glance_at(picture, pane) for pane in panes], asked)
        chosen = [panes[n] for n in selected(order)]
    read = [pane for pane in read_closely(chosen, recognizer, cancel) if pane.text.lines]
    return _checked(Screen(read, [pane.region for pane in panes], _foreign_share(read)))


def _checked(screen: Screen) -> Screen:
    if not screen.panes:
        raise PictureError(
            "no text was found in the picture; a screenshot of an error is read best"
        )
    if screen.foreign > 0.3:
        raise PictureError(
            "the text in the picture is in a script that is not read; copy the text instead"
        )
    return screen


def _foreign_share(panes: Sequence[ReadPane]) -> float:
    letters = "".join(pane.text.text for pane in panes).replace(" ", "").replace("\n", "")
    return letters.count("\N{REPLACEMENT CHARACTER}") / max(len(letters), 1)


def find_panes(picture: Picture) -> list[Pane]:
    """The regions of the lowest step that have lines in them."""
    panes = (pane_of(picture, region) for region in find_regions(picture))
    return [pane for pane in panes if pane.boxes]


def pane_of(picture: Picture, region: Region) -> Pane:
    """A region with its lines; nothing beside the region is looked at, then or later."""
    ink = ink_of(region.of(picture))
    return Pane(region, ink, find_lines(ink))


def begun(
    panes: Sequence[Pane], recognizer: Recognizer, cancel: Cancellation | None = None
) -> list[Pane]:
    """The panes with a few lines of each read: the first, the last, the longest, some between."""
    sampled = [replace(pane, boxes=_samples(pane)) for pane in panes]
    read = read_lines(sampled, recognizer, cancel)
    return [
        replace(pane, read=dict(zip(some.boxes, lines, strict=True)))
        for pane, some, lines in zip(panes, sampled, read, strict=True)
    ]


def glance_at(picture: Picture, pane: Pane) -> Glance:
    """What is seen of a pane by the lines of it that are read."""
    sure = [line for line in pane.read.values() if line.marks]
    return Glance(
        area=pane.region.area,
        lines=len(pane.boxes),
        x_height=float(np.median([box.x_height for box in pane.boxes])),
        redness=redness_of(pane.region.of(picture), pane.ink),
        confidence=float(np.mean([line.confidence for line in sure])) if sure else 0.0,
        words=lay_out(sure).text,
    )


def _samples(pane: Pane) -> list[LineBox]:
    boxes = list(pane.boxes)
    if len(boxes) <= SAMPLED_LINES:
        return boxes
    longest = max(range(len(boxes)), key=lambda n: boxes[n].right - boxes[n].left)
    spread = np.linspace(0, len(boxes) - 1, SAMPLED_LINES - 1).round().astype(int)
    return [boxes[n] for n in sorted({longest, *map(int, spread)})]


def read_lines(
    panes: Sequence[Pane], recognizer: Recognizer, cancel: Cancellation | None = None
) -> list[list[ReadLine]]:
    """The lines of each pane, those that are not read yet recognized together."""
    new = [(pane, box) for pane in panes for box in pane.boxes if box not in pane.read]
    images = [line_image(pane.ink, box) for pane, box in new]
    found = iter(recognizer.read(images, cancel))
    return [
        [pane.read[box] if box in pane.read else _in_pane(box, next(found)) for box in pane.boxes]
        for pane in panes
    ]


def _in_pane(box: LineBox, marks: Sequence[Mark]) -> ReadLine:
    placed = [replace(mark, at=box.left + mark.at / box.zoom) for mark in marks]
    return ReadLine(placed, box.baseline, box.x_height)


def read_closely(
    panes: Sequence[Pane], recognizer: Recognizer, cancel: Cancellation | None = None
) -> list[ReadPane]:
    """Everything in the panes, without lines that are no text."""
    result = []
    for pane, lines in zip(panes, read_lines(panes, recognizer, cancel), strict=True):
        sure = [line for line in lines if line.confidence >= LEAST_CONFIDENCE]
        if sum(len(line.marks) for line in sure) >= LEAST_CHARACTERS:
            confidence = float(np.mean([line.confidence for line in sure]))
            result.append(ReadPane(pane.region, lay_out(sure), confidence))
    return result
