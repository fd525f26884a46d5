"""A GGUF model as transformers has it: float32 in torch, for references and for fine-tuning.

Needs the extra `reference`, and four bytes of memory a weight.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from midline.kernels.reference import dequantize
from midline.model.errors import ModelFileError
from midline.model.weights.gguf import GGUFFile, read_gguf

ARCHITECTURES = {"llama": (LlamaConfig, LlamaForCausalLM), "qwen2": (Qwen2Config, Qwen2ForCausalLM)}
TOP_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
}
LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def load_in_transformers(path: Path) -> Any:
    """The model of a GGUF file, its weights dequantized to float32, in inference mode.

    ModelFileError if its architecture is none of `ARCHITECTURES`.
    """
    file = read_gguf(path)
    architecture = file.metadata["general.architecture"]
    if architecture not in ARCHITECTURES:
        raise ModelFileError(f"{path} is a {architecture} model; known: {list(ARCHITECTURES)}")
    config_class, model_class = ARCHITECTURES[architecture]
    config = config_class(**_hyper_parameters(file, architecture))
    with torch.device("meta"):
        model = model_class(config)
    model.load_state_dict(_state(file, config, architecture), strict=False, assign=True)
    if config.tie_word_embeddings:
        model.tie_weights()
    _materialize_rotary(model, config)
    return model.eval()


def _hyper_parameters(file: GGUFFile, architecture: str) -> dict[str, Any]:
    def value(key: str) -> Any:
        return file.metadata[f"{architecture}.{key}"]

    return {
        "num_hidden_layers": int(value("block_count")),
        "hidden_size": int(value("embedding_length")),
        "intermediate_size": int(value("feed_forward_length")),
        "num_attention_heads": int(value("attention.head_count")),
        "num_key_value_heads": int(value("attention.head_count_kv")),
        "rms_norm_eps": float(value("attention.layer_norm_rms_epsilon")),
        "rope_theta": float(value("rope.freq_base")),
        "max_position_embeddings": int(value("context_length")),
        "vocab_size": file.tensors["token_embd.weight"].shape[0],
        "tie_word_embeddings": "output.weight" not in file.tensors,
        "attn_implementation": "eager",
    }


def _state(file: GGUFFile, config: Any, architecture: str) -> dict[str, torch.Tensor]:
    """Every tensor of the file in float32 under the name transformers gives it."""
    state = {}
    for name, tensor in file.tensors.items():
        weights = dequantize(tensor.type, file.data(name), tensor.shape)
        if architecture == "llama" and name.endswith(("attn_q.weight", "attn_k.weight")):
            query = name.endswith("attn_q.weight")
            heads = config.num_attention_heads if query else config.num_key_value_heads
            weights = halves_from_pairs(weights, heads)
        state[_transformers_name(name)] = torch.from_numpy(np.array(weights))
    return state


def halves_from_pairs(weights: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Rows [heads * size, inputs] from rotary pairs side by side, as GGUF has them for llama, to
    first and second halves of each head, as transformers has them."""
    outputs, inputs = weights.shape
    pairs = weights.reshape(heads, outputs // heads // 2, 2, inputs)
    return pairs.swapaxes(1, 2).reshape(outputs, inputs)


def _transformers_name(name: str) -> str:
    stem, _, suffix = name.rpartition(".")
    if stem in TOP_NAMES:
        return f"{TOP_NAMES[stem]}.{suffix}"
    _, layer, part = stem.split(".")
    return f"model.layers.{layer}.{LAYER_NAMES[part]}.{suffix}"


def _materialize_rotary(model: Any, config: Any) -> None:
    """Rebuild the rotary embedding outside the meta device: its frequencies are in no file."""
    model.model.rotary_emb = type(model.model.rotary_emb)(config=config)
