"""Samples that go round in a circle, which a small model leaves only by luck."""

LONGEST_CYCLE = 32


def repeats(ids: list[int], times: int) -> bool:
    """Whether `ids` end with the same cycle of at most `LONGEST_CYCLE` tokens, `times` times over.

    Asked after every token, it has to look at little: a cycle that comes back ends with the token
    that ends the cycle before it.
    """
    longest = min(LONGEST_CYCLE, len(ids) // times)
    return any(
        ids[-1] == ids[-1 - size] and ids[-size * times :] == ids[-size:] * times
        for size in range(1, longest + 1)
        if size < len(ids)
    )
