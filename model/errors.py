"""Errors a user may see: each message is one sentence that names the culprit and the way out."""


class MidlineError(Exception):
    """The work failed; the command exits with `exit_status`."""

    exit_status = 1


class UsageError(MidlineError):
    """The call itself was wrong."""

    exit_status = 2


class ModelFileError(MidlineError):
    """A model file is truncated, altered, or of a kind Midline cannot run."""
