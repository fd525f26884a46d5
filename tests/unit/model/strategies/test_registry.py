"""Strategies by their names."""

import pytest

from midline.model.errors import UsageError
from midline.model.strategies.registry import STRATEGIES, make_strategy


def test_every_strategy_has_its_own_file_and_name() -> None:
    for name, kind in STRATEGIES.items():
        assert kind.__module__ == f"midline.model.strategies.{name}"
        assert make_strategy(name).name == name


def test_an_unknown_name() -> None:
    with pytest.raises(UsageError, match="no strategy 'oracle'; there is auto, greedy, best_of_n"):
        make_strategy("oracle")


def test_an_unknown_parameter() -> None:
    with pytest.raises(UsageError, match="greedy has no parameter samples"):
        make_strategy("greedy", {"samples": 3})


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("best_of_n", {"samples": 0}),
        ("self_consistency", {"samples": 65}),
        ("codet", {"samples": 0}),
        ("s_star", {"samples": 0}),
        ("debate", {"agents": 1}),
        ("mixture_of_agents", {"layers": 4}),
        ("mixture_of_agents", {"aggregator": "fusion"}),
        ("cascade", {"stages": [["huge", 1]]}),
        ("cascade", {"stages": []}),
    ],
)
def test_parameters_out_of_range(name: str, parameters: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        make_strategy(name, parameters)
