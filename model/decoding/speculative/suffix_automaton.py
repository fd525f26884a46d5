"""An online suffix automaton: finds the last earlier occurrence of the longest suffix of a text.

The online construction of Blumer et al. (1985), linear in the text; the suffix link of the whole
text's state is its longest suffix that also ends earlier (SAM decoding, arXiv 2411.10666).
"""

from collections.abc import Iterable


class SuffixAutomaton:
    """The suffix automaton of `tokens`; extending it takes about a microsecond per token.

    A state stands for substrings that end at the same places; `_end` is the last such place that is
    known, an index into `tokens`.
    """

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.matched = 0
        """Length of the longest suffix of `tokens` that ends earlier too."""
        self._matched_end = -1
        self._next: list[dict[int, int]] = [{}]
        self._link = [-1]
        self._length = [0]
        self._end = [-1]
        self._last = 0

    def extend(self, tokens: Iterable[int]) -> None:
        """Appends tokens."""
        for token in tokens:
            self._append(token)

    def _append(self, token: int) -> None:
        state = self._new_state({}, self._length[self._last] + 1, len(self.tokens))
        self._link[state] = self._linked(token, state)
        self._last = state
        self.tokens.append(token)
        match = self._link[state]
        self.matched, self._matched_end = self._length[match], self._end[match]
        if match:
            self._end[match] = len(self.tokens) - 1

    def _linked(self, token: int, state: int) -> int:
        """The state of the longest suffix known before, with transitions to `state` added."""
        follows, link, length = self._next, self._link, self._length
        at = self._last
        while at >= 0 and token not in follows[at]:
            follows[at][token] = state
            at = link[at]
        if at < 0:
            return 0
        old = follows[at][token]
        if length[old] == length[at] + 1:
            return old
        clone = self._new_state(follows[old].copy(), length[at] + 1, self._end[old])
        link[clone], link[old] = link[old], clone
        while at >= 0 and follows[at].get(token) == old:
            follows[at][token] = clone
            at = link[at]
        return clone

    def _new_state(self, follows: dict[int, int], length: int, end: int) -> int:
        self._next.append(follows)
        self._link.append(0)
        self._length.append(length)
        self._end.append(end)
        return len(self._next) - 1

    def continuation(self, count: int) -> list[int]:
        """The `count` tokens that followed that suffix; repeated where they overlap the end."""
        if not self.matched:
            return []
        start = self._matched_end + 1
        found = self.tokens[start : start + count]
        period = len(self.tokens) - start
        while len(found) < count:
            found.append(found[len(found) - period])
        return found
