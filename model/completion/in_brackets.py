"""The end of a completion between brackets that the editor has closed behind the cursor."""

from midline.model.completion.code_lines import (
    indentation,
    is_closing,
    may_go_on,
    net_depth,
    unmatched_closer,
)
from midline.model.completion.place import Place
from midline.model.completion.repeats import cycle_length

_JOINS = (",", "|", "&")
"""What an element begins with where the comma or operator is put in front of it."""


class InBrackets:
    """Follows the lines between brackets that the editor has closed behind the cursor.

    They end with the closing bracket, or, if that is forgotten, with a line that is not indented
    below the header's, where the first one is.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.header = self.level = indentation(place.fragment.rstrip())

    def end(self, text: str, complete: bool) -> int | None:
        """What `completion_end` says: up to the closing bracket, which is there already."""
        start = last = depth = 0
        lines = text.split("\n")
        read: list[str] = []
        for number, line in enumerate(lines):
            whole = complete or number < len(lines) - 1
            stripped = line.strip()
            is_code = not self.place.opens_text("\n".join(read))
            if is_code and number and stripped and depth <= 0 and indentation(line) <= self.header:
                if stripped[0] == self.place.rest.strip()[0]:
                    return start + len(line) - len(line.lstrip())
                if not read:  # as the cases of a switch, or what a namespace holds
                    self.level = indentation(line) - 1
                elif indentation(line) <= self.level and not self._belongs(stripped, read):
                    return last if whole or not may_go_on(stripped) else None
            if whole and stripped:
                depth += net_depth(line, self.place.language)
                read.append(line)
                closer = unmatched_closer(text[: start + len(line)], self.place.language)
                if is_code and closer is not None:  # of a first line the readings tell what to keep
                    return start + len(line) if lines[0].strip() else closer
                last = start + len(line.rstrip())
                if cycle_length(read, depth):
                    return last
            start += len(line) + 1
        return None

    def _belongs(self, line: str, lines: list[str]) -> bool:
        """Whether a line in the header's column is an element, or ends a block of `lines`."""
        is_end = is_closing(line) and indentation(lines[-1]) > self.header
        return line.startswith(_JOINS) or is_end
