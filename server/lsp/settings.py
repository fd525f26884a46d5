"""Settings: options as the client sends them, and their validated form.

Options are the JSON object under `midline`, camelCase, all optional. `resolve` turns them into
`Settings`; invalid options are reported and replaced by their defaults.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from midline.model.catalog.catalog import CATALOGUE, DEFAULT_MODEL
from midline.model.completion.fim import WindowLimits
from midline.model.threads import MAX_THREADS, THREADS_VARIABLE
from midline.server.lsp.engine_policy import MEGABYTE, Policy
from midline.server.lsp.network_address import is_address

SECTION = "midline"
LOG_LEVELS = ("error", "warning", "info", "debug")
CLIENT_OPTIONS = frozenset({"command", "token"})
"""Options that clients keep in the same section for themselves, or send to be let in."""

Options = Mapping[str, Any]
_MAX_SAMPLES = 16
"""Most samples in an editor: users do not look at more, and each adds latency."""


@dataclass(frozen=True)
class _Rule:
    """The valid values of an option: `allowed` describes them, `accepts` checks them."""

    allowed: str
    accepts: Callable[[Any], bool]


def _number(low: float, high: float, kind: type) -> _Rule:
    def accepts(value: Any) -> bool:
        fits = isinstance(value, (int, kind)) and not isinstance(value, bool)
        return fits and low <= value <= high  # neither NaN nor an infinity is

    name = "a whole number" if kind is int else "a number"
    return _Rule(f"{name} from {low:g} to {high:g}", accepts)


def _or_null(rule: _Rule) -> _Rule:
    return _Rule(f"{rule.allowed}, or null", lambda value: value is None or rule.accepts(value))


def _one_of(names: tuple[str, ...]) -> _Rule:
    return _Rule(f"one of {', '.join(names)}", lambda value: value in names)


_SWITCH = _Rule("true or false", lambda value: isinstance(value, bool))
_TEXT = _Rule(
    f"one of {', '.join(CATALOGUE)}, or the path of a GGUF file",
    lambda value: isinstance(value, str) and value != "",
)
_TEXT_OR_NONE = _Rule(f"{_TEXT.allowed}, or empty for none", lambda value: isinstance(value, str))
_TEXTS = _Rule(
    "a list of language ids",
    lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
)


def _setting(default: Any, rule: _Rule, description: str) -> Any:
    return dataclasses.field(default=default, metadata={"rule": rule, "description": description})


@dataclass(frozen=True)
class Settings:
    """Resolved and valid. The field `max_tokens` is the option `maxTokens`, and so on."""

    enabled: bool = _setting(True, _SWITCH, "Whether Midline completes at all.")
    disabled_languages: tuple[str, ...] = _setting(
        (), _TEXTS, "Languages that Midline leaves alone, by the editor's language id."
    )
    only_by_hand: bool = _setting(
        False, _SWITCH, "Whether to complete only when asked by hand, and be quiet while you type."
    )
    model: str = _setting(DEFAULT_MODEL, _TEXT, "The model that completes.")
    pause_model: str = _setting(
        "",
        _TEXT_OR_NONE,
        "A larger model that completes at pauses, where it is surer than the other one.",
    )
    engine: str = _setting(
        "native",
        _one_of(("native", "onnx")),
        "What runs the model: Midline's own kernels, or ONNX Runtime, where none were built.",
    )
    endpoint: str | None = _setting(
        None,
        _or_null(_Rule("an address", lambda value: isinstance(value, str) and value != "")),
        "The address of a completion server to ask in place of a model of Midline's own.",
    )
    endpoint_consent: bool = _setting(
        False, _SWITCH, "Whether text may be sent to an endpoint on another machine."
    )
    http: str | None = _setting(
        None,
        _or_null(_Rule("an address of the form [HOST:]PORT", is_address)),
        "Where the engine process serves other clients by HTTP, as 127.0.0.1:8012; null does not.",
    )
    max_tokens: int = _setting(
        64, _number(1, 1024, int), "The most tokens that a completion may have while you type."
    )
    max_tokens_by_hand: int = _setting(
        256, _number(1, 1024, int), "The most that one may have which is asked for by hand."
    )
    samples: int = _setting(
        1, _number(1, _MAX_SAMPLES, int), "How many answers to draw while typing."
    )
    alternatives: int = _setting(
        4,
        _number(1, _MAX_SAMPLES, int),
        "How many to draw, at least, where one is asked for by hand.",
    )
    temperature: float | None = _setting(
        None, _or_null(_number(0, 10, float)), "0 takes the likeliest; null chooses by samples."
    )
    sparsity: float | None = _setting(
        None,
        _or_null(_number(0, 0.9, float)),
        "Share of the weights to skip; null takes what the model's quality gate chose.",
    )
    exact: bool = _setting(False, _SWITCH, "Whether to compute the whole output matrix.")
    threads: int | None = _setting(
        None,
        _or_null(_number(1, MAX_THREADS, int)),
        f"Threads to use; null takes {THREADS_VARIABLE}, or one for each physical core.",
    )
    prefix_tokens: int = _setting(
        WindowLimits.prefix_tokens, _number(16, 16384, int), "Tokens to read before the cursor."
    )
    suffix_tokens: int = _setting(
        WindowLimits.suffix_tokens, _number(0, 16384, int), "Tokens to read behind the cursor."
    )
    context_tokens: int = _setting(
        WindowLimits.context_tokens,
        _number(0, 16384, int),
        "Tokens to read of other files that are open or were just edited; 0 reads none.",
    )
    answer_milliseconds: int | None = _setting(
        None,
        _or_null(_number(0, 60000, int)),
        "How long to wait for several lines after a key; null follows the rhythm of typing.",
    )
    first_answer_milliseconds: int = _setting(
        1500,
        _number(100, 60000, int),
        "How long the first answer at a new place may take; the rest is read when there is time.",
    )
    debounce_milliseconds: int = _setting(
        0, _number(0, 5000, int), "How long to wait for another key before work begins."
    )
    write_ahead: bool = _setting(
        True, _SWITCH, "Whether to write, in idle time, what would follow an accepted completion."
    )
    idle_cpu_share: float = _setting(
        Policy.idle_share,
        _number(0, 1, float),
        "Most of all processors' time for work that nobody waits for yet; 0 does none.",
    )
    save_battery: bool = _setting(
        Policy.save_battery,
        _SWITCH,
        "Whether to use half of the threads, and read nothing ahead, on battery.",
    )
    nice: int = _setting(
        0,
        _number(0, 19, int),
        "How far other programs go first; a higher one stays until a restart.",
    )
    memory_megabytes: int | None = _setting(
        None,
        _or_null(_number(64, 999999, int)),
        "The most memory that the engine process may take; null sets no limit.",
    )
    release_minutes: float = _setting(
        Policy.release_seconds / 60,
        _number(0.1, 10080, float),
        "When a model that is not used leaves memory; the next request brings it back.",
    )
    engine_minutes: float = _setting(
        Policy.linger_seconds / 60,
        _number(0, 10080, float),
        "How long the engine process stays when the last editor has left.",
    )
    log_level: str = _setting("info", _one_of(LOG_LEVELS), "What the log file keeps.")

    def serves(self, language: str) -> bool:
        """Whether documents of this language id are completed."""
        return self.enabled and language not in self.disabled_languages

    def policy(self) -> Policy:
        """How much of the machine the engine may take."""
        most = self.memory_megabytes
        return Policy(
            idle_share=self.idle_cpu_share,
            save_battery=self.save_battery,
            memory_bytes=None if most is None else most * MEGABYTE,
            linger_seconds=self.engine_minutes * 60,
            release_seconds=self.release_minutes * 60,
            http=self.http,
        )

    def limits(self) -> WindowLimits:
        """How much of a document a prompt may hold."""
        return WindowLimits(self.prefix_tokens, self.suffix_tokens, self.context_tokens)


def option_name(field: str) -> str:
    """`max_tokens` as a client writes it: `maxTokens`."""
    first, *others = field.split("_")
    return first + "".join(map(str.capitalize, others))


def option_fields() -> dict[str, str]:
    """The field of every setting by its name as a client writes it."""
    return {option_name(field.name): field.name for field in dataclasses.fields(Settings)}


def without_nulls(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with the default in place of every null that a setting does not take."""
    taken = dict(options)
    for field in dataclasses.fields(Settings):
        name = option_name(field.name)
        if name in taken and taken[name] is None and not field.metadata["rule"].accepts(None):
            taken[name] = list(field.default) if isinstance(field.default, tuple) else field.default
    return taken


