"""Languages the data has no solutions for: twenty right and twenty wrong ones of our own each."""

from pathlib import Path

import pytest
from mbxp_programs import GOLDEN, judge, require_language

from midline.benchmarks.mbxp.samples import read_samples
from midline.benchmarks.mbxp.tasks import load_tasks

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize(
    "name",
    ["perl", *(pytest.param(name, marks=pytest.mark.slow) for name in ("go", "scala"))],
)
def test_right_ones_pass_and_wrong_ones_do_not(name: str, mbxp_data: Path) -> None:
    require_language(name)
    tasks = load_tasks(mbxp_data, [name])
    right, _ = read_samples(GOLDEN / f"{name}_right.jsonl", tasks)
    wrong, _ = read_samples(GOLDEN / f"{name}_wrong.jsonl", tasks)
    assert len(right) == len(wrong) == 20
    assert {result.status for result in judge(right)} == {"pass"}
    assert "pass" not in {result.status for result in judge(wrong)}
