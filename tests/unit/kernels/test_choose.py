"""Drawing tokens: greedy, filtered and random choices, and the random numbers behind them."""

import itertools

import numpy as np
import pytest

from midline.kernels import choose, log_sum_exp, uniform

MASK = 2**64 - 1


def mix(z: int) -> int:
    z = (z + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    weights = np.exp((logits.astype(np.float64) - logits.max()) / temperature)
    return weights / weights.sum()


def draws(logits: np.ndarray, count: int, **options: object) -> np.ndarray:
    log_sum = log_sum_exp(logits)
    return np.array([choose(logits, log_sum, position=i, **options)[0] for i in range(count)])


def assert_distributed(found: np.ndarray, probabilities: np.ndarray) -> None:
    """Chi-square, at a level that an honest generator fails once in some ten thousand seeds."""
    expected = probabilities * len(found)
    counts = np.bincount(found, minlength=len(probabilities))
    assert counts[probabilities == 0].sum() == 0
    likely = expected >= 5
    statistic = ((counts - expected)[likely] ** 2 / expected[likely]).sum()
    freedom = likely.sum() - 1
    assert statistic < freedom + 4 * np.sqrt(2 * freedom) + 8


def test_uniform_is_splitmix_of_its_three_keys() -> None:
    for keys in itertools.product((0, 1, 7, 2**63, MASK), repeat=3):
        seed, sample, position = keys
        expected = (mix(mix(mix(seed) ^ sample) ^ position) >> 11) / 2**53
        assert uniform(seed, sample, position) == expected


def test_uniform_is_uniform_and_uncorrelated_along_every_key() -> None:
    for axis in range(3):
        keys = [[0, 0, 0] for _ in range(20_000)]
        for i, key in enumerate(keys):
            key[axis] = i
        x = np.array([uniform(*key) for key in keys])
        assert ((x >= 0) & (x < 1)).all()
        assert_distributed((x * 50).astype(int), np.full(50, 0.02))
        assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 0.03


def test_greedy_takes_the_best_and_the_lowest_id_among_equals() -> None:
    logits = np.array([1, 5, 5, -2, 5], np.float32)
    log_sum = log_sum_exp(logits)
    token, logprob = choose(logits, log_sum)
    assert token == 1
    assert logprob == pytest.approx(np.log(softmax(logits)[1]), abs=1e-6)
    assert choose(logits, log_sum, allowed=np.array([4, 3, 2, 0], np.int32))[0] == 2


def test_the_logprob_is_of_the_unmodified_distribution() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, 1000).astype(np.float32)
    truth = np.log(softmax(logits))
    log_sum = log_sum_exp(logits)
    for position in range(50):
        token, logprob = choose(logits, log_sum, temperature=2.0, top_p=0.9, position=position)
        assert logprob == pytest.approx(truth[token], abs=1e-5)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_draws_follow_the_softmax(temperature: float) -> None:
    logits = np.random.default_rng(1).normal(0, 2, 40).astype(np.float32)
    found = draws(logits, 20_000, temperature=temperature, seed=5)
    assert_distributed(found, softmax(logits, temperature))


def test_draws_of_samples_at_one_position_follow_the_softmax() -> None:
    logits = np.array([0, 1, 2, -1], np.float32)
    log_sum = log_sum_exp(logits)
    found = [choose(logits, log_sum, temperature=1.0, sample=i)[0] for i in range(20_000)]
    assert_distributed(np.array(found), softmax(logits))


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    probabilities = np.array([0.1, 0.4, 0.2, 0.3])
    logits = np.log(probabilities).astype(np.float32)
    for top_p, kept in (
        (1e-9, [1]),
        (0.39, [1]),
        (0.5, [1, 3]),
        (0.75, [1, 3, 2]),
        (1, [1, 3, 2, 0]),
    ):
        wanted = np.zeros(4)
        wanted[kept] = probabilities[kept] / probabilities[kept].sum()
        assert_distributed(draws(logits, 5000, temperature=1.0, top_p=top_p), wanted)


