"""Reserves standard output for the protocol."""

import os
import sys
from typing import BinaryIO


def claim_stdout() -> BinaryIO:
    """The real standard output; all other writes to it are redirected to standard error.

    That holds for `print`, for libraries in C and for child processes alike, because the file
    descriptor itself is turned round. OSError if there is no standard output.
    """
    sys.stdout.flush()
    os.write(1, b"")  # an error if it is closed, or open for reading only
    protocol = os.fdopen(os.dup(1), "wb")
    try:
        os.dup2(2, 1)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
    sys.stdout = sys.stderr
    return protocol
