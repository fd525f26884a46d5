"""Detection of completions that repeat a cycle, from which small models rarely recover."""

LONGEST_CYCLE = 32


def repeats(ids: list[int], times: int) -> bool:
    """Whether `ids` end with the same cycle of at most `LONGEST_CYCLE` tokens, `times` times over.

    It is called after every token and compares little: the last token of a cycle has to be equal to
    the one a cycle length before.
    """
    longest = min(LONGEST_CYCLE, len(ids) // times)
    return any(
        ids[-1] == ids[-1 - size] and ids[-size * times :] == ids[-size:] * times
        for size in range(1, longest + 1)
        if size < len(ids)
    )
