"""Output of `complete` and `generate`: text, JSON and the speed of the generation."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from midline.model.completion.task import CompletionResult
    from midline.model.engines.base import Engine


def json_line(name: str, sparsity: float, result: "CompletionResult", **more: str) -> str:
    """The JSON object of a result, with the fields of `more`, and a line end."""
    timings = result.timings
    fields = {
        "model": name,
        **more,
        "sparsity": sparsity,
        "prompt_tokens": result.prompt_tokens,
        "cached_tokens": result.cached_tokens,
        "completions": [
            {
                "text": suggestion.text,
                "score": suggestion.score,
                "mean_logprob": suggestion.mean_logprob,
                "tokens": suggestion.tokens,
                "finish_reason": suggestion.finish_reason,
            }
            for suggestion in result.suggestions
        ],
        "timings": {
            "load_ms": timings.load_ms,
            "prefill_ms": timings.prefill_ms,
            "decode_ms": timings.decode_ms,
            "prefill_tokens_per_second": timings.prefill_tokens_per_second,
            "decode_tokens_per_second": timings.decode_tokens_per_second,
        },
    }
    return json.dumps(fields) + "\n"


def plain_text(result: "CompletionResult") -> str:
    """The text of a single completion, or all completions, each below its rank and score."""
    if len(result.suggestions) == 1:
        return f"{result.suggestions[0].text}\n"
    return "".join(
        f"--- {rank}  score {suggestion.score:.3f}\n{suggestion.text}\n"
        for rank, suggestion in enumerate(result.suggestions, 1)
    )


def write_text(text: str) -> None:
    """Write to standard output as UTF-8, with the line ends of the text on every platform."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def report_speed(engine: "Engine", result: "CompletionResult") -> None:
    """One line on standard error."""
    timings = result.timings
    details = f" ({engine.load_details})" if engine.load_details else ""
    print(
        f"{engine.name}: loaded in {timings.load_ms / 1000:.2f} s{details}, read "
        f"{result.prompt_tokens - result.cached_tokens} of {result.prompt_tokens} prompt tokens "
        f"at {timings.prefill_tokens_per_second:.0f} tokens/s, wrote "
        f"{sum(suggestion.tokens for suggestion in result.suggestions)} "
        f"at {timings.decode_tokens_per_second:.1f} tokens/s",
        file=sys.stderr,
    )
