"""A decoder of llama and qwen2 in float64 NumPy, written for reading: what the engine is held to.

Keys and values are rounded to float16 as the cache keeps them; nothing else is rounded.
"""

from pathlib import Path

import numpy as np

from midline.kernels.reference import dequantize
from midline.model.weights.config import ModelConfig, read_config
from midline.model.weights.gguf import GGUFFile, read_gguf
from midline.model.weights.packed import head_tensor

Floats = np.ndarray


def reference_logits(path: Path, ids: list[int]) -> Floats:
    """Logits at every position, float64 [n, vocab]."""
    file = read_gguf(path)
    config = read_config(file)
    x = tensor(file, "token_embd.weight")[ids]
    for layer in range(config.layers):
        x = x + attention(file, config, layer, norm(file, config, layer, "attn_norm", x))
        x = x + mlp(file, layer, norm(file, config, layer, "ffn_norm", x))
    x = rms_norm(x, tensor(file, "output_norm.weight"), config.eps)
    return x @ tensor(file, head_tensor(file)).T


def tensor(file: GGUFFile, name: str) -> Floats:
    info = file.tensors[name]
    return dequantize(info.type, file.data(name), info.shape).astype(np.float64)


def rms_norm(x: Floats, weight: Floats, eps: float) -> Floats:
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps) * weight


def norm(file: GGUFFile, config: ModelConfig, layer: int, name: str, x: Floats) -> Floats:
    return rms_norm(x, tensor(file, f"blk.{layer}.{name}.weight"), config.eps)


def projected(file: GGUFFile, layer: int, part: str, x: Floats, heads: int) -> Floats:
    """x [n, width] -> [heads, n, head_dim]."""
    name = f"blk.{layer}.attn_{part}"
    y = x @ tensor(file, f"{name}.weight").T
    if f"{name}.bias" in file.tensors:
        y = y + tensor(file, f"{name}.bias")
    return y.reshape(len(x), heads, -1).transpose(1, 0, 2)


def rotated(x: Floats, base: float, interleaved: bool) -> Floats:
    """Rotary embedding of x [heads, n, head_dim]; pair i turns by base^(-2i/head_dim) a token."""
    half = x.shape[-1] // 2
    angles = np.arange(x.shape[1])[:, None] * base ** (-np.arange(half) / half)
    turn = np.cos(angles) + 1j * np.sin(angles)
    if interleaved:
        turned = (x[..., ::2] + 1j * x[..., 1::2]) * turn
        return np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape)
    turned = (x[..., :half] + 1j * x[..., half:]) * turn
    return np.concatenate([turned.real, turned.imag], axis=-1)


def attention(file: GGUFFile, c: ModelConfig, layer: int, x: Floats) -> Floats:
    q = rotated(projected(file, layer, "q", x, c.heads), c.rope_base, c.rope_interleaved)
    k = rotated(projected(file, layer, "k", x, c.kv_heads), c.rope_base, c.rope_interleaved)
    v = projected(file, layer, "v", x, c.kv_heads)
    k, v = (a.astype(np.float16).astype(np.float64) for a in (k, v))
    group = c.heads // c.kv_heads
    scores = q @ np.repeat(k, group, axis=0).transpose(0, 2, 1) / np.sqrt(c.head_dim)
    scores[:, np.triu(np.ones(scores.shape[1:], bool), 1)] = -np.inf
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    mixed = (weights @ np.repeat(v, group, axis=0)).transpose(1, 0, 2).reshape(len(x), -1)
    return mixed @ tensor(file, f"blk.{layer}.attn_output.weight").T


def mlp(file: GGUFFile, layer: int, x: Floats) -> Floats:
    gate = x @ tensor(file, f"blk.{layer}.ffn_gate.weight").T
    up = x @ tensor(file, f"blk.{layer}.ffn_up.weight").T
    return (gate / (1 + np.exp(-gate)) * up) @ tensor(file, f"blk.{layer}.ffn_down.weight").T
