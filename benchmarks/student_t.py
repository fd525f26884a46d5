"""Quantiles of Student's t, for intervals of the mean of a few runs."""

_QUANTILES = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


def student_t(freedom: int) -> float:
    """The 97.5% quantile of t for 1 to 9 degrees of freedom, and that of 9 for more.

    A bound for more: intervals are a little wider than they would have to be. Raises ValueError
    below 1.
    """
    if freedom < 1:
        raise ValueError(f"an interval needs at least two runs, not {freedom + 1}")
    return _QUANTILES[min(freedom, len(_QUANTILES)) - 1]
