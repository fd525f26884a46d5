"""`midline-bench quality`: which measurements there are."""

import pytest

from midline.benchmarks.commands import quality
from midline.benchmarks.main import main


def test_measurements_of_later_versions_say_so(capsys, monkeypatch):
    monkeypatch.setitem(quality.MEASUREMENTS, "telepathy", "thoughts against deeds")
    assert main(["quality", "telepathy"]) == 2
    said = capsys.readouterr().err
    assert "telepathy comes with a later version" in said and "logits" in said


@pytest.mark.parametrize("measurement", quality.available())
def test_every_measurement_explains_its_arguments(measurement, capsys):
    with pytest.raises(SystemExit) as end:
        main(["quality", measurement, "--help"])
    assert end.value.code == 0
    assert f"midline-bench quality {measurement}" in capsys.readouterr().out
