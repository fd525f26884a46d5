"""Blocks of code in answers: where they end, and where they never would."""

import pytest

from midline.server.routing.actions.code_blocks import block_is_over, is_endless


@pytest.mark.parametrize(
    ("text", "is_over"),
    [
        ("```python\nx = 1\n```", True),
        ("```python\nx = 1\n", False),
        ("```python\nx = [1" + "0" * 200, True),
        ("```python\nx = [" + "1, " * 60, True),
        ("```python\n# " + "=" * 98, False),
        ("```python\n" + "".join(f"x{n} = {n}\n" for n in range(60)), False),
    ],
)
def test_a_block_is_over_where_it_closes_or_repeats_itself(text: str, is_over: bool) -> None:
    assert block_is_over(text) is is_over


def test_a_short_text_is_not_endless() -> None:
    assert not is_endless("") and not is_endless("0" * 100)
