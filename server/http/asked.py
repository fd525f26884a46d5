"""What every kind of completion request may ask for, read from its fields."""

import secrets
from dataclasses import dataclass

from midline.model.decoding.options import MAX_SAMPLES, NativeOptions, SamplingOptions
from midline.server.http.errors import HttpError
from midline.server.http.fields import Fields

MOST_TOKENS = 4096
"""Most tokens of an answer."""
MOST_STOPS = 32
_REFUSED = {
    "echo": "echo is not supported; put the prompt in front of the answer yourself",
    "logit_bias": "logit_bias is not supported; leave it out",
    "tools": "tools are not supported; leave them out",
    "functions": "functions are not supported; leave them out",
    "grammar": "grammars are not supported; leave grammar out",
    "json_schema": "JSON schemas are not supported; leave json_schema out",
}
"""Fields that change what an answer is: to ignore them would be to answer something else."""
_LENGTHS = ("max_completion_tokens", "max_tokens", "n_predict")


@dataclass(frozen=True)
class Asked:
    """Options of a request.

    stops: strings in front of which the text ends. with_usage: a stream ends with the numbers of
    tokens. raw: the model's text as it is, also where it completes at a cursor. warm_up: nothing
    is to be generated, only read.
    """

    options: SamplingOptions
    stops: tuple[str, ...] = ()
    stream: bool = False
    with_usage: bool = False
    logprobs: bool = False
    raw: bool = False
    warm_up: bool = False


def read_asked(fields: Fields, default_tokens: int) -> Asked:
    """The options in the fields. Raises HttpError 422.

    Without a temperature one completion is greedy, and of several all but the first are drawn; a
    missing seed is a random one.
    """
    for name, sentence in _REFUSED.items():
        if fields.value(name):
            raise HttpError(422, sentence, name)
    tokens = _length(fields, default_tokens)
    samples = fields.whole("n_cmpl" if "n_cmpl" in fields else "n", 1, 1, MAX_SAMPLES)
    usage = fields.value("stream_options")
    if usage is not None and not isinstance(usage, dict):
        raise fields.wrong("stream_options", "an object")
    options = SamplingOptions.chosen(
        samples,
        fields.number("temperature", None, 0, 100),
        max_tokens=max(1, tokens),
        top_p=fields.number("top_p", 1.0, 1e-6, 1),
        min_p=fields.number("min_p", 0.0, 0, 1),
        seed=_seed(fields),
        engine=NativeOptions(),
    )
    return Asked(
        options,
        stops=fields.texts("stop", MOST_STOPS),
        stream=fields.switch("stream"),
        with_usage=bool(usage and usage.get("include_usage")),
        logprobs=_wants_logprobs(fields),
        raw=fields.switch("raw"),
        warm_up=tokens == 0,
    )


def _length(fields: Fields, default: int) -> int:
    """The most tokens of an answer; llama.cpp's clients write -1 where there is no limit."""
    name = next((name for name in _LENGTHS if name in fields), "max_tokens")
    if name == "n_predict" and fields.value(name) == -1:
        return MOST_TOKENS
    return min(fields.whole(name, default, 0, 1 << 31), MOST_TOKENS)


def _seed(fields: Fields) -> int:
    seed = fields.whole("seed", -1, -(2**63), 2**64 - 1)
    return secrets.randbits(62) if seed == -1 else seed % 2**63


def _wants_logprobs(fields: Fields) -> bool:
    """A switch for chats, a number of alternatives for completions."""
    value = fields.value("logprobs")
    if isinstance(value, bool) or value is None:
        return bool(value)
    return fields.whole("logprobs", 0, 0, 20) >= 0
