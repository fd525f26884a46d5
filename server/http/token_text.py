"""The text of a completion while its tokens come: whole characters, up to a stop string."""

import codecs
from collections.abc import Sequence

from midline.model.tokenizer.base import TokenizerBase


class TokenText:
    """The text of one sample, which ends in front of the first of `stops`.

    Special tokens have no text. What could be the beginning of a stop string is held back.
    """

    def __init__(self, tokenizer: TokenizerBase, stops: Sequence[str], skipped: int = 0) -> None:
        self._tokenizer, self._stops, self._skipped = tokenizer, stops, skipped
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._count = 0
        self.is_stopped = False
        self.text = ""
        """What is certain, whatever follows."""

    def take(self, ids: Sequence[int]) -> str:
        """The text that the tokens behind those taken before add; `ids` are all of the sample's."""
        added = ""
        for id in ids[self._count :]:
            self._count += 1
            if not (id in self._tokenizer.end_tokens or self._tokenizer.is_control(id)):
                added += self._add(self._tokenizer.token_bytes(id))
        return added

    def _add(self, data: bytes) -> str:
        skipped = min(self._skipped, len(data))
        self._skipped -= skipped
        return "" if self.is_stopped else self._release(self._decoder.decode(data[skipped:]))

    def _release(self, new: str) -> str:
        self._held += new
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self.is_stopped = True
            sure = self._held[: min(found)]
            self._held = ""
        else:
            cut = len(self._held) - self._uncertain()
            sure, self._held = self._held[:cut], self._held[cut:]
        self.text += sure
        return sure

    def _uncertain(self) -> int:
        """How many characters at the end could begin a stop string."""
        longest = max(map(len, self._stops), default=0)
        for count in range(min(longest - 1, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-count:]) for stop in self._stops):
                return count
        return 0

    def end(self) -> str:
        """What was held back, where no more tokens come."""
        if self.is_stopped:
            return ""
        rest = self._held + self._decoder.decode(b"", final=True)
        self._held = ""
        self.text += rest
        return rest
