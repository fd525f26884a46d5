"""Quantiles against the table of Student's t."""

import pytest

from midline.benchmarks.student_t import student_t


def test_quantiles_fall_with_the_degrees_of_freedom() -> None:
    assert (student_t(2), student_t(4), student_t(9)) == (4.303, 2.776, 2.262)
    assert student_t(50) == student_t(9)
    with pytest.raises(ValueError, match="two runs"):
        student_t(0)
