"""Mixout: the formula, its expectation and its gradient."""

import pytest
import torch

from midline.model.intents.encoder.mixout import MixoutLinear, kept, mixout, use_mixout

STANDARD_ERRORS = 5.0
"""How far the mean of random draws may be from its expectation."""


def _weights() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(3, 4, dtype=torch.float64), torch.randn(3, 4, dtype=torch.float64)


def test_it_is_the_formula_of_the_paper() -> None:
    w, u = _weights()
    mask, p = (torch.rand(3, 4) > 0.5).double(), 0.7
    expected = (mask * w + (1 - mask) * u - p * u) / (1 - p)
    assert torch.allclose(mixout(w, u, p, mask), expected)


def test_with_zeros_as_start_it_is_dropout() -> None:
    w, _ = _weights()
    mask = (torch.rand(3, 4) > 0.5).double()
    assert torch.allclose(mixout(w, torch.zeros_like(w), 0.5, mask), w * mask / 0.5)


def test_its_gradient_is_that_of_the_formula() -> None:
    w, u = _weights()
    mask = (torch.rand(3, 4) > 0.7).double()
    w.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: mixout(x, u, 0.7, mask), (w,))
    (gradient,) = torch.autograd.grad(mixout(w, u, 0.7, mask).sum(), w)
    assert torch.allclose(gradient, mask / 0.3)


@pytest.mark.parametrize("p", [0.5, 0.7, 0.9])
def test_its_expectation_is_the_weights(p: float) -> None:
    draws, size = 4000, torch.Size((4000, 6))
    w, u = torch.full(size, 2.0), torch.full(size, -1.0)
    mean = mixout(w, u, p).mean(0)
    error = 3.0 * (p / (1 - p)) ** 0.5 / draws**0.5
    assert torch.all((mean - 2.0).abs() < STANDARD_ERRORS * error)


def test_masks_follow_the_seed() -> None:
    shape = torch.Size((50, 50))
    masks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(kept(shape, 0.5))
    assert torch.equal(masks[0], masks[1]) and not torch.equal(masks[0], masks[2])
    assert set(masks[0].unique().tolist()) == {0.0, 1.0}


def test_a_layer_is_the_plain_one_in_use() -> None:
    torch.manual_seed(0)
    plain = torch.nn.Linear(4, 3)
    module = torch.nn.Sequential(plain, torch.nn.ReLU())
    x = torch.randn(2, 4)
    before = module.eval()(x)
    use_mixout(module, 0.9)
    assert isinstance(module[0], MixoutLinear)
    assert torch.equal(module.eval()(x), before)
    with torch.no_grad():
        module[0].weight += 1
    module.train()
    assert not torch.equal(module(x), module(x))


@pytest.mark.parametrize("p", [-0.1, 1.0])
def test_a_share_that_is_none_is_refused(p: float) -> None:
    w, u = _weights()
    with pytest.raises(ValueError, match="share"):
        mixout(w, u, p)
