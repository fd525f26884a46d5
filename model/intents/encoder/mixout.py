"""Mixout (Lee, Cho and Kang, ICLR 2020, arXiv 1909.11299): dropout towards the pretrained weights.

With pretrained weights u, current ones w and M ~ Bernoulli(1 - p),

    w' = (M w + (1 - M) u - p u) / (1 - p) = u + M (w - u) / (1 - p),    E[w'] = w.

With u = 0 it is dropout. Each weight has a mask of its own here, and the gradient is that of the
formula, M / (1 - p): autograd takes it, and a test checks it.
"""

import numpy as np
import torch
from torch import Tensor, nn


def mixout(weights: Tensor, pretrained: Tensor, p: float, mask: Tensor | None = None) -> Tensor:
    """`weights` with a share `p` of them put back to `pretrained`, unbiased; the same shape.

    mask: ones where a weight stays, drawn if None.
    """
    if not 0 <= p < 1:
        raise ValueError(f"p is a share from 0 to below 1, not {p}")
    if p == 0:
        return weights
    if mask is None:
        mask = kept(weights.shape, p)
    return pretrained + mask * (weights - pretrained) / (1 - p)


def kept(shape: torch.Size, p: float) -> Tensor:
    """Ones with probability 1 - p, else zeros, float32; drawn from torch's current seed.

    NumPy's SFC64 draws them several times faster than `torch.bernoulli` does on a CPU.
    """
    seed = int(torch.randint(2**31, (1,)))
    drawn = np.random.Generator(np.random.SFC64(seed)).random(tuple(shape), np.float32)
    return torch.from_numpy((drawn >= np.float32(p)).astype(np.float32))


class MixoutLinear(nn.Module):
    """A linear layer whose weights go through mixout while it is being trained."""

    pretrained: Tensor
    pretrained_bias: Tensor

    def __init__(self, linear: nn.Linear, p: float) -> None:
        super().__init__()
        self.p = p
        self.weight = nn.Parameter(linear.weight.detach().clone())
        self.bias = nn.Parameter(linear.bias.detach().clone())
        self.register_buffer("pretrained", linear.weight.detach().clone())
        self.register_buffer("pretrained_bias", linear.bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """x: [.., inputs]; the result is [.., outputs]."""
        if not self.training:
            return nn.functional.linear(x, self.weight, self.bias)
        weight = mixout(self.weight, self.pretrained, self.p)
        bias = mixout(self.bias, self.pretrained_bias, self.p)
        return nn.functional.linear(x, weight, bias)


def use_mixout(module: nn.Module, p: float) -> None:
    """Replace every linear layer within `module` by one with mixout."""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Linear):
            setattr(module, name, MixoutLinear(child, p))
        else:
            use_mixout(child, p)
