"""How fast the dot-product units are."""

import pytest

from midline.kernels import dot_rate


def test_the_rate_is_that_of_a_processor() -> None:
    assert 1e7 < dot_rate(1, 0.05) < 1e14


@pytest.mark.parametrize("threads", [0, -1, 257])
def test_threads_out_of_range(threads: int) -> None:
    with pytest.raises(ValueError, match="threads"):
        dot_rate(threads, 0.01)
