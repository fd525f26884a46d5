"""Every document of a large input comes out once, and kills are seen."""

import json
import sys
from pathlib import Path

from midline.benchmarks.quality.interruption import measure
from midline.benchmarks.quality.interruption.measure import Runs, made_up

SLOW = """
import pathlib, sys, time
out = pathlib.Path(sys.argv[1]); out.mkdir(exist_ok=True)
for n in range(len(list(out.iterdir())), 4):
    (out / f"shard-{n}.jsonl").write_text('{"id": "%d"}' % n)
    time.sleep(1 if len(sys.argv) > 2 else 0)
"""


def test_documents_are_numbered_and_the_same_every_time() -> None:
    found = [json.loads(line) for line in made_up(100_000)]
    assert [d["id"] for d in found] == [str(n) for n in range(len(found))]
    assert found == [json.loads(line) for line in made_up(100_000)] and len(found) > 20


def test_a_run_is_killed_after_so_many_shards_and_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "out"
    runs = Runs([sys.executable, "-c", SLOW, str(out), "slowly"])
    assert runs.start(out, 2)
    assert runs.kills == 1 and runs.codes == [-9] and len(list(out.iterdir())) in (2, 3)
    runs.command = [sys.executable, "-c", SLOW, str(out)]
    assert not runs.start(out, None) and len(list(out.iterdir())) == 4 and runs.megabytes > 1


def test_small_inputs_come_out_whole(tmp_path: Path) -> None:
    many = measure._killed(tmp_path, 1 << 20, 0)
    assert many["documents"] > 100 and many["lost"] == many["twice"] == many["kills"] == 0
    single = measure._single_line(tmp_path, 17 << 20)
    assert single["documents"] == 0 and "16 MB" in single["said"]
