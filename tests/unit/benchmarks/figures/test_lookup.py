"""Values in result files by their path."""

import pytest
from figures_made import RESULT

from midline.benchmarks.figures.lookup import look_up


@pytest.mark.parametrize(
    ("path", "value"),
    [("ratio", 2.5), ("nested.deeper", 7), ("rows[path=y].kl", 2), ("rows[engine=a,path=x].kl", 1)],
)
def test_look_up(path, value):
    assert look_up(RESULT, path) == value


@pytest.mark.parametrize(
    "path", ["absent", "nested.absent", "rows[path=z].kl", "rows[engine=b].kl"]
)
def test_look_up_of_what_is_not_there(path):
    with pytest.raises(KeyError):
        look_up(RESULT, path)
