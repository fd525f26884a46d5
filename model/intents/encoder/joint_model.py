"""MiniLM with two heads: the intent of a sentence and the BIO tag of each of its words."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from midline.model.intents.encoder.pieces import FORMS


@dataclass(frozen=True)
class Sizes:
    """Hyper-parameters of all-MiniLM-L6-v2, and of the heads."""

    channels: int = 384
    inner: int = 1536
    layers: int = 6
    heads: int = 12
    vocabulary: int = 30522
    positions: int = 512
    form_channels: int = 16


class JointModel(nn.Module):
    """The encoder and its heads; dropout is that of the encoder and of the heads' inputs."""

    def __init__(self, intents: int, tags: int, dropout: float, sizes: Sizes | None = None) -> None:
        super().__init__()
        from transformers import BertConfig, BertModel

        s = self.sizes = sizes or Sizes()
        config = BertConfig(
            vocab_size=s.vocabulary, hidden_size=s.channels, num_hidden_layers=s.layers,
            num_attention_heads=s.heads, intermediate_size=s.inner,
            max_position_embeddings=s.positions, hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout, attn_implementation="eager",
        )  # fmt: skip
        self.encoder = BertModel(config, add_pooling_layer=False)
        self.dropout = nn.Dropout(dropout)
        self.forms = nn.Embedding(2 * len(FORMS), s.form_channels)
        self.intent_head = nn.Linear(s.channels, intents)
        self.tag_head = nn.Linear(s.channels + s.form_channels, tags)

    def forward(
        self, ids: Tensor, mask: Tensor, firsts: Tensor, forms: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits of the intents [sentences, intents] and of the tags [sentences, words, tags].

        ids, mask: int64 [sentences, pieces]. firsts, forms: int64 [sentences, words].
        """
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask[:, :, None].to(hidden.dtype)
        pooled = (hidden * weights).sum(1) / weights.sum(1)
        places = firsts[:, :, None].expand(-1, -1, hidden.shape[-1])
        of_words = torch.cat([hidden.gather(1, places), self.forms(forms)], -1)
        return self.intent_head(self.dropout(pooled)), self.tag_head(self.dropout(of_words))


def load_pretrained(model: JointModel, path: Path) -> None:
    """Read the encoder's weights; ValueError if the file lacks one of them."""
    from safetensors.torch import load_file

    found = load_file(path)
    missing, _ = model.encoder.load_state_dict(found, strict=False)
    lacking = [name for name in missing if "position_ids" not in name]
    if lacking:
        raise ValueError(f"{path.name} has no {lacking[0]}")
