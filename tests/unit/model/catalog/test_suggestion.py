"""The model that suits a machine, by its speed and its memory."""

import pytest

from midline.model.catalog.catalog import CATALOGUE, DEFAULT_MODEL
from midline.model.catalog.suggestion import ENOUGH_TOKENS_PER_SECOND, prompt_speed, suggest

LARGE = CATALOGUE["qwen2.5-coder-1.5b"]
ENOUGH = ENOUGH_TOKENS_PER_SECOND * LARGE.multiply_adds


@pytest.mark.parametrize(
    ("multiply_adds_per_second", "memory_bytes", "name"),
    [
        (ENOUGH, 16 << 30, LARGE.name),
        (ENOUGH, None, LARGE.name),
        (0.99 * ENOUGH, 16 << 30, DEFAULT_MODEL),
        (ENOUGH, 6 << 30, DEFAULT_MODEL),
        (1.0, 1 << 30, DEFAULT_MODEL),
    ],
)
def test_the_larger_model_where_it_is_fast_enough_and_fits(
    multiply_adds_per_second: float, memory_bytes: int | None, name: str
) -> None:
    assert suggest(multiply_adds_per_second, memory_bytes).name == name


def test_a_smaller_model_than_the_default_is_never_suggested() -> None:
    small = CATALOGUE["smollm2-135m"]
    assert suggest(1e15, None, [small]).name == DEFAULT_MODEL


def test_the_speed_is_that_of_the_products() -> None:
    assert prompt_speed(LARGE, 1.310195712e12) == pytest.approx(1000)
