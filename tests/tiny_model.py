"""Tiny random models of both architectures, in a file of a megabyte, for tests of everything.

Weights are random blocks of the real formats, the vocabulary is byte-level BPE with merges learned
from a few lines of code, and every special token of the real models is there. What such a model
writes is noise, but deterministic noise: the same seed gives the same file.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf_writer import Tensor, gguf_bytes

from midline.kernels.formats import GGMLType
from midline.kernels.reference import random_blocks
from midline.model.tokenizer.vocabulary import BYTE_SYMBOLS, CONTROL, NORMAL, UNUSED, USER_DEFINED

LEARNED_FROM = """
def return self import from class print for in range len if else elif not None True False while
    return self.value
        for index in range(len(items)):
            result.append(index)
import numpy as np
function const let var => { return items.map((item) => item.name); }
public static void main(String[] args) { System.out.println("hello"); }
#include <vector> std::string std::vector<int> template typename auto
the quick brown fox jumps over the lazy dog and then returns the value of the function
"""

SPECIAL = {
    "<|endoftext|>": CONTROL,
    "<|im_start|>": CONTROL,
    "<|im_end|>": CONTROL,
    "<tool_call>": USER_DEFINED,
    "</tool_call>": USER_DEFINED,
    "<|fim_prefix|>": CONTROL,
    "<|fim_middle|>": CONTROL,
    "<|fim_suffix|>": CONTROL,
    "<|fim_pad|>": CONTROL,
    "<|repo_name|>": CONTROL,
    "<|file_sep|>": CONTROL,
}

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@dataclass(frozen=True)
class TinyModel:
    """Hyper-parameters of a model to write; `types` names the type of each kind of matrix."""

    architecture: str
    width: int
    heads: int
    kv_heads: int
    mlp: int
    types: Mapping[str, GGMLType]
    layers: int = 3
    head_width: int = 64
    vocabulary: int = 512
    context: int = 512
    rope_base: float = 10_000.0
    biases: bool = False
    tied: bool = False
    seed: int = 20
    extra: Mapping[str, Any] = field(default_factory=dict)


QWEN2 = TinyModel(
    architecture="qwen2",
    width=256,
    heads=4,
    kv_heads=2,
    mlp=768,
    rope_base=1_000_000.0,
    biases=True,
    types={
        "token_embd": GGMLType.Q5_0,
        "output": GGMLType.Q8_0,
        "attn_q": GGMLType.Q4_K,
        "attn_k": GGMLType.Q5_0,
        "attn_v": GGMLType.Q6_K,
        "attn_output": GGMLType.Q4_K,
        "ffn_gate": GGMLType.Q4_K,
        "ffn_up": GGMLType.Q5_0,
        "ffn_down": GGMLType.Q6_K,
    },
)
"""Rows of whole blocks of 256, biases, an output matrix of its own."""

LLAMA = TinyModel(
    architecture="llama",
    width=320,
    heads=5,
    kv_heads=1,
    mlp=608,
    layers=2,
    vocabulary=500,
    tied=True,
    types={
        "token_embd": GGMLType.Q8_0,
        "attn_q": GGMLType.Q4_1,
        "attn_k": GGMLType.Q8_0,
        "attn_v": GGMLType.F16,
        "attn_output": GGMLType.Q5_0,
        "ffn_gate": GGMLType.Q4_1,
        "ffn_up": GGMLType.Q4_0,
        "ffn_down": GGMLType.Q5_0,
    },
)
"""Rows that are no multiple of 256, one key-value head, the embedding as output matrix."""


def write_tiny_model(path: Path, model: TinyModel = QWEN2, **changes: Any) -> Path:
    """Write `model`, with `changes` to its hyper-parameters, as a GGUF file at `path`."""
    model = replace(model, **changes)
    rng = np.random.default_rng(model.seed)
    path.write_bytes(gguf_bytes(metadata(model), tensors(model, rng)))
    return path


def metadata(model: TinyModel) -> dict[str, Any]:
    """The metadata entries of `model`, as the converters of llama.cpp write them."""
    prefix = model.architecture
    return {
        "general.architecture": prefix,
        "general.name": f"tiny {prefix}",
        f"{prefix}.block_count": model.layers,
        f"{prefix}.context_length": model.context,
        f"{prefix}.embedding_length": model.width,
        f"{prefix}.feed_forward_length": model.mlp,
        f"{prefix}.attention.head_count": model.heads,
        f"{prefix}.attention.head_count_kv": model.kv_heads,
        f"{prefix}.attention.layer_norm_rms_epsilon": 1e-6,
        f"{prefix}.rope.freq_base": model.rope_base,
        f"{prefix}.rope.dimension_count": model.head_width,
        f"{prefix}.vocab_size": model.vocabulary,
        **tokenizer_metadata(model.vocabulary, "qwen2" if prefix == "qwen2" else "smollm"),
        **model.extra,
    }


def tokenizer_metadata(size: int, pre: str) -> dict[str, Any]:
    """A byte-level BPE vocabulary of `size` tokens, special ones included."""
    merges = learn_merges(LEARNED_FROM, size - len(BYTE_SYMBOLS) - len(SPECIAL) - 4)
    tokens = [*BYTE_SYMBOLS, *(left + right for left, right in merges)]
    kinds = [NORMAL] * len(tokens) + list(SPECIAL.values())
    tokens += [text.encode() for text in SPECIAL]
    while len(tokens) < size:
        tokens.append(f"[PAD{len(tokens)}]".encode())
        kinds.append(UNUSED)
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": np.array(kinds, np.int32),
        "tokenizer.ggml.merges": [left + b" " + right for left, right in merges],
        "tokenizer.ggml.eos_token_id": tokens.index(b"<|im_end|>"),
        "tokenizer.ggml.bos_token_id": tokens.index(b"<|endoftext|>"),
        "tokenizer.ggml.padding_token_id": tokens.index(b"<|endoftext|>"),
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": CHAT_TEMPLATE,
    }


def learn_merges(text: str, count: int) -> list[tuple[bytes, bytes]]:
    """The `count` merges that byte-pair encoding learns from the words of `text`, best first."""
    words = Counter(
        tuple(BYTE_SYMBOLS[byte] for byte in (" " * bool(index) + word).encode())
        for line in text.splitlines()
        for index, word in enumerate(line.split(" "))
    )
    merges: list[tuple[bytes, bytes]] = []
    while len(merges) < count:
        pairs: Counter[tuple[bytes, bytes]] = Counter()
        for word, times in words.items():
            for pair in pairwise(word):
                pairs[pair] += times
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        words = Counter({_merged(word, best): times for word, times in words.items()})
    return merges


def _merged(word: tuple[bytes, ...], pair: tuple[bytes, bytes]) -> tuple[bytes, ...]:
    result: list[bytes] = []
    for symbol in word:
        if result and (result[-1], symbol) == pair:
            result[-1] += symbol
        else:
            result.append(symbol)
    return tuple(result)


def tensors(model: TinyModel, rng: np.random.Generator) -> dict[str, Tensor]:
    """All tensors of `model`, in the order of the file."""
    rows, width, deviation = model.vocabulary, model.width, 2 * model.width**-0.5
    embedding = deviation if model.tied else 1.0
    made = {"token_embd.weight": _matrix(model, "token_embd", rows, width, rng, embedding)}
    if not model.tied:
        made["output.weight"] = _matrix(model, "output", rows, width, rng, deviation)
    made["output_norm.weight"] = _vector(1 + 0.1 * rng.standard_normal(model.width))
    for layer in range(model.layers):
        for name, tensor in _layer(model, rng).items():
            made[f"blk.{layer}.{name}"] = tensor
    return made


def _layer(model: TinyModel, rng: np.random.Generator) -> dict[str, Tensor]:
    queries, keys = model.heads * model.head_width, model.kv_heads * model.head_width
    shapes = {
        "attn_q": (queries, model.width),
        "attn_k": (keys, model.width),
        "attn_v": (keys, model.width),
        "attn_output": (model.width, queries),
        "ffn_gate": (model.mlp, model.width),
        "ffn_up": (model.mlp, model.width),
        "ffn_down": (model.width, model.mlp),
    }
    made = {}
    for name in ("attn_norm", "ffn_norm"):
        made[f"{name}.weight"] = _vector(1 + 0.1 * rng.standard_normal(model.width))
    for name, (outputs, inputs) in shapes.items():
        made[f"{name}.weight"] = _matrix(model, name, outputs, inputs, rng, inputs**-0.5)
        if model.biases and name in ("attn_q", "attn_k", "attn_v"):
            made[f"{name}.bias"] = _vector(0.1 * rng.standard_normal(outputs))
    return made


def _matrix(
    model: TinyModel,
    name: str,
    outputs: int,
    inputs: int,
    rng: np.random.Generator,
    deviation: float,
) -> Tensor:
    kind = model.types[name]
    return Tensor(kind, (outputs, inputs), random_blocks(kind, outputs, inputs, rng, deviation))


def _vector(values: np.ndarray) -> Tensor:
    return Tensor(GGMLType.F32, values.shape, values.astype("<f4").view(np.uint8))


@pytest.fixture(scope="session")
def tiny_qwen2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random qwen2 model: width 256, 3 layers, 4 heads over 2, 512 tokens."""
    return write_tiny_model(tmp_path_factory.mktemp("tiny") / "tiny-qwen2.gguf", QWEN2)


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random llama model: width 320, 2 layers, 5 heads over 1, 500 tokens, tied output."""
    return write_tiny_model(tmp_path_factory.mktemp("tiny") / "tiny-llama.gguf", LLAMA)


@pytest.fixture(scope="session")
def qwen2_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The tokenizer of a tiny qwen2 model, for engines whose text is known."""
    from midline.model.tokenizer.tokenizer import Tokenizer
    from midline.model.weights.gguf import read_gguf

    path = write_tiny_model(tmp_path_factory.mktemp("tokenizer") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))
