"""Ids that are known already, handed to a request's rule as if they were being drawn."""

from collections.abc import Iterator, Sequence

from midline.model.completion.stopping import is_marker
from midline.model.engines.base import Request
from midline.model.tokenizer.base import TokenizerBase


def beginnings(
    tokenizer: TokenizerBase, request: Request, ids: Sequence[int]
) -> Iterator[tuple[list[int], bool]]:
    """Each beginning of `ids`, and whether `Request.stop` is asked there.

    It is once the bytes of `Request.align` are written; markers write none.
    """
    written = 0
    for count, id in enumerate(ids, 1):
        if not is_marker(tokenizer, id):
            written += len(tokenizer.token_bytes(id))
        yield list(ids[:count]), request.stop is not None and written >= len(request.align)
