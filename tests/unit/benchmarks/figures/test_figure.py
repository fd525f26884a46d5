"""Figures: read from their file, looked up in results, judged by target and floor."""

import json

import pytest
from figures_made import RESULT, figure

from midline.benchmarks.figures.figure import load_figures
from midline.model.errors import MidlineError


@pytest.mark.parametrize(
    ("wanted", "value", "status"),
    [
        (">= 3.0", 3.0, "ok"),
        (">= 3.0", 2.99, "missed"),
        ("<= 3.0", 3.0, "ok"),
        ("<= 3.0", 3.01, "missed"),
        ("> 0.0", 0.0, "missed"),
        ("> 0.0", 1e-9, "ok"),
        ("< 0.0", 0.0, "missed"),
        ("< 0.0", -1e-9, "ok"),
        (">= 3.0", float("nan"), "missed"),
        ("> 3.0", float("nan"), "missed"),
        (">= 3.0", None, "not measured"),
        ("reported", 0.0, "reported"),
        ("reported", None, "not measured"),
    ],
)
def test_status(wanted, value, status):
    assert figure(wanted=wanted).status(value) == status


def test_recorded_value(tmp_path):
    assert figure().recorded(tmp_path) is None
    (tmp_path / "speed.json").write_text(json.dumps(RESULT))
    assert figure().recorded(tmp_path) == 2.5


def test_a_figure_that_is_null_or_lacks_what_it_needs_is_not_measured(tmp_path):
    (tmp_path / "speed.json").write_text('{"ratio": null, "executed": 0, "elapsed": 0.02}')
    assert figure().recorded(tmp_path) is None
    assert figure(value="elapsed").recorded(tmp_path) == 0.02
    assert figure(value="elapsed", needs="executed=0").recorded(tmp_path) == 0.02
    assert figure(value="elapsed", needs="executed=974").recorded(tmp_path) is None
    assert figure(value="elapsed", needs="absent=1").recorded(tmp_path) is None


@pytest.mark.parametrize("text", ["{", '{"other": 1}', '{"ratio": "fast"}'])
def test_a_result_without_the_figure_names_file_and_command(tmp_path, text):
    (tmp_path / "speed.json").write_text(text)
    with pytest.raises(MidlineError, match="midline-bench speed prefill"):
        figure().recorded(tmp_path)


@pytest.mark.parametrize(
    ("wanted", "floor", "value", "status"),
    [
        (">= 3.0", ">= 2.5", 2.5, "missed"),
        (">= 3.0", ">= 2.5", 2.49, "regressed"),
        (">= 3.0", ">= 3.5", 3.2, "regressed"),
        ("reported", ">= 2.5", 2.5, "reported"),
        ("reported", ">= 2.5", 2.4, "regressed"),
        ("reported", "<= 2.5", 2.6, "regressed"),
        ("reported", "<= 2.5", float("nan"), "regressed"),
        (">= 3.0", ">= 2.5", None, "not measured"),
    ],
)
def test_a_value_below_its_floor_is_a_regression_whatever_is_wanted(wanted, floor, value, status):
    assert figure(wanted=wanted, floor=floor).status(value) == status


@pytest.mark.parametrize(("kernels", "value"), [("avx2", None), ("avx512", 2.5), (None, 2.5)])
def test_results_of_other_kernels_do_not_count(tmp_path, kernels, value):
    versions = {"midline kernels": kernels} if kernels else {}
    (tmp_path / "speed.json").write_text(json.dumps({**RESULT, "versions": versions}))
    assert figure(isa="avx512").recorded(tmp_path) == value
    assert figure().recorded(tmp_path) == 2.5


@pytest.mark.parametrize(
    ("changes", "floor"),
    [
        ({"noise": "10%"}, ">= 2.25"),
        ({"noise": "10%", "wanted": "<= 3"}, "<= 2.75"),
        ({"noise": "10%", "wanted": "reported", "floor": "<= 2"}, "<= 2.75"),
        ({"noise": "exact", "value": "nested.deeper"}, ">= 7"),
        ({}, ""),
        ({"noise": "10%", "result": "absent.json"}, ""),
    ],
)
def test_the_floor_that_accepting_a_value_sets(tmp_path, changes, floor):
    (tmp_path / "speed.json").write_text(json.dumps(RESULT))
    assert figure(**changes).next_floor(tmp_path) == floor


def test_noise_that_the_result_does_not_have_names_the_file(tmp_path):
    (tmp_path / "speed.json").write_text(json.dumps(RESULT))
    with pytest.raises(MidlineError, match=r"speed\.json has no figure at ratio \('pair_ratios'"):
        figure(noise="pairs").next_floor(tmp_path)


ENTRY = 'name = "a"\ncommand = ""\nresult = ""\nvalue = ""\nunit = ""\n'


@pytest.mark.parametrize(
    "entry",
    [
        'name = "a"\nspeed = 1',
        ENTRY + 'wanted = "fast"',
        ENTRY + 'wanted = "> fast"',
        ENTRY + 'wanted = ">= 1"\nfloor = ">= 1"',
        ENTRY + 'wanted = ">= 1"\nfloor = "1"\nnoise = "pairs"',
        ENTRY + 'wanted = ">= 1"\nfloor = ">= 1"\nnoise = "loud"',
    ],
)
def test_a_wrong_entry_is_named(tmp_path, entry):
    path = tmp_path / "figures.toml"
    path.write_text(f"[[figure]]\n{entry}\n")
    with pytest.raises(MidlineError, match="'a'"):
        load_figures(path)
