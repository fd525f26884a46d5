"""The possible outcomes of an executed sample."""

from enum import StrEnum


class Status(StrEnum):
    """Outcome of a sample; pass@k counts `PASS` as solved and leaves out the last two."""

    PASS = "pass"
    WRONG = "wrong"
    COMPILE_ERROR = "compile_error"
    RUNTIME_ERROR = "runtime_error"
    TIMEOUT_COMPILE = "timeout_compile"
    TIMEOUT_RUN = "timeout_run"
    OOM = "oom"
    OUTPUT_LIMIT = "output_limit"
    SANDBOX_ERROR = "sandbox_error"
    TOOLCHAIN_MISSING = "toolchain_missing"

    @property
    def judged(self) -> bool:
        """Whether the sample was executed at all, so that it says something about the model."""
        return self not in (Status.SANDBOX_ERROR, Status.TOOLCHAIN_MISSING)
