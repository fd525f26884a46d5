"""Which flags of `midline-bench speed` mean something to which measurement, and their ranges."""

import argparse

from midline.model.decoding.request import MAX_SAMPLES
from midline.model.errors import UsageError
from midline.model.teal.profile import check_level

USED = {
    "prefill": "peer tokens sparsity exact runs plot",
    "decode": "peer tokens context samples sparsity exact runs plot",
    "samples": "peer tokens context samples sparsity exact runs plot",
    "keystroke": "peer tokens context sparsity exact runs plot",
    "keystroke without --peer": "tokens context lines sparsity exact plot",
    "memory": "tokens context",
    "start": "runs",
    "drafting": "tokens context",
    "sparse": "tokens sparsity runs",
    "selfdraft": "tokens context sparsity",
    "samples-curve": "tokens context runs plot",
}
"""Of the flags that not all measurements use."""
COUNTED = ("tokens", "context", "samples", "runs", "lines")
SKIPPING = ("sparse", "selfdraft")
"""Measurements of skipping itself."""


def is_typing(args: argparse.Namespace) -> bool:
    """Whether a typist is measured, who has no peer."""
    return args.measurement == "keystroke" and args.peer is None


def check(args: argparse.Namespace) -> None:
    """Raise UsageError for a value out of range or a flag that would be ignored."""
    for name in COUNTED:
        value = getattr(args, name)
        least = 0 if name == "context" and is_typing(args) else 1
        if value is not None and value < least:
            raise UsageError(f"--{name} is {value}; it has to be at least {least}")
    if args.samples is not None and args.samples > MAX_SAMPLES:
        raise UsageError(f"--samples is {args.samples}; it can be at most {MAX_SAMPLES}")
    check_level(args.sparsity or 0.0)
    if args.measurement in SKIPPING and args.sparsity == 0:
        raise UsageError("--sparsity is 0; there is nothing to skip")
    _check_use(args)


def _check_use(args: argparse.Namespace) -> None:
    what = "keystroke without --peer" if is_typing(args) else args.measurement
    flags = dict.fromkeys(flag for used in USED.values() for flag in used.split())
    given = [flag for flag in flags if _is_given(getattr(args, flag))]
    ignored = [f"--{flag}" for flag in given if flag not in USED[what].split()]
    if ignored:
        them = "it" if len(ignored) == 1 else "them"
        raise UsageError(f"speed {what} does not use {' or '.join(ignored)}; leave {them} out")


def _is_given(value: object) -> bool:
    return value is not None and value is not False