def resolve(options: Any) -> tuple[Settings, list[str]]:
    """Settings for `options`, and one sentence for everything in them that does not hold."""
    if options is None:
        return Settings(), []
    if not isinstance(options, Mapping):
        return Settings(), [f"the settings of {SECTION} are not an object but {options!r:.80}"]
    values: dict[str, Any] = {}
    problems: list[str] = []
    left = dict(options)
    for field in dataclasses.fields(Settings):
        name = option_name(field.name)
        if name not in left:
            continue
        value, rule = left.pop(name), field.metadata["rule"]
        if rule.accepts(value):
            values[field.name] = tuple(value) if isinstance(value, list) else value
        else:
            problems.append(f"{SECTION}.{name} is {value!r:.80} and should be {rule.allowed}")
    problems += [
        f"{SECTION}.{name:.80} is no setting of this version"
        for name in left
        if name not in CLIENT_OPTIONS
    ]
    return Settings(**values), problems


def settings_as_json() -> str:
    """Every option with its default, what it may be and what it does, as one JSON object."""
    described = {
        option_name(field.name): {
            "default": field.default,
            "allowed": field.metadata["rule"].allowed,
            "description": field.metadata["description"],
        }
        for field in dataclasses.fields(Settings)
    }
    return json.dumps(described, indent=2)
