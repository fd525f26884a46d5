"""Sentences from templates: the seeds that every learner of intents begins with.

A template file defines rules (`name: alternative | alternative`) and lists sentences in the
augmented language with places in them:

    <rule>        one of the alternatives of a rule
    {a|b|}        one of these, the empty one included
    [slot]        a text made up for that slot (`fillers.py`)
    [slot:kind]   one of that kind
    [slot=text]   that text
    [slot!]       such a text without its label

The same seed gives the same sentences on every machine.
"""

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from midline.model.intents.utterance import (
    AugmentedError,
    Utterance,
    parse_augmented,
    write_augmented,
)

Filler = Callable[[random.Random, str], str]
"""Makes up a text of a kind, "" for the usual one."""
_RULE = re.compile(r"(\w+): (.*)")
_CHOICE = re.compile(r"\{([^{}]*)\}")
_REFERENCE = re.compile(r"<(\w+)>")
_PLACE = re.compile(r"\[(\w+)(?:(!)|:(\w+)|=([^\]]*))?\]")
_SPACES = re.compile(r" {2,}")
_BEFORE_SIGN = re.compile(r" +([,?!.])")
_MAX_STEPS = 400
_ASK_SHARE, _TAIL_SHARE, _TYPO_SHARE = 0.22, 0.12, 0.06


@dataclass(frozen=True)
class Templates:
    """The rules of a file, and its templates in order."""

    rules: Mapping[str, tuple[str, ...]]
    sentences: tuple[str, ...]


def parse_templates(text: str) -> Templates:
    """Rules and sentences of a template file; lines that begin with # are left out.

    Raises ValueError for a sentence that refers to a rule that there is not.
    """
    rules: dict[str, tuple[str, ...]] = {}
    sentences = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        rule = _RULE.match(line)
        if line.startswith((":", "((")):
            sentences.append(line.removeprefix(":").strip())
        elif rule is not None:
            rules[rule[1]] = tuple(part.strip() for part in rule[2].split(" | "))
        else:
            raise ValueError(f"{line!r:.60} is neither a rule nor a template")
    for part in (*sentences, *(p for parts in rules.values() for p in parts)):
        for name in _REFERENCE.findall(part):
            if name not in rules:
                raise ValueError(f"there is no rule <{name}>")
    return Templates(rules, tuple(sentences))


@cache
def read_templates(name: str) -> Templates:
    """The templates of a file of `model/intents/data`."""
    folder = resources.files("midline.model.intents") / "data"
    return parse_templates((folder / name).read_text("utf-8"))


def expand(sentence: str, templates: Templates, rng: random.Random, fill: Filler) -> str:
    """One string of the augmented language that `sentence` stands for."""
    for _ in range(_MAX_STEPS):
        choice = _CHOICE.search(sentence)
        reference = _REFERENCE.search(sentence)
        if choice is not None:
            sentence = _replaced(sentence, choice, rng.choice(choice[1].split("|")))
        elif reference is not None:
            sentence = _replaced(sentence, reference, rng.choice(templates.rules[reference[1]]))
        else:
            break

    def filled(place: re.Match[str]) -> str:
        name, bare, kind, text = place.groups()
        made = text if text is not None else fill(rng, f"{name}:{kind}" if kind else name)
        return made if bare else f"[{made}|{name}]"

    sentence = _PLACE.sub(filled, sentence)
    return _BEFORE_SIGN.sub(r"\1", _SPACES.sub(" ", sentence)).strip()


def _replaced(text: str, match: re.Match[str], by: str) -> str:
    return text[: match.start()] + by + text[match.end() :]


def sentences_of(templates: Templates, count: int, seed: int, fill: Filler) -> Iterable[Utterance]:
    """`count` different utterances of these templates, as many of each as there can be.

    They are varied as people vary them: asked for politely, without capitals, with a typing error.
    """
    rng = random.Random(seed)
    seen: set[str] = set()
    tries = 0
    while len(seen) < count and tries < 20 * count:
        template = templates.sentences[tries % len(templates.sentences)]
        tries += 1
        try:
            utterance = parse_augmented(expand(template, templates, rng, fill))
        except AugmentedError:
            continue
        utterance = _varied(utterance, templates, rng)
        if utterance.text not in seen:
            seen.add(utterance.text)
            yield utterance


def _varied(utterance: Utterance, templates: Templates, rng: random.Random) -> Utterance:
    line = write_augmented(utterance)
    head, _, body = line.partition(")) ")
    has_ask = "ask" in templates.rules and not body.startswith(("[", "\\"))
    if has_ask and rng.random() < _ASK_SHARE:
        body = f"{rng.choice(templates.rules['ask'])} {body}"
    elif rng.random() < _TAIL_SHARE and "tail" in templates.rules and not body.endswith("?"):
        body = f"{body} {rng.choice(templates.rules['tail'])}"
    body = _sloppy(body, rng) if rng.random() < _TYPO_SHARE else body
    if rng.random() < 0.15:
        body += rng.choice(".!?") if body[-1] not in ".!?" else ""
    if rng.random() < 0.2 and body[0].islower():
        body = body[0].upper() + body[1:]
    return parse_augmented(f"{head})) {body}")


def _sloppy(body: str, rng: random.Random) -> str:
    """The text with one letter outside its slots left out or two of them exchanged."""
    outside = [m.start() for m in re.finditer(r"(?<=[a-z])[a-z](?=[a-z])", _without_slots(body))]
    if not outside:
        return body
    at = rng.choice(outside)
    if rng.random() < 0.5:
        return body[:at] + body[at + 1 :]
    return body[:at] + body[at + 1] + body[at] + body[at + 2 :]


def _without_slots(body: str) -> str:
    """The text with its slots made unreadable, of the same length."""
    return re.sub(r"\[[^\]]*\]", lambda match: "#" * len(match.group()), body)
