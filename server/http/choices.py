"""The objects that OpenAI's clients read: choices, usage, log-probabilities."""

import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from midline.model.tokenizer.base import TokenizerBase
from midline.server.http.raw_answer import Spent
from midline.server.http.service import Service


def envelope(service: Service, kind: str, prefix: str, model: str) -> dict[str, Any]:
    """What every object of one answer begins with."""
    return {
        "id": f"{prefix}-{uuid.uuid4().hex}",
        "object": kind,
        "created": service.now(),
        "model": model,
    }


def usage(spent: Sequence[Spent]) -> dict[str, Any]:
    """Numbers of tokens of all prompts of a request."""
    prompt = sum(each.prompt_tokens for each in spent)
    written = sum(each.written for each in spent)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
        "prompt_tokens_details": {"cached_tokens": sum(each.cached_tokens for each in spent)},
    }


def completion_logprobs(
    tokenizer: TokenizerBase, tokens: Sequence[tuple[int, float]], offset: int = 0
) -> dict[str, Any]:
    """Log-probabilities in the form of text completions: of the tokens written, of no others."""
    texts = [tokenizer.decode([id]) for id, _ in tokens]
    numbers = [_number(logprob) for _, logprob in tokens]
    offsets = []
    for text in texts:
        offsets.append(offset)
        offset += len(text)
    return {
        "tokens": texts,
        "token_logprobs": numbers,
        "top_logprobs": [{text: n} for text, n in zip(texts, numbers, strict=True)],
        "text_offset": offsets,
    }


def chat_logprobs(
    tokenizer: TokenizerBase, tokens: Sequence[tuple[int, float]]
) -> dict[str, list[Mapping[str, Any]]]:
    """Log-probabilities in the form of chats."""
    return {"content": [_chat_token(tokenizer, *token) for token in tokens]}


def _chat_token(tokenizer: TokenizerBase, id: int, logprob: float) -> dict[str, Any]:
    own = {
        "token": tokenizer.decode([id]),
        "logprob": _number(logprob),
        "bytes": list(tokenizer.token_bytes(id)),
    }
    return {**own, "top_logprobs": [own]}


def _number(logprob: float) -> float | None:
    """JSON has no NaN, which stands for what an engine does not know."""
    return logprob if math.isfinite(logprob) else None


def finish(reason: str | None) -> str | None:
    """Why a completion ended, as OpenAI says it."""
    return "stop" if reason == "cancelled" else reason
