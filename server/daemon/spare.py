"""A spare of the engine process: forked with everything imported, it takes over after a kill.

What a new process spends most of its first second on, its imports, the spare has done. It shares
the memory of the process that it waits for, and holds nothing else: no socket, no lock, no model.
Only Linux has one: elsewhere a fork is not safe enough, and the clients start another process.
"""

import contextlib
import gc
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable

from midline.server.daemon.places import Place

LOGGER = logging.getLogger(__name__)
HAS_SPARE = sys.platform == "linux"
LEAST_SECONDS = 1.0
"""A process that was killed sooner is not replaced by its spare: something is wrong with it."""
_DISMISSED = b"."
_QUIET_SECONDS = 2.0
"""The spare imports what loading needs when its process has done so long ago."""


class Spare:
    """The spare of this process; `dismiss` it before an end that is meant."""

    def __init__(self, pipe: int | None = None) -> None:
        self._pipe = pipe

    def dismiss(self) -> None:
        """End it; whatever happens now, nobody takes over."""
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            with contextlib.suppress(OSError):
                os.write(pipe, _DISMISSED)
            os.close(pipe)


def run_with_spare(place: Place, run: Callable[[Spare], int]) -> int:
    """`run`, and run it again in a forked process if this one is killed. No threads may run yet.

    The exit status of `run`; in a process that took over, it is that of the process.
    """
    if not HAS_SPARE:
        return run(Spare())
    gc.collect()
    gc.freeze()  # a collection writes to every object, whose memory would be shared no more
    while True:
        waiting, ours = os.pipe()
        began = time.monotonic()
        if os.fork():
            os.close(waiting)
            spare = Spare(ours)
            try:
                return run(spare)
            finally:
                spare.dismiss()
        os.close(ours)
        if not _is_needed(place, waiting, began):
            os._exit(0)


def _is_needed(place: Place, pipe: int, began: float) -> bool:
    """Wait, in the spare, for the end of its process; whether that was killed."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    ready, _, _ = select.select([pipe], [], [], _QUIET_SECONDS)
    if not ready:
        _import_more()
    word = os.read(pipe, 1)
    os.close(pipe)
    if word == _DISMISSED or place.ended_note.exists():
        return False
    if time.monotonic() - began < LEAST_SECONDS:
        return False
    signal.signal(signal.SIGINT, before)
    LOGGER.warning("the engine process was killed; its spare, %d, takes over", os.getpid())
    return True


def _import_more() -> None:
    """Import what a load and a first completion need beside what every process imports."""
    import midline.model.completion.complete
    import midline.model.completion.task  # noqa: F401
    from midline.model.engines.load import import_native

    import_native()