def test_min_p_is_relative_to_the_best() -> None:
    probabilities = np.array([0.1, 0.4, 0.2, 0.3])
    logits = np.log(probabilities).astype(np.float32)
    for min_p, kept in ((1.0, [1]), (0.7, [1, 3]), (0.3, [1, 3, 2]), (0.0, [1, 3, 2, 0])):
        wanted = np.zeros(4)
        wanted[kept] = probabilities[kept] / probabilities[kept].sum()
        assert_distributed(draws(logits, 5000, temperature=1.0, min_p=min_p), wanted)


def test_min_p_of_one_keeps_all_equals_of_the_best() -> None:
    logits = np.array([2, 3, 3, 1, 3], np.float32)
    found = draws(logits, 6000, temperature=0.7, min_p=1.0)
    assert_distributed(found, np.array([0, 1, 1, 0, 1]) / 3)


def test_only_allowed_tokens_are_drawn_with_their_shares() -> None:
    logits = np.random.default_rng(3).normal(0, 2, 500).astype(np.float32)
    allowed = np.array([400, 3, 77, 12], np.int32)
    wanted = np.zeros(500)
    wanted[allowed] = softmax(logits)[allowed]
    assert_distributed(
        draws(logits, 20_000, temperature=1.0, allowed=allowed), wanted / wanted.sum()
    )
    assert choose(logits, 0.0, temperature=9.0, allowed=np.array([250], np.int32))[0] == 250


def test_extreme_logits_and_temperatures() -> None:
    logits = np.array([-np.inf, 80, -np.inf, 80, -1e30], np.float32)
    assert set(draws(logits, 200, temperature=1.0)) == {1, 3}
    assert set(draws(logits, 200, temperature=1e-30)) == {1, 3}
    assert set(draws(logits, 200, temperature=100.0)) == {1, 3}
    assert choose(np.array([-3.0], np.float32), -3.0, temperature=1.0) == (0, 0.0)


@pytest.mark.parametrize("size", [1, 2, 7, 15, 16, 17, 33, 1000, 151_936])
def test_log_sum_exp_against_float64(size: int) -> None:
    rng = np.random.default_rng(size)
    for shift in (0, -1000, 1000):
        logits = (rng.normal(0, 5, size) + shift).astype(np.float32)
        wide = logits.astype(np.float64)
        truth = wide.max() + np.log(np.exp(wide - wide.max()).sum())
        assert log_sum_exp(logits) == pytest.approx(truth, abs=2e-6 + abs(truth) * 1e-7)


def test_log_sum_exp_of_equals_and_of_nothing_else() -> None:
    assert log_sum_exp(np.zeros(1024, np.float32)) == pytest.approx(np.log(1024), abs=1e-6)
    hidden = np.full(100, -np.inf, np.float32)
    hidden[40] = 2.5
    assert log_sum_exp(hidden) == pytest.approx(2.5, abs=1e-6)


def test_bad_calls_are_refused() -> None:
    logits = np.zeros(5, np.float32)
    for allowed in ([], [5], [-1], [0, 99]):
        with pytest.raises(ValueError, match="allowed"):
            choose(logits, 0.0, allowed=np.array(allowed, np.int32))
    with pytest.raises(ValueError, match="no logits"):
        log_sum_exp(np.empty(0, np.float32))
    with pytest.raises(TypeError):
        choose(np.zeros((2, 2), np.float32), 0.0)
    with pytest.raises(TypeError):
        choose(logits, 0.0, seed=-1)


def test_what_is_not_a_number_is_never_drawn() -> None:
    logits = np.array([np.nan, 1, np.nan, 2], np.float32)
    for temperature in (0.0, 1.0):
        found = {choose(logits, 2.3, temperature=temperature, position=i)[0] for i in range(100)}
        assert found == ({3} if temperature == 0 else {1, 3})
        with pytest.raises(ValueError, match="not numbers"):
            choose(logits[:1], 2.3, temperature=temperature)
    with pytest.raises(ValueError, match="no logits"):
        choose(logits[:0], 0.0)
